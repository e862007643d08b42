// Package otlp writes the exchanges of a report as spans of OpenTelemetry, in the JSON of its
// protocol (OTLP 1.x), which collectors take in. A request with a traceparent field becomes part of
// the trace that it names: what the kernel and the network did shows beneath the span of the
// program that asked.
package otlp

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"tcpwhy/analysis/report"
	"tcpwhy/output/finding"
	"tcpwhy/output/mask"
	"tcpwhy/output/wording"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// Options choose what is shown of exchanges.
type Options struct {
	Version   string // of the program
	ShowQuery bool   // print query values, which are otherwise masked
}

// mostSpans are those of one line, which is one request to a collector: collectors take a few
// megabytes.
const mostSpans = 1000

// Write writes a line for each thousand exchanges that the report lists.
func Write(w io.Writer, r *report.Report, opts Options) error {
	for line := range Lines(r, opts) {
		if _, err := w.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	return nil
}

// Lines are the requests to a collector, each with a thousand spans at most; one without any if
// there is no exchange.
func Lines(r *report.Report, opts Options) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		t := tracer{report: r, opts: opts, conns: map[int]*report.ConnInfo{}}
		for i := range r.Conns {
			t.conns[r.Conns[i].ID] = &r.Conns[i]
		}
		t.events = eventsOf(r)
		for from := 0; from == 0 || from < len(r.Exchanges); from += mostSpans {
			line, err := json.Marshal(
				t.request(r.Exchanges[from:min(from+mostSpans, len(r.Exchanges))]),
			)
			if err != nil {
				panic(err) // nothing in it can fail: strings are valid and numbers finite
			}
			if !yield(line) {
				return
			}
		}
	}
}

// Rejected is how many spans a collector did not take in of a request that it answered, and why; 0
// if it took all of them (partial success, OTLP 1.x).
func Rejected(reply []byte) (spans int64, why string) {
	var r struct {
		Partial struct {
			Spans int64  `json:"rejectedSpans,string"`
			Why   string `json:"errorMessage"`
		} `json:"partialSuccess"`
	}
	if json.Unmarshal(reply, &r) != nil {
		return 0, "" // it is not JSON: it says nothing that can be read
	}
	return r.Partial.Spans, mask.Visible(r.Partial.Why)
}

// The messages of OTLP (opentelemetry-proto, trace/v1 and common/v1) in its JSON: names in lower
// camel case, identifiers in hex, numbers of 64 bits as strings, enumerations as numbers.
type (
	request struct {
		Resources []resourceSpans `json:"resourceSpans"`
	}
	resourceSpans struct {
		Resource resource     `json:"resource"`
		Scopes   []scopeSpans `json:"scopeSpans"`
	}
	resource struct {
		Attributes []attribute `json:"attributes"`
	}
	scopeSpans struct {
		Scope scope  `json:"scope"`
		Spans []span `json:"spans"`
	}
	scope struct {
		Name    string `json:"name"`
		Version string `json:"version"`
	}
	span struct {
		Trace      string      `json:"traceId"`
		ID         string      `json:"spanId"`
		Parent     string      `json:"parentSpanId,omitempty"`
		Name       string      `json:"name"`
		Kind       int         `json:"kind"`
		Start      string      `json:"startTimeUnixNano"`
		End        string      `json:"endTimeUnixNano"`
		Attributes []attribute `json:"attributes"`
		Events     []event     `json:"events,omitempty"`
		Status     *status     `json:"status,omitempty"`
	}
	event struct {
		Time       string      `json:"timeUnixNano"`
		Name       string      `json:"name"`
		Attributes []attribute `json:"attributes"`
	}
	status struct {
		Code    int    `json:"code"`
		Message string `json:"message,omitempty"`
	}
	attribute struct {
		Key   string `json:"key"`
		Value value  `json:"value"`
	}
	value struct {
		Text   *string  `json:"stringValue,omitempty"`
		Int    string   `json:"intValue,omitempty"`
		Double *float64 `json:"doubleValue,omitempty"`
		Array  *array   `json:"arrayValue,omitempty"`
	}
	array struct {
		Values []value `json:"values"`
	}
)

