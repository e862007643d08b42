// Package json writes reports for programs, as one JSON object or as lines, and reads them back.
// They are described by docs/json.md and docs/report.schema.json.
//
// A struct of a part of the report stands beside the functions that make it of the model and the
// model of it. A pointer is null where the value is not known; a list is never null.
package json

import (
	"io"
	"slices"

	"tcpwhy/analysis/report"
	"tcpwhy/output/finding"
)

// schemaVersion changes when a name of the JSON report changes its meaning or goes.
const schemaVersion = 2

// mostIndented is how many entries of its lists a report has at most to be indented: of a large
// one, a third would be spaces.
const mostIndented = 500

// toolName is the program's name in reports.
const toolName = "tcpwhy"

// Options choose what a report for programs shows.
type Options struct {
	Version   string // of the program
	ShowQuery bool   // print query values, which are otherwise masked
	Summary   bool   // lists no finding, connection or exchange
}

// toolObject is what wrote a report.
type toolObject struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// encoder turns a report into what JSON shows of it.
type encoder struct {
	report *report.Report
	opts   Options
}

func (e *encoder) tool() toolObject { return toolObject{toolName, e.opts.Version} }

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
	e := encoder{report: r, opts: opts}
	o := newObjectWriter(w, len(r.Findings)+len(r.Conns)+len(r.Exchanges) <= mostIndented)
	o.member("schema_version", schemaVersion)
	o.member("tool", e.tool())
	o.member("capture", e.capture())
	o.member("summary", e.summary())
	if r.Trace != nil {
		o.member("trace", e.trace(r.Trace))
	}
	ids := finding.IDs(r.Findings)
	list := o.array("stories")
	for i := range r.Stories {
		list.element(e.story(&r.Stories[i], ids))
	}
	list = o.array("findings")
	for i := range r.Findings {
		list.element(e.finding(&r.Findings[i], ids[i]))
	}
	list = o.array("endpoints")
	for i := range r.Endpoints {
		list.element(e.endpoint(&r.Endpoints[i]))
	}
	o.member("over", e.over())
	list = o.array("connections")
	for i := range r.Conns {
		list.element(e.connection(&r.Conns[i]))
	}
	list = o.array("exchanges")
	for i := range r.Exchanges {
		list.element(e.exchange(&r.Exchanges[i]))
	}
	return o.end()
}
