package grpc

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const (
	deadlineRule = "grpc-deadline"
	lateCause    = "server-late"
	transitCause = "in-transit"
	saidCause    = "server-said"
	shortCause   = "too-short"
)

const (
	// A client that gives up at its deadline does so no later than timerLate behind grpc-timeout
	// (reasoning: timers fire late on busy hosts, and pauses of programs are longer seldom). It
	// does so sooner by what libraries round up when they write grpc-timeout: a part of
	// timeoutRounds, as gRPC's core does (src/core/lib/transport/timeout_encoding.cc); and
	// timerEarly for the rest.
	timerLate     = 50 * time.Millisecond
	timerEarly    = 10 * time.Millisecond
	timeoutRounds = 100
	// leastShare is by which part of the round trip an answer must be too late at the least: the
	// least round trip is not that of each call (reasoning).
	leastShare = 10
)

// okayStatus is that of a call that did what it was asked (google/rpc/code.proto).
const okayStatus = 0

// Deadline is the rule about calls that are not answered within their deadline.
var Deadline = &rule.Detector{Rule: report.Rule{
	Name:  deadlineRule,
	Title: "calls of gRPC that miss their deadline",
	Doc: `What happens
A call of gRPC says how long its client waits (grpc-timeout). When that is over, the client cancels
the call (RST_STREAM, CANCEL), or the server says DEADLINE_EXCEEDED (status 4): whoever asked gets
an error for all the waiting, and the work was done for nobody.

How it is recognised
By a CANCEL of the client, or of the server before the client's has arrived, at the moment at which
grpc-timeout is over, at most 50 ms later, and earlier by no more than 10 ms or the hundredth that
libraries round up; or by status 4 in the trailers. server-late: the server had acknowledged the
whole request, and sent no octet of an answer, or status 4 when the time was over. in-transit: at
least half of the time, by the ledger, went to losses, windows, queues, the path and other streams.
too-short: the least round trip of the connection, with those, is at least half of the time; where
it is longer than the deadline, no server could meet it. Not if most calls of the method that the
same client made with such a deadline, or a shorter one, were answered in time: then what took
longest besides the round trip is the cause, with medium confidence. Next to the server such calls look
answered: they count if the answer cannot have come in time, by the round trip to the client.
server-said: status 4 before the time was over: what the server itself waited for had a deadline of
its own, or its clock began earlier. Silent: a CANCEL at another time, whatever its reason; calls of
which the server had sent a whole message, or the header of its answer, and calls of a method that
sends several messages in one call: a stream that its deadline ends is meant so; clients that took
most of the time themselves to send the request.

How cost is counted
From the first octet of the call until it was given up, without the round trip that an answer takes
at least; at least nothing, as a good answer may take nearly as long. The share of the method's
calls bounds severity, from three on: high at least from a half on, medium at least from a tenth on,
medium at most below a hundredth.

When it is wrong
A call that waits for something to happen, such as a watch whose first message never came, and that
its client renews: of a method that was never answered confidence is medium, and low from 10 s on.
A client that cancels for another reason just when its deadline is over.`,
	Causes: []report.Cause{
		{
			Code:  lateCause,
			Title: "server takes longer than the deadline",
			Side:  report.SideServer,
			Message: "The client gave calls up at their deadline; the server had them, and did " +
				"not answer.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "see what the method waits for; stop when the call's context is done, " +
						"and pass the deadline on to what it calls itself",
				},
				{Side: report.SideClient, Text: setDeadline, Settings: deadlines()},
			},
		},
		{
			Code:  shortCause,
			Title: "deadline leaves the server too little",
			Side:  report.SideClient,
			Message: "Calls missed their deadline, of which the round trip to the server is half and " +
				"more: the network has it, however fast the server is.",
			Remedies: []report.Remedy{
				{
					Side: report.SideClient,
					Text: "give the deadline the round trip on top of what the slowest good answer " +
						"takes, place by place",
					Settings: deadlines(),
				},
				{
					Side: report.SideNetwork,
					Text: "a server that is nearer to this client; a path without detours",
				},
			},
		},
		{
			Code:    transitCause,
			Title:   "deadline passes on the way",
			Side:    report.SideNetwork,
			Message: "Calls met their deadline while the request or the answer was on its way.",
			Remedies: []report.Remedy{
				{
					Side: report.SideNetwork,
					Text: "cure what the other findings about this connection name: losses, " +
						"windows, a queue",
				},
				{
					Side: report.SideClient,
					Text: "ask for less at a time, and give what takes long on the path a longer " +
						"deadline",
					Settings: deadlines(),
				},
			},
		},
		{
			Code:  saidCause,
			Title: "server says that a deadline was missed",
			Side:  report.SideServer,
			Message: "The server answered DEADLINE_EXCEEDED though the call's own deadline was " +
				"not over, or was not given.",
			Remedies: []report.Remedy{{
				Side: report.SideServer,
				Text: "see which of its own calls took too long: it passes their status on; give " +
					"those a deadline that fits into the caller's",
			}},
		},
	},
	References: []string{"gRPC PROTOCOL-HTTP2", "RFC 9113 section 7"},
},
	Beside:   true,
	Rests:    rule.Content,
	When:     rule.Calls,
	Exchange: runDeadline,
	Across: &rule.Comparison{
		Start: func() rule.Across { return &missed{at: map[method]*calls{}} },
		Wants: rule.Wants(rule.ExchangeJudged),
	},
	Vocabulary: words,
}