// The kinds of spans, and the status of one that failed (trace/v1).
const (
	kindServer  = 2
	kindClient  = 3
	statusError = 2
)

// tracer makes spans of exchanges.
type tracer struct {
	report *report.Report
	opts   Options
	conns  map[int]*report.ConnInfo
	events map[int][]*occurrence
}

// occurrence is one of a finding in an exchange.
type occurrence struct {
	*report.Occurrence
	finding *report.Finding
}

// eventsOf are the occurrences that are listed, by exchange.
func eventsOf(r *report.Report) map[int][]*occurrence {
	all := map[int][]*occurrence{}
	for i := range r.Findings {
		f := &r.Findings[i]
		for k := range f.Occurrences {
			if o := &f.Occurrences[k]; o.Exchange >= 0 {
				all[o.Exchange] = append(all[o.Exchange], &occurrence{o, f})
			}
		}
	}
	return all
}

// request is one request to a collector.
func (t *tracer) request(exchanges []report.ExchangeInfo) *request {
	version := mask.Visible(t.opts.Version)
	scoped := scopeSpans{Scope: scope{"tcpwhy", version}, Spans: []span{}}
	for i := range exchanges {
		scoped.Spans = append(scoped.Spans, t.span(&exchanges[i]))
	}
	return &request{[]resourceSpans{{
		Resource: resource{[]attribute{
			text("service.name", "tcpwhy"), text("service.version", version),
			text("telemetry.sdk.name", "tcpwhy"), text("telemetry.sdk.version", version),
		}},
		Scopes: []scopeSpans{scoped},
	}}}
}

// span is one exchange.
func (t *tracer) span(x *report.ExchangeInfo) span {
	c := t.conns[x.Connection]
	s := span{
		ID: t.id(8, x.Connection, x.ID), Name: nameOf(x), Kind: kindClient,
		Start: t.moment(x.Start), End: t.moment(x.Start + x.Duration),
	}
	if c != nil && c.Vantage == reassembly.ServerSide {
		s.Kind = kindServer
	}
	if trail := x.Trail; trail != nil && trail.TraceID != [16]byte{} {
		s.Trace, s.Parent = hex.EncodeToString(
			trail.TraceID[:],
		), hex.EncodeToString(
			trail.ParentID[:],
		)
	} else {
		s.Trace = t.id(16, x.Connection)
	}
	s.Attributes = t.attributes(x, c, s.Kind)
	if kind := errorType(x, s.Kind); kind != "" {
		s.Attributes = append(s.Attributes, text("error.type", kind))
		s.Status = &status{Code: statusError}
	}
	for _, e := range t.events[x.ID] {
		s.Events = append(s.Events, t.event(e))
	}
	return s
}

// id is an identifier of so many octets, made of numbers and the capture's start: the same capture
// has the same ones each time, and two captures do not have the same.
func (t *tracer) id(octets int, numbers ...int) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(t.report.Capture.Start.UnixNano()))
	for _, n := range numbers {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:octets])
}

// moment is a moment of the capture since 1970, in nanoseconds; of a capture without frames 0.
func (t *tracer) moment(at time.Duration) string {
	if t.report.Capture.Start.IsZero() {
		return strconv.FormatInt(int64(at), 10)
	}
	return strconv.FormatInt(t.report.Capture.Start.Add(at).UnixNano(), 10)
}

// nameOf is the method alone, since templates of paths are guessed (semantic conventions for HTTP
// spans 1.x).
func nameOf(x *report.ExchangeInfo) string {
	switch {
	case x.Method != "":
		return mask.ASCII(x.Method)
	case x.Attempt != nil:
		return "connect"
	}
	return "exchange"
}

