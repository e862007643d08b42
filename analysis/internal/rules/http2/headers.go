package http2

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

const (
	headersRule = "h2-headers"
	largeCause  = "large"
)

// Headers is the rule about header sections that do not fit into the first flight.
var Headers = &rule.Detector{Rule: report.Rule{
	Name:  headersRule,
	Title: "large header of HTTP/2",
	Doc: `What happens
A new connection sends ten segments, some 14 kB, before it waits for an acknowledgment (RFC 6928).
A request whose header alone is larger takes a round trip more for each doubling. HTTP/2
compresses what was said before on the connection (RFC 7541), but not what is larger than its
table (4,096 octets), nor what a program marks as never to be kept, as some do with cookies.

How it is recognised
The frames of a request's header section, CONTINUATIONs included, are more octets than ten full
segments, on the first request of a connection, and the last of them passed a round trip after the
first, or later, with none of it lost. slow-uplink: on any request, the header was longer than
4,096 octets, which is as much as can be remembered, and the path's rate shows while it passed: by
three segments and more that came one by one, evenly, or by their acknowledgments, the octets having
left together. Silent where that costs less than 20 ms, and where anything was lost.

How cost is counted
From the first octet of the header to its last. Low is whole round trips of that. slow-uplink: what
the octets beyond one segment take at that rate; low is half of that, as some fields have to be said.

When it is wrong
A client that writes its header with pauses of its own.`,
	Causes: []report.Cause{{
		Code:  largeCause,
		Title: "header of HTTP/2 larger than the first flight",
		Side:  report.SideClient,
		Message: "The header of a request was larger than what a new connection may send at " +
			"once, so that it took more rounds.",
		Remedies: []report.Remedy{
			{
				Side: report.SideServer,
				Text: "set fewer and smaller cookies, for the paths that need them; keep state " +
					"at the server; short tokens",
			},
			{
				Side: report.SideClient,
				Text: "keep connections: later requests find a larger window; keep large fields " +
					"out of each request",
			},
			{
				Side: report.SideServer,
				Text: "let what repeats be remembered: a larger table of header fields",
				Settings: []report.Setting{
					{Product: report.Node, Text: "settings.headerTableSize"},
					{Product: report.Go, Text: "HTTP2Config.MaxDecoderHeaderTableSize"},
					{Product: report.HAProxy, Text: "tune.h2.header-table-size"},
					{Product: report.Envoy, Text: "hpack_table_size"},
				},
			},
		},
	}, {
		Code:  slowCause,
		Title: "long headers on a slow way to the server",
		Side:  report.SideClient,
		Message: "Requests had headers so long that the way to the server took a while for them, " +
			"each time.",
		Remedies: []report.Remedy{
			{
				Side: report.SideServer,
				Text: "set fewer and smaller cookies, for the paths that need them; keep state " +
					"at the server; short tokens",
			},
			{
				Side: report.SideClient,
				Text: "keep large fields out of each request; let what is the same in all be " +
					"remembered: not marked as sensitive (never indexed), and within the table",
			},
			{
				Side: report.SideServer,
				Text: "a larger table of header fields, so that what repeats is said once",
				Settings: []report.Setting{
					{Product: report.Node, Text: "settings.headerTableSize"},
					{Product: report.Go, Text: "HTTP2Config.MaxDecoderHeaderTableSize"},
					{Product: report.HAProxy, Text: "tune.h2.header-table-size"},
					{Product: report.Envoy, Text: "hpack_table_size"},
				},
			},
		},
	}},
	References: []string{"RFC 6928 section 2", "RFC 7541 section 4", "RFC 7541 section 7.1.3"},
},
	Rests:  rule.Content | rule.Messages | rule.Timing | rule.Beginning,
	Beside: true,
	When:   rule.Streams,
	Exchange: func(p *rule.Pass) {
		if !runHeaders(p) {
			runSlowHeader(p)
		}
	},
	Vocabulary: words,
}

// roundShare is which part of the least round trip, in percent, tells that the rest of a header
// waited for an acknowledgment (reasoning: as in other rules, the least that was seen is not the
// least that there can be).
const roundShare = 90

// runHeaders claims a header section that took more than one flight.
// It reports whether it did.
func runHeaders(p *rule.Pass) bool {
	x, c := p.Exchange, p.Conn
	m := x.Request
	if x.Index != 0 || x.Stream == 0 || m == nil || !ledger.ShowsStart(c) ||
		!ledger.Seen(m.HeaderEnd) {
		return false
	}
	mss := int64(c.Half[reassembly.FromServer].MSS)
	rtt, took := c.RTTMin(), m.HeaderEnd.Time-m.Start.Time
	if mss == 0 || rtt == 0 || m.HeaderBytes <= ledger.UsualInitial*mss ||
		took < rtt*roundShare/100 || lostWithin(c, m.Start.Time, m.HeaderEnd.Time) {
		return false
	}
	rounds := max(1, int64(took/rtt))
	p.Report(rule.Claim{
		Rule: headersRule, Cause: largeCause, Confidence: report.ConfidenceHigh,
		Lost: []report.Interval{{From: m.Start.Time, To: m.HeaderEnd.Time}},
		Occ: rule.Occurrence{
			Start: m.Start.Time,
			End:   m.HeaderEnd.Time,
			Cost: report.Cost{
				Low: min(
					took,
					time.Duration(rounds)*rtt*roundShare/100,
				), Expected: took, High: took,
			},
			Proof: []rule.Evidence{
				rule.Shows(m.Start, report.SideClient, headerBegins, int64(x.Stream)),
				rule.Shows(
					m.HeaderEnd,
					report.SideClient,
					headerEnds,
					m.HeaderBytes,
					rule.Ns(took),
				),
			},
		},
	})
	return true
}

// lostWithin reports whether the client sent anything again within a time.
func lostWithin(c *reassembly.Conn, from, to time.Duration) bool {
	for r := range ledger.Segments(c, from, to) {
		if r.Dir == reassembly.FromClient && r.Kind.Retransmitted() {
			return true
		}
	}
	return false
}
