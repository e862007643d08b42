package output

import (
	"io"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
)

// LiveJSON writes lines of JSON about a capture that goes on, each with one write. It is for one
// goroutine.
type LiveJSON struct {
	enc     lineWriter
	opts    JSONOptions
	capture *capture.Stats // names the input
}

// NewLiveJSON makes a LiveJSON about the interface of that name.
func NewLiveJSON(w io.Writer, name string, opts JSONOptions) *LiveJSON {
	return &LiveJSON{
		enc:     newLineWriter(w),
		opts:    opts,
		capture: &capture.Stats{Inputs: []capture.Input{{Name: name}}},
	}
}

func (l *LiveJSON) builder() *builder {
	return &builder{report: &report.Report{Capture: l.capture}, opts: l.opts}
}

// Occurrence writes a finding with its totals so far and the occurrence that has just become
// certain.
func (l *LiveJSON) Occurrence(f *report.Finding) error {
	return l.enc.line(struct {
		Type string `json:"type"`
		jsonFinding
	}{"occurrence", l.builder().finding(f, findingIDs([]report.Finding{*f})[0])})
}

// Exchange writes an exchange that has just been judged.
func (l *LiveJSON) Exchange(x *report.ExchangeInfo) error {
	return l.enc.line(struct {
		Type string `json:"type"`
		Live bool   `json:"live"`
		jsonExchange
	}{"exchange", true, l.builder().exchange(x)})
}

// SoFar writes the totals of a report that is not the last.
func (l *LiveJSON) SoFar(r *report.Report) error {
	b := builder{report: r, opts: l.opts}
	err := l.enc.line(struct {
		Type string `json:"type"`
		Live bool   `json:"live"`
		jsonCapture
	}{"capture", true, b.capture()})
	if err != nil {
		return err
	}
	return l.enc.line(struct {
		Type string `json:"type"`
		Live bool   `json:"live"`
		jsonSummary
	}{"summary", true, b.summary()})
}
