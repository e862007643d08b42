package json

import (
	"io"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/output/finding"
)

// Live writes lines of JSON about a capture that goes on, each with one write. It is for one
// goroutine.
type Live struct {
	to      *lineWriter
	opts    Options
	capture *capture.Stats // names the input
}

// NewLive makes a Live about the interface of that name.
func NewLive(w io.Writer, name string, opts Options) *Live {
	return &Live{
		to:      newLineWriter(w),
		opts:    opts,
		capture: &capture.Stats{Inputs: []capture.Input{{Name: name}}},
	}
}

// encoder is for what there is to tell before there is a report.
func (l *Live) encoder() *encoder {
	return &encoder{report: &report.Report{Capture: l.capture}, opts: l.opts}
}

// Occurrence writes a finding with its totals so far and the occurrence that has just become
// certain.
func (l *Live) Occurrence(f *report.Finding) error {
	o := l.encoder().finding(f, finding.IDs([]report.Finding{*f})[0])
	l.to.typed(lineStart{Type: "occurrence"}, &o)
	return l.to.err
}

// Exchange writes an exchange that has just been judged.
func (l *Live) Exchange(x *report.ExchangeInfo) error {
	o := l.encoder().exchange(x)
	l.to.typed(lineStart{Type: "exchange", Live: true}, &o)
	return l.to.err
}

// SoFar writes the totals of a report that is not the last.
func (l *Live) SoFar(r *report.Report) error {
	e := encoder{report: r, opts: l.opts}
	l.to.typed(lineStart{Type: "capture", Live: true}, e.capture())
	l.to.typed(lineStart{Type: "summary", Live: true}, e.summary())
	return l.to.err
}
