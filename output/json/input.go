package json

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"tcpwhy/analysis/report"
)

// Read reads a report that Write or WriteLines wrote, whichever it is, and the version of the
// program that wrote it. It refuses one that cannot be all of a report: without a capture, or with
// durations that do not add up.
func Read(r io.Reader) (*report.Report, string, error) {
	in := bufio.NewReader(r)
	head, _ := in.Peek(64) // an error of reading shows again
	var out *report.Report
	var version string
	var err error
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		return nil, "", errors.New(
			"JSON report: it is UTF-16, as PowerShell's > writes it: write it with --output",
		)
	case lined(head):
		out, version, err = DecodeLines(in)
	default:
		out, version, err = Decode(in)
	}
	if err == nil {
		err = whole(out)
	}
	if err != nil {
		return nil, "", err
	}
	return out, version, nil
}

// Begins reports whether what begins so may be JSON.
func Begins(head []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(head, " \t\r\n"), []byte("{")) ||
		bytes.HasPrefix(head, []byte("\xff\xfe{\x00"))
}

// lined reports whether what begins so is a report in lines: each object says first what it is.
func lined(head []byte) bool {
	head = bytes.TrimLeft(head, " \t\r\n")
	head, object := bytes.CutPrefix(head, []byte("{"))
	return object && bytes.HasPrefix(bytes.TrimLeft(head, " \t\r\n"), []byte(`"type"`))
}

// whole refuses what cannot be all of a report.
func whole(r *report.Report) error {
	s := r.Capture
	if len(s.Inputs) == 0 && s.Frames == 0 {
		return errors.New("JSON report: there is no capture in it")
	}
	if r.ExchangeCount > 0 && len(r.Endpoints) == 0 {
		return errors.New("JSON report: there are no endpoints in it")
	}
	for i := range r.Endpoints {
		e := &r.Endpoints[i]
		for _, d := range []*report.Durations{&e.Duration, &e.Think} {
			if err := addsUp(d); err != nil {
				return fmt.Errorf("JSON report: endpoint %d: %w", i, err)
			}
		}
		if e.Exchanges < 0 || e.Failed < 0 || e.Streams < 0 || e.Streams > e.Exchanges {
			return fmt.Errorf("JSON report: endpoint %d: %d exchanges", i, e.Exchanges)
		}
	}
	return nil
}

// addsUp checks that there are as many durations as it says, none of them negative.
func addsUp(d *report.Durations) error {
	n := len(d.Few)
	for _, t := range d.Few {
		if t < 0 {
			return errors.New("a duration is negative")
		}
	}
	for _, count := range d.Cells {
		if count < 0 || count > d.N {
			return fmt.Errorf("a cell counts %d of %d durations", count, d.N)
		}
		n += count
	}
	if n != d.N || d.First < 0 || d.First+len(d.Cells) > report.MaxCells {
		return fmt.Errorf("%d durations are counted, of %d", n, d.N)
	}
	return nil
}
