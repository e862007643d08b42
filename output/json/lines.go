package json

import (
	"io"

	"tcpwhy/analysis/report"
	"tcpwhy/output/finding"
)

// line is an object of the report on a line of its own: with its type before its members.
type line[T any] struct {
	Type   string `json:"type"`
	Live   bool   `json:"live,omitzero"` // the capture goes on, so this is not the last word
	Object T      `json:",embed"`
}

// captureLine is the first line of a report.
type captureLine struct {
	Type          string        `json:"type"`
	SchemaVersion int           `json:"schema_version"`
	Tool          toolObject    `json:"tool"`
	Capture       captureObject `json:",embed"`
}

// WriteLines writes the report as lines of JSON: the objects of Write one by one, each with a
// "type". First comes the capture, then the summary, a trace if there is one, then every story, finding
// and endpoint, what happened over time, every connection and exchange.
func WriteLines(w io.Writer, r *report.Report, opts Options) error {
	r = opts.listed(r)
	e := encoder{report: r, opts: opts}
	to := newLineWriter(w)
	to.line(captureLine{"capture", schemaVersion, e.tool(), e.capture()})
	to.line(line[summaryObject]{Type: "summary", Object: e.summary()})
	if r.Trace != nil {
		to.line(line[traceObject]{Type: "trace", Object: e.trace(r.Trace)})
	}
	ids := finding.IDs(r.Findings)
	for i := range r.Stories {
		to.line(line[storyObject]{Type: "story", Object: e.story(&r.Stories[i], ids)})
	}
	for i := range r.Findings {
		to.line(line[findingObject]{Type: "finding", Object: e.finding(&r.Findings[i], ids[i])})
	}
	for i := range r.Endpoints {
		to.line(line[endpointObject]{Type: "endpoint", Object: e.endpoint(&r.Endpoints[i])})
	}
	to.line(line[overObject]{Type: "over", Object: e.over()})
	for i := range r.Conns {
		to.line(line[connectionObject]{Type: "connection", Object: e.connection(&r.Conns[i])})
	}
	for i := range r.Exchanges {
		to.line(line[exchangeObject]{Type: "exchange", Object: e.exchange(&r.Exchanges[i])})
	}
	return to.err
}
