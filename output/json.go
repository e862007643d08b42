package output

import (
	"io"

	"tcpwhy/analysis/report"
)

// schemaVersion changes when a name of the JSON report changes its meaning or goes.
const schemaVersion = 1

// toolName is the program's name in reports.
const toolName = "tcpwhy"

// JSONOptions choose what a report for programs shows.
type JSONOptions struct {
	Version   string // of the program
	ShowQuery bool   // print query values, which are otherwise masked
}

// JSON writes the report as one JSON object, described by docs/json.md and docs/report.schema.json.
func JSON(w io.Writer, r *report.Report, opts JSONOptions) error {
	b := builder{report: r, opts: opts}
	o := newObjectWriter(w)
	o.member("schema_version", schemaVersion)
	o.member("tool", b.tool())
	o.member("capture", b.capture())
	o.member("summary", b.summary())
	if r.Trace != nil {
		o.member("trace", b.trace(r.Trace))
	}
	ids := findingIDs(r.Findings)
	list := o.array("findings")
	for i := range r.Findings {
		list.element(b.finding(&r.Findings[i], ids[i]))
	}
	list = o.array("connections")
	for i := range r.Conns {
		list.element(b.connection(&r.Conns[i]))
	}
	list = o.array("exchanges")
	for i := range r.Exchanges {
		list.element(b.exchange(&r.Exchanges[i]))
	}
	return o.end()
}

// NDJSON writes the report as lines of JSON: the objects of JSON one by one, each with a "type".
// First comes the capture, then the summary, then every finding, connection and exchange.
func NDJSON(w io.Writer, r *report.Report, opts JSONOptions) error {
	enc := newLineWriter(w)
	b := builder{report: r, opts: opts}
	err := enc.line(struct {
		Type          string   `json:"type"`
		SchemaVersion int      `json:"schema_version"`
		Tool          jsonTool `json:"tool"`
		jsonCapture
	}{"capture", schemaVersion, b.tool(), b.capture()})
	if err != nil {
		return err
	}
	err = enc.line(struct {
		Type string `json:"type"`
		jsonSummary
	}{"summary", b.summary()})
	if err != nil {
		return err
	}
	return b.lines(enc)
}

// lines writes the trace if there is one, the findings, connections and exchanges.
func (b *builder) lines(enc lineWriter) error {
	if b.report.Trace != nil {
		line := struct {
			Type string `json:"type"`
			jsonTrace
		}{"trace", b.trace(b.report.Trace)}
		if err := enc.line(line); err != nil {
			return err
		}
	}
	ids := findingIDs(b.report.Findings)
	for i := range b.report.Findings {
		line := struct {
			Type string `json:"type"`
			jsonFinding
		}{"finding", b.finding(&b.report.Findings[i], ids[i])}
		if err := enc.line(line); err != nil {
			return err
		}
	}
	for i := range b.report.Conns {
		line := struct {
			Type string `json:"type"`
			jsonConnection
		}{"connection", b.connection(&b.report.Conns[i])}
		if err := enc.line(line); err != nil {
			return err
		}
	}
	for i := range b.report.Exchanges {
		line := struct {
			Type string `json:"type"`
			jsonExchange
		}{"exchange", b.exchange(&b.report.Exchanges[i])}
		if err := enc.line(line); err != nil {
			return err
		}
	}
	return nil
}
