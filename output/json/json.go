// Package json writes reports for programs, as one JSON object or as lines, and reads them back.
// They are described by docs/json.md and docs/report.schema.json.
//
// A struct of a part of the report stands beside the functions that make it of the model and the
// model of it. A pointer is null where the value is not known; a list is never null. What writes
// the structs is generated of their tags; what reads them goes by the tags.
package json

import (
	"io"
	"slices"

	"tcpwhy/analysis/report"
	"tcpwhy/output/finding"
)

// mostIndented is how many entries of its lists a report has at most to be indented: of a large
// one, a third would be spaces.
const mostIndented = 500

// listed is the report with what is to be listed of it.
func (o *Options) listed(r *report.Report) *report.Report {
	if !o.Summary {
		return r
	}
	short := *r
	short.Findings, short.Conns, short.Exchanges = nil, nil, nil
	short.Stories = slices.Clone(r.Stories)
	for i := range short.Stories {
		short.Stories[i].Findings = nil
	}
	return &short
}

// Write writes the report as one JSON object.
func Write(w io.Writer, r *report.Report, opts Options) error {
	r = opts.listed(r)
	e := encoder{report: r, opts: opts, ids: finding.IDs(r.Findings)}
	entries := len(r.Findings) + len(r.Conns) + len(r.Exchanges)
	o := newObjectWriter(w, entries <= mostIndented, opts)
	o.member("capture", e.capture())
	o.member("summary", e.summary())
	if r.Trace != nil {
		o.member("trace", e.trace(r.Trace))
	}
	o.array("stories", len(r.Stories), e.storyAt)
	o.array("findings", len(r.Findings), e.findingAt)
	o.array("endpoints", len(r.Endpoints), e.endpointAt)
	o.member("over", e.over())
	o.array("connections", len(r.Conns), e.connectionAt)
	o.array("exchanges", len(r.Exchanges), e.exchangeAt)
	return o.end()
}

// storyAt appends the story of that place in the report.
func (e *encoder) storyAt(b []byte, i int) []byte {
	o := e.story(&e.report.Stories[i], e.ids)
	return o.appendTo(b)
}

// findingAt appends the finding of that place in the report.
func (e *encoder) findingAt(b []byte, i int) []byte {
	o := e.finding(&e.report.Findings[i], e.ids[i])
	return o.appendTo(b)
}

// endpointAt appends the endpoint of that place in the report.
func (e *encoder) endpointAt(b []byte, i int) []byte {
	o := e.endpoint(&e.report.Endpoints[i])
	return o.appendTo(b)
}

// connectionAt appends the connection of that place in the report.
func (e *encoder) connectionAt(b []byte, i int) []byte {
	o := e.connection(&e.report.Conns[i])
	return o.appendTo(b)
}

// exchangeAt appends the exchange of that place in the report.
func (e *encoder) exchangeAt(b []byte, i int) []byte {
	o := e.exchange(&e.report.Exchanges[i])
	return o.appendTo(b)
}
