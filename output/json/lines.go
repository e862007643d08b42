package json

import (
	"io"

	"tcpwhy/analysis/report"
	"tcpwhy/output/finding"
)

// WriteLines writes the report as lines of JSON: the objects of Write one by one, each with a
// "type". First comes the capture, then the summary, a trace if there is one, then every story,
// finding and endpoint, what happened over time, every connection and exchange.
func WriteLines(w io.Writer, r *report.Report, opts Options) error {
	r = opts.listed(r)
	e := encoder{report: r, opts: opts, ids: finding.IDs(r.Findings)}
	to := newLineWriter(w)
	to.line(&captureLine{"capture", schemaVersion, opts.tool(), *e.capture()})
	to.typed(lineStart{Type: "summary"}, e.summary())
	if r.Trace != nil {
		to.typed(lineStart{Type: "trace"}, e.trace(r.Trace))
	}
	to.lines("story", len(r.Stories), e.storyAt)
	to.lines("finding", len(r.Findings), e.findingAt)
	to.lines("endpoint", len(r.Endpoints), e.endpointAt)
	to.typed(lineStart{Type: "over"}, e.over())
	to.lines("connection", len(r.Conns), e.connectionAt)
	to.lines("exchange", len(r.Exchanges), e.exchangeAt)
	return to.err
}
