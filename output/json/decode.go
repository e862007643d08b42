package json

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
)

// Decode reads a report that Write wrote, and the version of the program that wrote it. Writing it
// again gives the same octets, whatever the rest of the report was that JSON does not hold:
//
//   - text from the network as it was sent: it stays masked
//   - Broken and Counted of findings and stories, what sentences assert, and Occurrence.Elsewhere where it
//     makes no difference to the filter
//   - ExchangeInfo.Pieces and Trail; labels that got no time
//   - of what exchanges lasted in a step of the time, all but the 90th percentile
//   - moments and resumption offers of TLS handshakes
//   - of the capture's account, what is neither a frame's outcome nor of the inputs; which of
//     several inputs dropped frames, their octets, and the times of their frames
//   - of a trace, when the frames of a tile passed, and of segments options, SACK and addresses
//
// A comparison, which WriteComparison wrote, is none.
//
// Members that this program does not know are skipped: new ones may come without a new
// schema_version. Names of values must be known, such as those of labels.
func Decode(r io.Reader) (*report.Report, string, error) {
	d := newDecoder()
	in := jsontext.NewDecoder(r)
	err := members(in, func(name string) error { return d.member(in, name) })
	if err == nil {
		if _, err = in.ReadToken(); err == io.EOF {
			err = nil
		} else if err == nil {
			err = errors.New("something follows the report")
		}
	}
	return d.done(err)
}

// DecodeLines reads a report that WriteLines wrote, as Decode does. Lines of a live capture that
// went on are skipped: what it wrote in the end says all of it again.
func DecodeLines(r io.Reader) (*report.Report, string, error) {
	d := newDecoder()
	in := jsontext.NewDecoder(r)
	for {
		text, err := in.ReadValue()
		if err == nil {
			err = d.line(text)
		}
		if err == io.EOF {
			return d.done(nil)
		}
		if err != nil {
			return d.done(err)
		}
	}
}

// decoder makes a report of what JSON shows of it.
type decoder struct {
	report  *report.Report
	schema  int
	version string
	traced  *traceObject
	told    [][]string // names of the findings of each story
	err     error      // the first
}

func newDecoder() *decoder {
	return &decoder{report: &report.Report{Capture: &capture.Stats{}}}
}

// note keeps the first error.
func (d *decoder) note(err error) {
	if d.err == nil {
		d.err = err
	}
}

// named reads a value by its name.
func named[T any](d *decoder, what, name string, parse func(string) (T, bool)) T {
	v, ok := parse(name)
	if !ok {
		d.note(fmt.Errorf("no %s is called %q", what, name))
	}
	return v
}

// frame names a frame.
func (d *decoder) frame(input int, number uint64) capture.FrameID {
	f := capture.NewFrameID(input, number)
	if f.Input() != input || f.Number() != number {
		d.note(fmt.Errorf("there can be no frame %d of input %d", number, input))
	}
	return f
}

// member reads one member of the report.
func (d *decoder) member(in *jsontext.Decoder, name string) error {
	switch name {
	case "schema_version":
		return member(in, d.setSchema)
	case "tool":
		return member(in, d.tool)
	case "capture":
		return member(in, d.capture)
	case "summary":
		return member(in, d.summary)
	case "error":
		return member(in, d.refused)
	case "comparison":
		return errors.New("it is a comparison of two reports, not a report")
	case "trace":
		return member(in, d.trace)
	case "stories":
		return elements(in, d.story)
	case "findings":
		return elements(in, d.finding)
	case "endpoints":
		return elements(in, d.endpointMember)
	case "over":
		return member(in, d.over)
	case "connections":
		return elements(in, d.connection)
	case "exchanges":
		return elements(in, d.exchange)
	}
	return in.SkipValue()
}

// line reads one line of a report. The first begins it.
func (d *decoder) line(text jsontext.Value) error {
	var head lineStart
	if err := json.Unmarshal(text, &head); err != nil {
		return err
	}
	in := jsontext.NewDecoder(bytes.NewReader(text))
	switch {
	case head.Live:
		return nil
	case head.Type == "capture":
		*d = *newDecoder()
		return member(in, d.captureLine)
	case head.Type == "error":
		return member(in, d.errorLine)
	case head.Type == "summary":
		return member(in, d.summary)
	case head.Type == "trace":
		return member(in, d.trace)
	case head.Type == "story":
		return member(in, d.story)
	case head.Type == "finding":
		return member(in, d.finding)
	case head.Type == "endpoint":
		return member(in, d.endpointMember)
	case head.Type == "over":
		return member(in, d.over)
	case head.Type == "connection":
		return member(in, d.connection)
	case head.Type == "exchange":
		return member(in, d.exchange)
	}
	return nil
}

func (d *decoder) captureLine(o *captureLine) {
	d.setSchema(&o.SchemaVersion)
	d.tool(&o.Tool)
	d.capture(&o.Capture)
}

func (d *decoder) errorLine(o *errorLine) {
	d.setSchema(&o.SchemaVersion)
	d.tool(&o.Tool)
	d.refused(&o.Object)
}

func (d *decoder) setSchema(version *int) { d.schema = *version }

func (d *decoder) tool(o *toolObject) { d.version = o.Version }

// done is the report, once all that is to come has come; err is what ended it too early.
func (d *decoder) done(err error) (*report.Report, string, error) {
	d.note(err)
	d.settleIndexes()
	d.settleStories()
	d.settleElsewhere()
	d.settleTrace()
	switch {
	case d.schema > schemaVersion:
		d.err = fmt.Errorf("schema_version is %d; this program reads %d", d.schema, schemaVersion)
	case d.schema <= 0 && d.err == nil:
		d.err = errors.New("it has no schema_version")
	}
	if d.err != nil {
		return nil, "", fmt.Errorf("JSON report: %w", Plain(d.err))
	}
	return d.report, d.version, nil
}
