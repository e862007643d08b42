package http2

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
)

const (
	pingRule     = "h2-ping"
	lateCause    = "late"
	tooManyCause = "too-many"
	deafCause    = "unanswered"
)

const (
	// latePing is by how much the answer to a PING must come later than a round trip (reasoning:
	// what a program may take to act on a frame that its host has, as for closes).
	latePing = reactionTime
	// fewPings is how many PINGs none takes for too many.
	fewPings = 4
)

// Ping is the rule about PINGs that are answered late, or are too many.
var Ping = &rule.Detector{Rule: report.Rule{
	Name:  pingRule,
	Title: "PING of HTTP/2",
	Doc: `What happens
A PING asks the other side for an answer at once (RFC 9113 section 6.7): to see whether it is
there, or to measure the path. An answer is made by the program, as an acknowledgment of TCP is by
its host: where only the first is late, the program was doing something else, and all streams
waited. A server may take PINGs that come too often for an attack, and end the connection.

How it is recognised
late: the answer came 50 ms and more later than a round trip, though the host had acknowledged the
PING in time, and its side had sent no data for the last 50 ms and more before: the answer did not
wait behind any. unanswered: the client closed the connection half a second and more after the
server's host had acknowledged a PING in time; nothing but acknowledgments came from the server
meanwhile, so that the path worked, and a request was without its answer. too-many: GOAWAY with ENHANCE_YOUR_CALM that speaks of pings, or on a connection
on which that side had had five PINGs and more and no resets of streams. Silent: answers behind
data, losses, a window that was closed.

How cost is counted
late: none is counted; what requests waited is the server's time. unanswered: from the request to
its repetition on another connection, or until the client closed. too-many: what the streams
waited that the GOAWAY ended, until they were asked again.

When it is wrong
A program that answers PINGs when it pleases, such as one that has a thread of low priority for
it, or never does. A client that closed for another reason, with a PING under way.`,
	Causes: []report.Cause{
		{
			Code:  lateCause,
			Title: "program did not look at its connection",
			Side:  report.SideUnknown,
			Message: "PINGs were answered late, though the host had acknowledged them: the " +
				"program did not look at the connection meanwhile, whatever the stream.",
			Remedies: []report.Remedy{{
				Side: report.SideUnknown,
				Text: "see what holds the program's loop up: work without pause (Node: " +
					"perf_hooks.monitorEventLoopDelay), garbage collection, a lock, too few " +
					"threads or too little processor (cgroup cpu.stat, throttled_usec)",
			}},
		},
		{
			Code:  deafCause,
			Title: "connection given up as a PING had no answer",
			Side:  report.SideServer,
			Message: "The client gave the connection up while a PING was without an answer. The " +
				"server's host had acknowledged it: its program did not look at the connection.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "see what held its event loop, or the thread that reads the " +
						"connection, up: work without pause (Node: " +
						"perf_hooks.monitorEventLoopDelay), garbage collection, a lock, a " +
						"write that blocks, too little processor (cgroup cpu.stat, " +
						"throttled_usec)",
				},
				{
					Side: report.SideClient,
					Text: "wait longer for the answer than such pauses last",
					Settings: []report.Setting{
						{Product: report.Go, Text: "HTTP2Config.PingTimeout; gRPC: " +
							"keepalive.ClientParameters.Timeout"},
						{Product: report.Java, Text: "gRPC keepAliveTimeout"},
						{Product: report.DotNet, Text: "KeepAlivePingTimeout"},
						{Product: report.Envoy, Text: "connection_keepalive timeout"},
					},
				},
			},
		},
		{
			Code:  tooManyCause,
			Title: "connection ended for too many PINGs",
			Side:  report.SideClient,
			Message: "One side ended the connection as the other sent PINGs more often than it " +
				"allows.",
			Remedies: []report.Remedy{
				{
					Side: report.SideClient,
					Text: "send keepalives more rarely than the server's least interval, and " +
						"none without a request under way (gRPC: " +
						"keepalive.ClientParameters.Time of five minutes and more, " +
						"PermitWithoutStream false)",
					Settings: []report.Setting{
						{Product: report.Go, Text: "HTTP2Config.SendPingTimeout"},
						{Product: report.Java, Text: "gRPC keepAliveTime"},
						{Product: report.DotNet, Text: "KeepAlivePingDelay"},
						{Product: report.OkHTTP, Text: "pingInterval"},
						{Product: report.Envoy, Text: "connection_keepalive interval"},
					},
				},
				{
					Side: report.SideServer,
					Text: "allow what its clients need (gRPC: keepalive.EnforcementPolicy MinTime)",
					Settings: []report.Setting{
						{Product: report.Envoy, Text: "max_inbound_priority_frames_per_stream " +
							"and its like"},
					},
				},
			},
		},
	},
	References: []string{"RFC 9113 section 6.7", "RFC 9113 section 10.5"},
},
	Rests:      rule.Content | rule.Messages | rule.Timing,
	Beside:     true,
	When:       rule.Streams,
	Exchange:   runPing,
	Closed:     endPings,
	Vocabulary: words,
}

