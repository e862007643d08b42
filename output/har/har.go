// Package har writes the exchanges of a report as an HTTP archive, version 1.2, which browsers and
// many other tools show. Its times are those of the ledger, so that their sums hold.
package har

import (
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"tcpwhy/analysis/report"
	"tcpwhy/output/finding"
	"tcpwhy/output/mask"
	"tcpwhy/output/wording"
)

// Options choose what is shown of exchanges.
type Options struct {
	Version   string // of the program
	ShowQuery bool   // print query values, which are otherwise masked
}

// maxEntries are the exchanges of an archive: viewers keep all of it in memory.
const maxEntries = 20_000

// Write writes the archive.
func Write(w io.Writer, r *report.Report, opts Options) error {
	a := archivist{report: r, opts: opts, conns: map[int]*report.ConnInfo{}}
	for i := range r.Conns {
		a.conns[r.Conns[i].ID] = &r.Conns[i]
	}
	a.parts = finding.ByExchange(r)
	err := json.MarshalWrite(w, a.archive(), jsontext.WithIndent(" "), json.Deterministic(true))
	if inner := errors.Unwrap(err); inner != nil { // the library says that it is one of writing
		err = inner
	}
	if err == nil {
		_, err = io.WriteString(w, "\n")
	}
	return err
}

// millis is a duration in milliseconds, exact to the nanosecond.
type millis time.Duration

// MarshalJSONTo writes the number; -1 is what does not apply.
func (m millis) MarshalJSONTo(e *jsontext.Encoder) error {
	return e.WriteValue(wording.AppendMillis(nil, time.Duration(m)))
}

// none is a time that does not apply (HAR 1.2, timings).
const none = millis(-time.Millisecond)

// The objects of HAR 1.2. Names that begin with an underscore are our own.
type (
	archive struct {
		Log logObject `json:"log"`
	}
	logObject struct {
		Version string        `json:"version"`
		Creator creator       `json:"creator"`
		Entries []entry       `json:"entries"`
		Comment string        `json:"comment,omitempty"`
		Summary summaryObject `json:"_tcpwhy"`
	}
	creator struct {
		Name    string `json:"name"`
		Version string `json:"version"`
	}
	summaryObject struct {
		Exchanges    int    `json:"exchanges"`
		Connections  int    `json:"connections"`
		ExchangeTime millis `json:"exchange_ms"`
		Lost         millis `json:"lost_ms"`
	}
	entry struct {
		Started    string        `json:"startedDateTime"`
		Time       millis        `json:"time"`
		Request    request       `json:"request"`
		Response   response      `json:"response"`
		Cache      struct{}      `json:"cache"`
		Timings    timings       `json:"timings"`
		Server     string        `json:"serverIPAddress,omitempty"`
		Connection string        `json:"connection"`
		Own        entryOfTcpwhy `json:"_tcpwhy"`
	}
	request struct {
		Method  string     `json:"method"`
		URL     string     `json:"url"`
		Version string     `json:"httpVersion"`
		Cookies []struct{} `json:"cookies"`
		Headers []struct{} `json:"headers"`
		Query   []struct{} `json:"queryString"`
		Head    int64      `json:"headersSize"`
		Body    int64      `json:"bodySize"`
	}
	response struct {
		Status   int        `json:"status"`
		Text     string     `json:"statusText"`
		Version  string     `json:"httpVersion"`
		Cookies  []struct{} `json:"cookies"`
		Headers  []struct{} `json:"headers"`
		Content  content    `json:"content"`
		Redirect string     `json:"redirectURL"`
		Head     int64      `json:"headersSize"`
		Body     int64      `json:"bodySize"`
	}
	content struct {
		Size int64  `json:"size"`
		Type string `json:"mimeType"`
	}
	timings struct {
		Blocked millis `json:"blocked"`
		DNS     millis `json:"dns"`
		Connect millis `json:"connect"`
		Send    millis `json:"send"`
		Wait    millis `json:"wait"`
		Receive millis `json:"receive"`
		SSL     millis `json:"ssl"`
	}
	entryOfTcpwhy struct {
		Exchange int               `json:"exchange"`
		Stream   uint32            `json:"stream,omitzero"`
		Outcome  string            `json:"outcome"`
		Times    map[string]millis `json:"time_ms"`
		Findings []findingOfEntry  `json:"findings"`
		Frames   []uint64          `json:"frames"`
	}
	findingOfEntry struct {
		ID   string `json:"id"`
		Rule string `json:"rule"`
		Cost millis `json:"cost_ms"`
	}
)

// archivist makes the archive.
type archivist struct {
	report *report.Report
	opts   Options
	conns  map[int]*report.ConnInfo
	parts  map[int][]finding.Part
}

