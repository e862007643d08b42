package failing

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const (
	timeoutRule     = "client-timeout"
	lateCause       = "answered-later"
	unansweredCause = "unanswered"
	stoppedCause    = "stopped"
)

const (
	// leastTimeout is the shortest wait that counts as one: who goes sooner did not want an answer,
	// as some health checks do not (reasoning: clients' timeouts are set in tenths of a second and
	// longer).
	leastTimeout = 100 * time.Millisecond
	// leastTrips is how many round trips it is at least: the first can bring no answer.
	leastTrips = 2
)

// The numbers of a claim.
const (
	numWait   = iota // from the last octet of the request to the close
	numAnswer        // from there to the response that came too late; 0: none came
	numWhole         // from when the client needed the connection to the close
	numSilent        // from the last octet of the response to the close; 0: there was none
)

// ClientTimeout is the rule about requests that clients give up after the same time.
var ClientTimeout = &rule.Detector{Rule: report.Rule{
	Name:  timeoutRule,
	Title: "client gave up waiting, after the same time again and again",
	Doc: `What happens
A client waits for a response as long as its timeout lets it, then closes the connection. Whoever
asked gets an error. The server is not told: it goes on working, and what it says at last is
answered by a RST (RFC 9293 section 3.10.7.1). A client that tries again makes it do the work
again.

How it is recognised
An HTTP request was whole, the server had acknowledged it, and no octet of a response had come, as
the client knew it, when the client closed by a FIN or RST, 100 ms and two round trips after it had
begun to wait, or later. It began with the request, or with the connection that it opened for it:
counted from one of the two two and more waits between one client and one service are alike, so
that they differ by no more than 5 %, or 50 ms, and these are half of all, or of all to the same
endpoint, at least. Waits that end at the same moment count once: a program that ends gives up all
that it had asked for. One that lasted longer than those by no more than that is a late one: a busy
host ends no wait before its time, but some behind it. People who lose patience leave at no fixed
time: such requests, and a single one, stay with reset-after-data (client-abort). So do polls:
waits of 10 s and more where the same path was mostly answered after a quarter of that time and
more, and more often than it was given up. answered-later: octets of a response came behind the
close, on at least one of those connections; unanswered: on none, as far as the capture goes.
stopped: a response had begun, all that had come of it was acknowledged, the client's window was
open, and nothing more came for half of the wait and more; counted from its last octet, waits may
be alike, too. Silent: a client that shuts its direction as it has asked and reads on, a response
of which octets kept coming, as streams do, or of events, a request that did not arrive, streams,
tunnels, HTTP/2, and requests whose method is not seen (TLS without keys).

How cost is counted
From the first octet of the request until the client left, or until it asked the same again, on a
connection that it opened for it within a second, or at once: so from the first attempt to the one
that had success, if one had. A longer pause, of 5 s at most or three times the one before, belongs
to it if the same had success in the end and was not asked for after that. The share that was given
up of all requests of the client at that service, or of those to that endpoint if it is more,
bounds severity: high at least from a half on, medium at least from a tenth on, medium at most
below a hundredth.

When it is wrong
A load balancer that closes for its own client looks like a client with a timeout, as it is one. Of
requests that a proxy gives up because its own client has left, only that client is told. Two
people may leave after the same time: two waits alone are of medium confidence if their length is a
whole number of half seconds, else low. A poll that is hardly ever answered is given up by design.`,
	Causes: []report.Cause{
		{
			Code:  lateCause,
			Title: "client's timeout is shorter than the server takes",
			Side:  report.SideServer,
			Message: "The client gave requests up after a fixed time, and the server answered " +
				"later.",
			Remedies: []report.Remedy{
				{Side: report.SideServer, Text: hurry, Settings: serverLimits()},
				{Side: report.SideClient, Text: waitLonger, Settings: clientTimeouts()},
			},
		},
		{
			Code:  unansweredCause,
			Title: "requests given up after the same time, unanswered",
			Side:  report.SideServer,
			Message: "The client gave requests up after a fixed time. The server's kernel had them, " +
				"its program did not answer.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "see what the program waits for: workers that are all busy, a lock, a " +
						"database or another server without a timeout; answer 503 or 504 " +
						"sooner than clients give up",
					Settings: serverLimits(),
				},
				{Side: report.SideClient, Text: waitLonger, Settings: clientTimeouts()},
			},
		},
		{
			Code:  stoppedCause,
			Title: "responses stop in the middle, and are given up after the same time",
			Side:  report.SideServer,
			Message: "The client gave requests up after a fixed time, in the middle of their " +
				"responses: the server had begun to answer, and nothing more came.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "see what the program waits for after it has begun to answer: a database " +
						"cursor, a server behind it whose response stops, a worker that hangs; let " +
						"it break the response off sooner than clients do",
					Settings: serverLimits(),
				},
				{Side: report.SideClient, Text: waitLonger, Settings: clientTimeouts()},
			},
		},
	},
	References: []string{
		"RFC 9110 section 9.2.2", "RFC 9110 section 15.6.5", "RFC 9293 section 3.10.7.1",
	},
},
	Rests:  rule.Content | rule.Messages,
	Makes:  rule.TimedOut,
	When:   rule.Unended,
	Closed: runTimeout,
	Across: &rule.Comparison{
		Start: func() rule.Across { return newTimeouts() },
		Wants: timeoutEvents,
	},
	Vocabulary: words,
}