const setDeadline = "set the deadline to what the slowest good answer takes, method by method"

// deadlines are where clients set them.
func deadlines() []report.Setting {
	return []report.Setting{
		{Product: report.Go, Text: "context.WithTimeout"},
		{Product: report.Java, Text: "stub.withDeadlineAfter"},
		{Product: report.Python, Text: "timeout= of the call"},
		{Product: report.Envoy, Text: "route timeout, max_stream_duration"},
	}
}

// runDeadline looks at whether a call missed its deadline.
func runDeadline(p *rule.Pass) {
	x := p.Exchange
	r := x.RPC
	if r == nil || x.Request == nil || p.Draft == nil {
		return
	}
	cl := rule.Claim{Rule: deadlineRule, Confidence: report.ConfidenceHigh, Referred: true}
	var end rule.Evidence
	switch at, cancelled := cancelledInTime(p, x); {
	case cancelled && (x.Response == nil || answering(r)):
		took := at.Time - x.Request.Start.Time
		end = rule.Shows(at, report.SideClient, cancelsInTime, rule.Ns(took))
		if x.Reset.By == reassembly.FromServer {
			end = rule.Shows(at, report.SideServer, givesUpInTime, rule.Ns(took))
		}
	case x.Response != nil && r.Status == deadlineExceeded &&
		r.Messages[reassembly.FromServer].Count == 0:
		took := x.Response.End.Time - x.Request.Start.Time
		end = rule.Shows(x.Response.End, report.SideServer, saysTooLate, rule.Ns(took))
		if r.Timeout == 0 || took < earliest(r.Timeout) {
			cl.Cause, cl.Confidence = saidCause, report.Proven
		}
	case answeredTooLate(p.Conn, x):
		end = rule.Shows(x.Response.End, report.SideServer, answersInVain,
			rule.Ns(x.Response.End.Time-x.Request.Start.Time+p.Conn.Far(reassembly.FromClient)))
		cl.Confidence = report.ConfidenceMedium
	default:
		return
	}
	if cl.Cause == "" && !blame(p, &cl, end.Mark) {
		return
	}
	// What a good answer takes at least is not lost; how long it would have taken nobody knows.
	lost := max(0, end.Mark.Time-x.Request.Start.Time-p.Conn.RTTMin())
	cl.Occ = rule.Occurrence{
		Start: x.Request.Start.Time, End: end.Mark.Time,
		Cost:  report.Cost{Expected: lost, High: lost},
		Proof: deadlineProof(p.Conn, x, end),
	}
	p.Report(cl)
}

// answeredTooLate reports whether a whole answer cannot have reached the client before the deadline
// of the call: the client's CANCEL is on its way when the answer leaves.
func answeredTooLate(c *reassembly.Conn, x *exchange.Exchange) bool {
	a, far := x.Response, c.Far(reassembly.FromClient)
	if a == nil || !a.Complete || x.RPC.Timeout == 0 || x.RPC.Status != okayStatus ||
		!ledger.ShowsStart(c) {
		return false
	}
	return a.End.Time-x.Request.Start.Time+far > x.RPC.Timeout+max(timerEarly, far/leastShare)
}

// answering reports whether the only message of the server's was still on its way.
func answering(r *exchange.RPC) bool {
	m := &r.Messages[reassembly.FromServer]
	return m.Count == 1 && m.Owed > 0
}

// earliest is the least time after which a timer of that length is over.
func earliest(timeout time.Duration) time.Duration {
	return timeout - max(timerEarly, timeout/timeoutRounds)
}