// archive is all of it.
func (a *archivist) archive() *archive {
	r := a.report
	out := &archive{logObject{
		Version: "1.2", Creator: creator{"tcpwhy", a.opts.Version}, Entries: []entry{},
		Summary: summaryObject{
			r.ExchangeCount,
			r.Connections,
			millis(r.ExchangeTime),
			millis(r.Lost),
		},
	}}
	for i := range r.Exchanges {
		x := &r.Exchanges[i]
		if x.Method == "" || x.Request == nil || len(out.Log.Entries) == maxEntries {
			continue
		}
		out.Log.Entries = append(out.Log.Entries, a.entry(x))
	}
	if left := r.ExchangeCount - len(out.Log.Entries); left > 0 {
		out.Log.Comment = wording.Count(left, "exchange is", "exchanges are") +
			" not in it: without a readable request, or not listed"
	}
	return out
}

// entry is one exchange.
func (a *archivist) entry(x *report.ExchangeInfo) entry {
	e := entry{
		Started: a.report.Capture.Start.Add(x.Start).UTC().Format(time.RFC3339Nano),
		Time:    millis(x.Duration), Timings: timingsOf(x), Connection: strconv.Itoa(x.Connection),
		Request: request{
			Method: mask.ASCII(
				x.Method,
			), URL: finding.URL(x, a.conns[x.Connection], a.opts.ShowQuery), Version: mask.ASCII(x.Version),
			Cookies: []struct{}{}, Headers: []struct{}{}, Query: []struct{}{},
			Head: x.Request.HeaderBytes, Body: x.Request.BodyBytes,
		},
		Response: response{
			Status: x.Status, Version: mask.ASCII(x.Version), Cookies: []struct{}{},
			Headers: []struct{}{}, Content: content{Type: "x-unknown"}, Head: -1, Body: -1,
		},
		Own: a.own(x),
	}
	if m := x.Response; m != nil {
		e.Response.Head, e.Response.Body = m.HeaderBytes, m.BodyBytes
		e.Response.Content.Size = m.BodyBytes
	}
	if c := a.conns[x.Connection]; c != nil {
		e.Server = c.Server.Addr().String()
	}
	return e
}

// own is what the format has no place for.
func (a *archivist) own(x *report.ExchangeInfo) entryOfTcpwhy {
	o := entryOfTcpwhy{
		Exchange: x.ID, Stream: x.OnStream.Stream, Outcome: x.Outcome.String(),
		Times: map[string]millis{}, Findings: []findingOfEntry{}, Frames: []uint64{},
	}
	for _, t := range x.Times {
		o.Times[t.Label.String()] = millis(t.Time)
	}
	for _, p := range a.parts[x.ID] {
		o.Findings = append(o.Findings, findingOfEntry{p.ID, p.Finding.Rule, millis(p.Cost)})
	}
	for _, m := range []*report.MessageInfo{x.Request, x.Response} {
		if m != nil {
			o.Frames = append(o.Frames, m.Start.Frame.Number(), m.End.Frame.Number())
		}
	}
	return o
}

// timingsOf are the phases of an exchange. All but ssl, which is part of connect, add up to its
// duration.
func timingsOf(x *report.ExchangeInfo) timings {
	var dns, connect, ssl time.Duration
	for _, t := range x.Times {
		switch t.Label {
		case report.DNS:
			dns += t.Time
		case report.TLSRTT, report.TLSServer, report.TLSClient:
			ssl += t.Time
			connect += t.Time
		case report.TCPHandshake, report.SYNRetx, report.SYNACKRetx, report.ProxyConnect:
			connect += t.Time
		}
	}
	end := x.Start + x.Duration
	asked, sent := within(
		x.Request.Start.Time,
		x.Start,
		end,
	), within(
		x.Request.End.Time,
		x.Start,
		end,
	)
	first := end
	if x.Response != nil {
		first = within(x.Response.Start.Time, asked, end)
	}
	sent = max(asked, min(sent, first))
	// what of the set-up lies beside the request is not told by these phases
	dns = min(dns, asked-x.Start)
	connect = min(connect, asked-x.Start-dns)
	t := timings{
		Blocked: millis(asked - x.Start - dns - connect), DNS: none, Connect: none, SSL: none,
		Send: millis(sent - asked), Wait: millis(first - sent), Receive: millis(end - first),
	}
	if dns > 0 {
		t.DNS = millis(dns)
	}
	if connect > 0 {
		t.Connect = millis(connect)
	}
	if ssl = min(ssl, connect); ssl > 0 {
		t.SSL = millis(ssl)
	}
	return t
}

// within is a moment, no earlier and no later than two others.
func within(t, from, to time.Duration) time.Duration { return max(from, min(t, to)) }