const (
	hurry = "answer sooner, or answer at once (202 with a place to ask) and work on; let no " +
		"part of the work take longer than clients wait, and stop it when they have gone"
	waitLonger = "set the timeout to what the slowest good answer takes, by endpoint; repeat " +
		"only what is idempotent, with growing pauses, or the server does the work again"
)

// serverLimits are the times after which servers, and proxies for them, answer 504 or stop.
func serverLimits() []report.Setting {
	return []report.Setting{
		{Product: report.Nginx, Text: "proxy_read_timeout (60 s unless set)"},
		{Product: report.HAProxy, Text: "timeout server"},
		{Product: report.Envoy, Text: "route timeout (15 s unless set)"},
		{Product: report.Gunicorn, Text: "--timeout (30 s unless set)"},
		{Product: report.Go, Text: "http.TimeoutHandler"},
	}
}

// clientTimeouts are how long clients wait for a response.
func clientTimeouts() []report.Setting {
	return []report.Setting{
		{Product: report.Go, Text: "http.Client.Timeout"},
		{Product: report.Java, Text: "HttpRequest.Builder.timeout"},
		{Product: report.OkHTTP, Text: "readTimeout (10 s unless set) and callTimeout"},
		{Product: report.Python, Text: "requests timeout="},
		{Product: report.Node, Text: "axios timeout, fetch AbortSignal.timeout"},
		{Product: report.Curl, Text: "--max-time"},
		{Product: report.Nginx, Text: "proxy_read_timeout"},
		{Product: report.HAProxy, Text: "timeout server"},
	}
}

// runTimeout looks at whether the client gave the last exchange of the connection up.
func runTimeout(p *rule.Pass) {
	c, x := p.Conn, p.State.Last
	if x == nil || x.Turn || x.Method == "" || x.Method == "CONNECT" || x.Stream != 0 ||
		ledger.OtherHostReset(c, reassembly.FromClient) {
		return
	}
	left, did := leaves(p, x)
	whole := wholeWait(c, x, left.At.Time)
	if !did || !left.Acked || whole < max(leastTimeout, leastTrips*c.RTTMin()) ||
		ledger.FinishUnanswered(&p.State.Connection, x) {
		return
	}
	f := rule.FailureOf(&p.State.Connection, x)
	f.At, f.Took, f.Outcome = left.At.Time, left.At.Time-x.Start().Time, exchange.Aborted
	cl := rule.Claim{
		Rule: timeoutRule, Cause: unansweredCause, Kind: rule.TimedOut, Referred: true,
		Index: x.Index, Failure: f, Confidence: report.ConfidenceHigh,
		Occ: rule.Occurrence{
			Start: x.Start().Time,
			End:   left.At.Time,
			Cost:  report.Cost{Low: f.Took, Expected: f.Took, High: f.Took},
			Proof: timeoutProof(c, x, &left),
		},
	}
	cl.Num[numWait], cl.Num[numWhole] = int64(left.After), int64(whole)
	if ledger.Seen(left.Latest) {
		cl.Cause, cl.Num[numSilent] = stoppedCause, int64(left.At.Time-left.Latest.Time)
		if c.Vantage != reassembly.ServerSide && c.Vantage != reassembly.SameHost {
			cl.Confidence = report.ConfidenceMedium // what the server sent may have been lost
		}
	} else if x.Response != nil {
		cl.Num[numAnswer] = int64(x.Response.Start.Time - x.Request.End.Time)
	}
	p.Report(cl)
}

