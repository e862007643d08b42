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
	id := finding.IDs([]report.Finding{*f})[0]
	l.to.line(line[findingObject]{Type: "occurrence", Object: l.encoder().finding(f, id)})
	return l.to.err
}

// Exchange writes an exchange that has just been judged.
func (l *Live) Exchange(x *report.ExchangeInfo) error {
	l.to.line(line[exchangeObject]{Type: "exchange", Live: true, Object: l.encoder().exchange(x)})
	return l.to.err
}

// SoFar writes the totals of a report that is not the last.
func (l *Live) SoFar(r *report.Report) error {
	e := encoder{report: r, opts: l.opts}
	l.to.line(line[captureObject]{Type: "capture", Live: true, Object: e.capture()})
	l.to.line(line[summaryObject]{Type: "summary", Live: true, Object: e.summary()})
	return l.to.err
}
