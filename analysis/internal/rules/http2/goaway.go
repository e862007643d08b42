package http2

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const (
	goAwayRule = "h2-goaway"
	lostCause  = "lost"
	errorCause = "error"
)

// reactionTime is what a program may take to act on a frame that its host has (reasoning: as for
// closes).
const reactionTime = 50 * time.Millisecond

// GoAway is the rule about connections of HTTP/2 that one side ends by GOAWAY.
var GoAway = &rule.Detector{Rule: report.Rule{
	Name:  goAwayRule,
	Title: "connection of HTTP/2 ended by GOAWAY",
	Doc: `What happens
A side that wants no more streams on a connection says GOAWAY, with a code and the number of the
highest stream that it has processed or may process (RFC 9113 section 6.8). Streams above it were
never looked at: who asked has to ask again, on another connection. A server that shuts down in
two steps names the highest number there is, waits a round trip, and then names the real one, so
that no request is lost on its way; many name the real one at once.

How it is recognised
lost: the server said GOAWAY with NO_ERROR, and a request on a stream above the number that it
named was on its way, or came later, and has no response. The client is to blame if the request
left 50 ms and more after it could know of the GOAWAY. error: a side said GOAWAY with another
code. Streams that had no whole response by then belong to it. churn: a request waited for the
set-up of a new connection, as the server had ended the one before, less than 60 s ago, with
NO_ERROR: each that it ended excuses one. It is a limit of requests if three connections and more
ended with the same number of them, and most did. Silent: GOAWAY with nothing under way, and the
client's own at its end.

How cost is counted
What the client waited: from the request to its repetition on another connection, else until it has
the GOAWAY. What was repeated has cost that time, and has not failed. The repetition is the same
request within three seconds, unless the client asks for that at a pace of its own; then what left
first on a connection that it opened as soon as it knew of the GOAWAY. churn: the set-up that the
request waited for, and the slow start that the window of the older connection would have saved; low
is a round trip less.

When it is wrong
A code says what the side that sent it believed. A repetition that was none, but the next request
for the same.`,
	Causes: []report.Cause{
		{
			Code:  lostCause,
			Title: "request lost to a GOAWAY",
			Side:  report.SideUnknown,
			Message: "The server said that it takes no more requests on the connection while " +
				"one was on its way.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "end connections in two steps (RFC 9113 section 6.8), and seldom",
					Settings: []report.Setting{
						{
							Product: report.Nginx,
							Text:    "keepalive_requests and keepalive_time higher",
						},
						{
							Product: report.Apache,
							Text:    "MaxKeepAliveRequests and H2MaxWorkerIdleSeconds",
						},
						{Product: report.Envoy, Text: "drain_timeout above the round trip"},
						{Product: report.Go, Text: "Server.Shutdown, not Close"},
					},
				},
				{
					Side: report.SideClient,
					Text: "repeat what GOAWAY left out at once, on a new connection: it was not " +
						"processed (RFC 9113 section 8.7)",
				},
			},
		},
		{
			Code:  churnCause,
			Title: "server ends connections of HTTP/2 early",
			Side:  report.SideServer,
			Message: "The server ended a connection of HTTP/2 by GOAWAY, so that the next " +
				"request needed a new one.",
			Remedies: []report.Remedy{{
				Side: report.SideServer,
				Text: "raise the limit of requests, age or idle time of a connection",
				Settings: []report.Setting{
					{
						Product: report.Nginx,
						Text:    "keepalive_requests (1000), keepalive_time, keepalive_timeout",
					},
					{Product: report.Apache, Text: "MaxKeepAliveRequests, KeepAliveTimeout"},
					{Product: report.HAProxy, Text: "timeout http-keep-alive, timeout client"},
					{Product: report.Envoy, Text: "max_requests_per_connection, idle_timeout"},
					{Product: report.Go, Text: "Server.IdleTimeout (gRPC: MaxConnectionAge)"},
				},
			}},
		},
		{
			Code:  errorCause,
			Title: "connection ended by an error of HTTP/2",
			Side:  report.SideUnknown,
			Message: "One side ended the connection by a GOAWAY with an error: in its eyes the " +
				"other broke the rules of HTTP/2, or it could not go on.",
			Remedies: []report.Remedy{
				{
					Side: report.SideUnknown,
					Text: "look the code up (RFC 9113 section 7) in the log of the side that " +
						"sent it, and update the program that it accuses",
					Settings: []report.Setting{
						{Product: report.Nginx, Text: "error_log with level info"},
						{Product: report.HAProxy, Text: "show errors"},
						{Product: report.Envoy, Text: "http2.rx_messaging_error and its like"},
						{Product: report.Go, Text: "GODEBUG=http2debug=1"},
						{Product: report.Node, Text: "NODE_DEBUG=http2"},
					},
				},
			},
		},
	},
	References: []string{
		"RFC 9113 section 6.8", "RFC 9113 section 7", "RFC 9113 section 8.7",
	},
},
	Rests:      rule.Content | rule.Messages,
	Beside:     true,
	When:       rule.Streams,
	Exchange:   func(p *rule.Pass) { runGoAwayLost(p, errorElse, goAwayRule, errorCause) },
	Closed:     func(p *rule.Pass) { runGoAwayError(p, errorElse, goAwayRule, errorCause) },
	Across:     sessionsCompared,
	Vocabulary: words,
}