// attributes are those that the semantic conventions name, and what the ledger says.
func (t *tracer) attributes(x *report.ExchangeInfo, c *report.ConnInfo, kind int) []attribute {
	all := []attribute{
		number("tcpwhy.exchange", int64(x.ID)), number("tcpwhy.connection", int64(x.Connection)),
		text("tcpwhy.outcome", x.Outcome.String()),
	}
	if x.Method != "" {
		all = append(all, text("http.request.method", mask.ASCII(x.Method)))
	}
	if x.Target != "" {
		all = append(all, text("url.full", finding.URL(x, c, t.opts.ShowQuery)))
	}
	if x.Status > 0 {
		all = append(all, number("http.response.status_code", int64(x.Status)))
	}
	if version, ok := strings.CutPrefix(x.Version, "HTTP/"); ok {
		all = append(all, text("network.protocol.name", "http"),
			text("network.protocol.version", mask.ASCII(version)))
	}
	if c != nil {
		all = append(all, peers(x, c, kind)...)
	}
	for _, part := range x.Times {
		all = append(all, millis("tcpwhy.time."+part.Label.String(), part.Time))
	}
	return all
}

// peers are the attributes of who was asked, and by whom.
func peers(x *report.ExchangeInfo, c *report.ConnInfo, kind int) []attribute {
	peer, host := c.Server, mask.Host(x.Host)
	if kind == kindServer {
		peer = c.Client
	}
	if at := strings.LastIndexByte(host, ':'); at > strings.LastIndexByte(host, ']') {
		host = host[:at] // its port is that of the connection
	}
	if host == "" {
		host = c.Server.Addr().String()
	}
	return []attribute{
		text("server.address", host), number("server.port", int64(c.Server.Port())),
		text("network.peer.address", peer.Addr().String()),
		number("network.peer.port", int64(peer.Port())),
	}
}

// errorType is why an exchange failed, as the semantic conventions name it; "" if it did not. A
// server answers as it should where the client asked for what there is not.
func errorType(x *report.ExchangeInfo, kind int) string {
	least := 400
	if kind == kindServer {
		least = 500
	}
	switch meant := x.OnStream.Meant(x.Status); x.Outcome {
	case exchange.Complete, exchange.Upgraded, exchange.Incomplete:
		if meant >= least {
			return strconv.Itoa(meant)
		}
		return ""
	}
	return x.Outcome.String()
}

// event is an occurrence of a finding, at the moment at which it began.
func (t *tracer) event(o *occurrence) event {
	f := o.finding
	e := event{Time: t.moment(o.Start), Name: "tcpwhy.finding", Attributes: []attribute{
		text("tcpwhy.rule", f.Rule), text("tcpwhy.title", mask.Visible(f.Title)),
		text(
			"tcpwhy.severity",
			f.Severity.String(),
		), text("tcpwhy.confidence", f.Confidence.String()),
		text("tcpwhy.side", f.Side.String()), millis("tcpwhy.cost_ms", o.Cost.Expected),
	}}
	if f.Cause != "" {
		e.Attributes = append(e.Attributes, text("tcpwhy.cause", f.Cause))
	}
	frames := array{[]value{}}
	for i := range o.Evidence {
		frames.Values = append(frames.Values, value{
			Int: strconv.FormatUint(o.Evidence[i].Frame.Number(), 10),
		})
	}
	e.Attributes = append(e.Attributes, attribute{"tcpwhy.frames", value{Array: &frames}})
	return e
}

func text(key, s string) attribute {
	s = strings.ReplaceAll(s, wording.NoBreak, " ")
	return attribute{key, value{Text: &s}}
}

func number(key string, n int64) attribute {
	return attribute{key, value{Int: strconv.FormatInt(n, 10)}}
}

// millis is a duration in milliseconds, to the nanosecond.
func millis(key string, d time.Duration) attribute {
	ms := float64(d) / float64(time.Millisecond)
	return attribute{key, value{Double: &ms}}
}