// tooManyPings reports whether a GOAWAY ended a connection for its PINGs.
func tooManyPings(h *exchange.H2Conn, g *exchange.GoAway) bool {
	s := &h.Sides[g.By.Peer()]
	return g.Code == exchange.EnhanceYourCalm &&
		(saysPings(g) || g.Text == "" && s.Pings > fewPings && s.Resets == 0)
}

// saysPings reports whether a GOAWAY speaks of pings.
func saysPings(g *exchange.GoAway) bool {
	return g.Text == "too many pings" || g.Text == "ping flood" || g.Text == "too many ping"
}

// endPings claims what a GOAWAY for PINGs ended, and a connection that a client gave up as its PING
// had no answer.
func endPings(p *rule.Pass) {
	runGoAwayError(p, tooManyPings, pingRule, tooManyCause)
	d, deaf := ledger.GivenUpDeaf(p.Conn)
	x := p.State.Ending.Failed
	if !deaf || x == nil || x.Request == nil || x.Stream == 0 || ledger.WentWrong(p.Conn) != nil {
		return
	}
	cl := failureClaim(p, x, d.Left.Time)
	cl.Rule, cl.Cause, cl.Index = pingRule, deafCause, x.Index
	cl.Correctness, cl.Confidence = false, report.ConfidenceMedium
	if d.Answers {
		cl.Confidence = report.ConfidenceHigh
	}
	cl.Others = max(0, p.State.Ending.Unanswered-1)
	cl.Occ.Proof = []rule.Evidence{
		rule.Shows(x.Start(), report.SideClient, asksOnStream, int64(x.Stream)),
		rule.Shows(d.Ping.Asked, report.SideClient, asksPing),
		rule.Shows(d.Acked, report.SideServer, hasPing),
		rule.Shows(d.Left, report.SideClient, givesDeafUp, rule.Ns(d.Silent)),
	}
	p.Report(cl)
}

// runPing claims what a GOAWAY for PINGs left out, and answers to PINGs that came late.
func runPing(p *rule.Pass) {
	runGoAwayLost(p, tooManyPings, pingRule, tooManyCause)
	if p.Conn.HTTP2 == nil {
		return
	}
	seen := pingsSeen.Of(p)
	trips, n := p.Conn.HTTP2.Trips.Since(seen.count)
	seen.count = n
	for i := range trips {
		t := &trips[i]
		if t.Answered.Frame != seen.answer && isLate(p, t) {
			seen.answer = t.Answered.Frame
			p.Report(lateClaim(t))
		}
	}
}

// seenPings are those of a connection that have been looked at: those that one segment answers
// together are one occurrence, the first one the longest.
type seenPings struct {
	count  int
	answer capture.FrameID
}

var pingsSeen rule.StateKey[seenPings]

// isLate reports whether the answer to a PING was late, and nothing but the program can have held
// it up.
func isLate(p *rule.Pass, t *exchange.PingTrip) bool {
	from := t.By.Peer()
	arrived := t.Asked.Time + p.Conn.Far(from)
	if t.Answered.Time-arrived < latePing || p.Draft.Times[report.ZeroWindow] > 0 {
		return false
	}
	acked, last := time.Duration(0), arrived
	for r := range ledger.Segments(p.Conn, t.Asked.Time, t.Answered.Time) {
		switch {
		case r.Kind.Retransmitted():
			return false
		case r.Dir != from:
		case acked == 0 && r.Flags&capture.ACK != 0 && r.Ack >= t.End:
			acked = r.Time
		}
		if r.Dir == from && r.Len > 0 && t.Answered.Time-r.Time >= latePing/2 {
			last = r.Time
		}
	}
	return acked > 0 && acked-arrived <= ledger.AckedAtOnce && t.Answered.Time-last >= latePing
}

// lateClaim is the claim that an answer was late.
func lateClaim(t *exchange.PingTrip) rule.Claim {
	return rule.Claim{
		Rule: pingRule, Cause: lateCause, Side: rule.SideOf(t.By.Peer()),
		Confidence: report.ConfidenceMedium, Most: rule.AtMost(report.Info),
		Occ: rule.Occurrence{
			Start: t.Asked.Time,
			End:   t.Answered.Time,
			Proof: []rule.Evidence{
				rule.Shows(t.Asked, rule.SideOf(t.By), asksPing),
				rule.Shows(t.Answered, rule.SideOf(t.By.Peer()), answersPing, rule.Ns(t.Took())),
			},
		},
	}
}

// errorElse is any GOAWAY with an error but those that have a rule of their own.
func errorElse(h *exchange.H2Conn, g *exchange.GoAway) bool { return !tooManyPings(h, g) }