// kindOf tells which GOAWAYs a rule is about.
type kindOf func(h *exchange.H2Conn, g *exchange.GoAway) bool

// runGoAwayLost claims a request that a GOAWAY left out, if it is of that kind; with an error it is
// of that cause.
func runGoAwayLost(p *rule.Pass, of kindOf, name, cause string) {
	x := p.Exchange
	g := ledger.LeftOut(p.Conn, x)
	if g == nil || x.Request == nil || x.Response != nil || !of(p.Conn.HTTP2, g) {
		return
	}
	at := max(g.At.Time, x.Start().Time)
	cl := failureClaim(p, x, at)
	cl.Rule, cl.Cause, cl.Side = name, lostCause, report.SideServer
	cl.Repaired = true
	withoutName(&cl, x)
	cl.Says = []rule.Said{rule.Say(neverProcessed)}
	asked := rule.Shows(x.Start(), report.SideClient, crossedGoAway, int64(x.Stream))
	late := x.Start().Time - g.At.Time - p.Conn.Far(reassembly.FromClient)
	if late > reactionTime {
		cl.Side = report.SideClient
		asked = rule.Shows(x.Start(), report.SideClient, saidToGo, int64(x.Stream), rule.Ns(late))
	}
	if g.Code != exchange.NoError {
		cl.Cause, cl.Side = cause, accused(g)
	}
	cl.Occ.Proof = inOrder(
		asked,
		rule.Shows(g.At, rule.SideOf(g.By), goAwayBelow, int64(g.Last)).With(reason(g)),
	)
	p.Report(cl)
}

// runGoAwayError claims the end of a connection by an error, with the first exchange that it ended.
func runGoAwayError(p *rule.Pass, of kindOf, name, cause string) {
	g := ledger.WentWrong(p.Conn)
	if g == nil || !of(p.Conn.HTTP2, g) {
		return
	}
	x := p.State.Ending.Failed
	if x == nil || x.Request == nil || x.Stream == 0 {
		p.Report(rule.Claim{
			Rule: name, Cause: cause, Side: accused(g), Index: -1,
			Confidence: certainty(g), Most: rule.AtMost(report.Low),
			Occ: rule.Occurrence{
				Start: g.At.Time, End: g.At.Time,
				Proof: []rule.Evidence{
					rule.Shows(g.At, rule.SideOf(g.By), goAwayFor).With(reason(g)),
				},
			},
		})
		return
	}
	cl := failureClaim(p, x, max(g.At.Time, x.Start().Time))
	cl.Rule, cl.Cause, cl.Side = name, cause, accused(g)
	cl.Index, cl.Confidence = x.Index, certainty(g)
	cl.Others = max(0, p.State.Ending.Unanswered-1)
	cl.Unsafe = p.State.Ending.Unsafe
	cl.Repaired = x.Response == nil
	cl.Occ.Proof = inOrder(
		rule.Shows(
			x.Start(),
			report.SideClient,
			waitsAtGoAway,
			int64(x.Stream),
		),
		rule.Shows(g.At, rule.SideOf(g.By), goAwayFor).With(reason(g)),
	)
	p.Report(cl)
}

// failureClaim is a claim that a stream failed, which the client knew of when what passed at the
// given moment had reached it.
func failureClaim(p *rule.Pass, x *exchange.Exchange, at time.Duration) rule.Claim {
	f := rule.FailureOf(&p.State.Connection, x)
	start := x.Start().Time
	took := max(0, at-start) + p.Conn.Far(reassembly.FromClient)
	f.At, f.Took = max(at, start), took
	return rule.Claim{
		Confidence:  report.ConfidenceHigh,
		Failure:     f,
		Correctness: true,
		Occ: rule.Occurrence{
			Start: start,
			End:   max(at, start),
			Cost:  report.Cost{Expected: took, High: took},
		},
	}
}

// withoutName limits the claim that a server never processed a request of which the capture does
// not say what it asked for: it may have been repeated, and nobody would know it again.
func withoutName(cl *rule.Claim, x *exchange.Exchange) {
	if x.Target == "" {
		cl.Correctness, cl.Most = false, rule.AtMost(report.Low)
	}
}

// reason is what a GOAWAY says of its reason.
func reason(g *exchange.GoAway) string {
	if g.Text == "" {
		return g.Code.String()
	}
	return g.Code.String() + " (" + g.Text + ")"
}

// inOrder are two frames in the order in which they were captured.
func inOrder(a, b rule.Evidence) []rule.Evidence {
	if b.Mark.Time < a.Mark.Time {
		a, b = b, a
	}
	return []rule.Evidence{a, b}
}

// accused is the side that a GOAWAY with an error lays the fault on.
func accused(g *exchange.GoAway) report.Side {
	switch g.Code {
	case exchange.InternalError, exchange.ConnectError:
		return rule.SideOf(g.By)
	case exchange.InadequateSecurity, exchange.HTTP11Required:
		return report.SideServer
	}
	return rule.SideOf(g.By.Peer())
}

// certainty is how sure it is that the accused side is at fault: of a broken rule only what the
// other side believed is seen.
func certainty(g *exchange.GoAway) report.Confidence {
	if accused(g) == rule.SideOf(g.By) || saysPings(g) {
		return report.ConfidenceHigh
	}
	return report.ConfidenceMedium
}