// leaves is how the client gave x up: before it was answered, or in the middle of a response that
// had stopped.
func leaves(p *rule.Pass, x *exchange.Exchange) (ledger.Leave, bool) {
	if left, did := ledger.Left(&p.State.Connection, x); did {
		return left, true
	}
	left, did := ledger.LeftWithin(&p.State.Connection, x)
	silent := left.At.Time - left.Latest.Time
	return left, did && left.Open && 2*silent >= left.After && silent >= leastTimeout &&
		!x.Response.Facts.Has(exchange.EventStream)
}

// wholeWait is how long the client had waited at a moment: where the request was the first of a
// connection, since it began that, as a timeout of the whole counts (curl --max-time).
func wholeWait(c *reassembly.Conn, x *exchange.Exchange, at time.Duration) time.Duration {
	if x.Index == 0 && len(c.SYNs) > 0 {
		return at - c.SYNs[0].Time
	}
	return at - x.Request.End.Time
}

// timeoutProof shows the request, the close, and what came too late; or where the response stopped.
func timeoutProof(c *reassembly.Conn, x *exchange.Exchange, left *ledger.Leave) []rule.Evidence {
	if ledger.Seen(left.Latest) {
		return stoppedProof(c, x, left)
	}
	up := &c.Half[reassembly.FromClient]
	close := closesInVain
	switch resets := !up.FinSeen || up.RstSeen && up.Rst.Time < up.Fin.Time; {
	case c.TLS != nil && resets: // close_notify stands between the request and the close
		close = resetsAfterNotify
	case c.TLS != nil:
		close = closesAfterNotify
	case resets:
		close = resetsInVain
	}
	out := []rule.Evidence{
		rule.Shows(x.Request.End, report.SideClient, requestEnds),
		rule.Shows(left.At, report.SideClient, close, rule.Ns(left.After)),
	}
	if x.Response != nil {
		out = append(out, rule.Shows(x.Response.Start, report.SideServer, answersTooLate))
		if up.RstSeen && up.Rst.Time > x.Response.Start.Time {
			out = append(out, rule.Shows(up.Rst, report.SideClient, nobodyListens))
		}
	}
	return out
}

// stoppedProof shows the request, the last octets that came of the response, and the close.
func stoppedProof(c *reassembly.Conn, x *exchange.Exchange, left *ledger.Leave) []rule.Evidence {
	up := &c.Half[reassembly.FromClient]
	close := closesStopped
	switch resets := !up.FinSeen || up.RstSeen && up.Rst.Time < up.Fin.Time; {
	case c.TLS != nil && resets:
		close = resetsStoppedTLS
	case c.TLS != nil:
		close = closesStoppedTLS
	case resets:
		close = resetsStopped
	}
	return []rule.Evidence{
		rule.Shows(x.Request.End, report.SideClient, requestEnds),
		rule.Shows(left.Latest, report.SideServer, stopsThere),
		rule.Shows(left.At, report.SideClient, close, rule.Ns(left.At.Time-left.Latest.Time)),
	}
}