// cancelledInTime is when one side cancelled a call because its time was over; false if neither
// did, or at another time. The server's time begins when it has the request; that of clients with a
// timeout of their own with the connection that they opened for it.
func cancelledInTime(p *rule.Pass, x *exchange.Exchange) (capture.Mark, bool) {
	r := x.Reset
	if r == nil || r.Code != exchange.Cancel || x.RPC.Timeout == 0 {
		return capture.Mark{}, false
	}
	latest := x.RPC.Timeout + timerLate
	if r.By == reassembly.FromServer {
		latest += p.Conn.RTTMin()
	}
	for _, since := range []time.Duration{x.Request.Start.Time, p.Draft.From} {
		took := r.At.Time - since
		if took >= earliest(x.RPC.Timeout) && took <= latest {
			return r.At, true
		}
	}
	return capture.Mark{}, false
}

// blame finds the cause of a missed deadline by what the time until then was spent on; false if it
// was the client's own, or nothing tells.
func blame(p *rule.Pass, cl *rule.Claim, end capture.Mark) bool {
	x := p.Exchange
	whole := end.Time - x.Request.Start.Time
	own := p.Draft.Sum(atTheServer()...)
	path, trip := p.Draft.Sum(onTheWay()...), p.Conn.RTTMin()
	acked, arrived := arrival(p.Conn, x, end)
	answered := x.Response != nil && x.Response.Complete
	if answered { // what the client waited, not what passed here
		whole += p.Conn.Far(reassembly.FromClient)
	}
	switch {
	case 2*path >= whole:
		cl.Cause = transitCause
		cl.Says = []rule.Said{rule.Say(waysHeldIt, rule.Ns(path), rule.Ns(whole))}
	case 2*(path+trip) >= whole && x.RPC.Timeout > 0 && ledger.ShowsStart(p.Conn):
		cl.Cause = shortCause
		cl.Says = []rule.Said{rule.Say(leavesLittle, rule.Ns(trip), rule.Ns(x.RPC.Timeout))}
	case answered:
		return false
	case arrived && !answering(x.RPC) && 2*(end.Time-acked.Time) >= whole:
		cl.Cause = lateCause
		held := end.Time - acked.Time
		cl.Says = []rule.Said{rule.Say(serverHeldIt, rule.Ns(held))}
		if 2*own < whole { // others were on the connection: what was queued there is not known
			cl.Confidence = report.ConfidenceMedium
		}
	default:
		return false
	}
	return true
}

// arrival is the segment by which the server acknowledged the whole request; false if it was not
// whole, or that came too late.
func arrival(
	c *reassembly.Conn, x *exchange.Exchange, end capture.Mark,
) (capture.Mark, bool) {
	if !x.Request.Complete {
		return capture.Mark{}, false
	}
	return ledger.AckedAt(c, x.Request, end)
}

// onTheWay are the labels of what TCP, the path and the other streams of the connection did.
func onTheWay() []report.Label {
	return []report.Label{
		report.Queue, report.Serialize, report.Paced, report.SlowStart, report.SlowStartIdle,
		report.CongAvoid, report.RecoveryCwnd, report.RWnd, report.ZeroWindow, report.FastRetx,
		report.RTO, report.TLP, report.LostRetx, report.SpuriousRetx, report.NagleRTT,
		report.NagleDelack, report.DelackCwnd, report.Cork,
		report.H2Mux, report.H2Window, report.H2HOL, report.StreamLimit,
	}
}

// atTheServer are the labels of what the server itself did.
func atTheServer() []report.Label {
	return []report.Label{report.Think, report.AppPaced, report.HostStopped}
}

// deadlineProof shows the call, that the server had it, and how it ended.
func deadlineProof(c *reassembly.Conn, x *exchange.Exchange, end rule.Evidence) []rule.Evidence {
	out := []rule.Evidence{
		rule.Shows(x.Request.Start, report.SideClient, callWithDeadline, rule.Ns(x.RPC.Timeout)),
	}
	if x.RPC.Timeout == 0 {
		out[0] = rule.Shows(x.Request.Start, report.SideClient, callBegins)
	}
	acked, arrived := arrival(c, x, end.Mark)
	if arrived && x.Request.End.Frame != x.Request.Start.Frame {
		out = append(out, rule.Shows(x.Request.End, report.SideClient, requestEnds))
	}
	if arrived && acked.Frame != end.Mark.Frame {
		out = append(out, rule.Shows(acked, report.SideServer, serverHasIt))
	}
	return append(out, end)
}
