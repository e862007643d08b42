package ending

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const pipeliningRule = "pipelining"

// Pipelining is the rule about requests that were sent before earlier ones were answered.
var Pipelining = &rule.Detector{Rule: report.Rule{
	Name:  pipeliningRule,
	Title: "pipelined requests in danger",
	Doc: `What happens
A client may send further requests before the responses to earlier ones have come (RFC 9112 section
9.3.2). Responses come in the order of the requests: a slow one holds up all behind it. When the
connection ends early, the client cannot know which of the unanswered requests were carried out. And
if a server sends one response too many, every later response is taken for the answer to another
request.

How it is recognised
A request whose first octet passed the capture before the last octet of the response before it; a
final response that came before its own request was complete does not count. non-idempotent: the
request before may not be repeated safely. lost-responses: two or more requests, or one behind
another, were unanswered when the server closed. early-close: the same after a response that
announced the close. head-of-line: the wait behind the responses before, by 20 ms or more beyond a
round trip, as far as the server took that time for them. While they only filled the path, another
connection would have shared it with them.
unsolicited-response: a final response, other than 408, and other than an error with which the server
ends an idle connection (that is only noted), while no request was unanswered, on a
connection seen from its start without gaps; what the response acknowledges must have been seen
before it.

How cost is counted
head-of-line: what the server took for the responses before, and no more than the wait less the
round trip that any response needs. Lost requests: from the first of
them to its repetition, if that follows within a second; else until the close. The rest costs
nothing by itself.

When it is wrong
The wait behind another response may be the server's own queue, which another connection would not
have spared.`,
	Causes: []report.Cause{
		{
			Code:  "non-idempotent",
			Title: "request pipelined behind one that may not be repeated",
			Side:  report.SideClient,
			Message: "The client sent a request before it knew the result of one that is not " +
				"idempotent.",
			Remedies: []report.Remedy{
				{
					Side: report.SideClient,
					Text: "wait for the final response to POST and PATCH before sending anything " +
						"else on the connection",
				},
			},
		},
		{
			Code:  "lost-responses",
			Title: "connection ended with pipelined requests unanswered",
			Side:  report.SideServer,
			Message: "The server closed the connection while pipelined requests were unanswered. " +
				"Whether it carried them out, the client cannot know.",
			Remedies: pipeliningRemedies(),
		},
		{
			Code:    "head-of-line",
			Title:   "responses waited behind a slow one",
			Side:    report.SideClient,
			Message: "Pipelined responses were held up by the response before them.",
			Remedies: []report.Remedy{
				{
					Side: report.SideClient,
					Text: "use HTTP/2, or several connections, instead of pipelining",
				},
			},
		},
		{
			Code:  "early-close",
			Title: "server closed with pipelined requests in its buffer",
			Side:  report.SideServer,
			Message: "The server announced the close and closed, with requests that the client " +
				"had already sent unanswered.",
			Remedies: pipeliningRemedies(),
		},
		{
			Code:  "unsolicited-response",
			Title: "response that nobody had asked for",
			Side:  report.SideServer,
			Message: "The server sent a final response although no request was unanswered. A " +
				"client that takes it for the answer to its next request is off by one from " +
				"there on.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "see what answers twice: error handlers that write after the response, " +
						"bodies after HEAD or 304, proxies that forward late upstream responses",
				},
				{
					Side: report.SideClient,
					Text: "close an idle connection on which anything arrives",
				},
			},
		},
	},
	References: []string{
		"RFC 9112 section 9.3.2", "RFC 9110 section 9.2.2", "RFC 9112 section 9.6",
	},
},
	Rests:      rule.Content | rule.Messages,
	When:       rule.Piped | rule.Unended,
	Exchange:   runPipelining,
	Closed:     func(p *rule.Pass) { reportFate(p, pipeliningRule) },
	Vocabulary: pipeliningWords,
}

func pipeliningRemedies() []report.Remedy {
	return []report.Remedy{
		{
			Side: report.SideClient,
			Text: "repeat only idempotent requests by itself, and not pipelined on the new " +
				"connection; use HTTP/2 instead",
		},
		{
			Side: report.SideServer,
			Text: "answer all requests that were read before closing, and close in two steps",
			Settings: []report.Setting{
				{
					Product: report.Nginx,
					Text:    "lingering_close on with keepalive_requests large enough",
				},
				{Product: report.Apache, Text: "MaxKeepAliveRequests large enough"},
			},
		},
	}
}

func runPipelining(p *rule.Pass) {
	if p.Draft == nil || p.Exchange.Turn {
		return
	}
	if p.Exchange.Request == nil {
		reportUnsolicited(p)
		return
	}
	// A response that the capture lacks looks like one that had not come, and a request that was
	// captured late like one that waited for the response before it.
	if pipelinedBehind(&p.Draft.Exchange) && ledger.Whole(p.Conn) && p.Conn.Crossed == 0 {
		reportHazard(p)
		reportHeadOfLine(p)
	}
}

// pipelinedBehind reports whether the request of the exchange was pipelined, and not just sent
// while an early response came in.
func pipelinedBehind(x *ledger.Exchange) bool {
	a := x.Ahead
	if a == nil || a.Request == nil || a.Turn || a.Request.Facts.Has(exchange.HasGap) {
		return false
	}
	return a.Response == nil || a.Response.Start.Time >= a.Request.End.Time
}

// reportHazard reports a request that was sent before the result of one that may not be repeated
// was known.
func reportHazard(p *rule.Pass) {
	a, start := p.Draft.Ahead, p.Exchange.Start()
	if a.Method == "" || ledger.Idempotent(a.Method) ||
		a.Response != nil && ledger.Seen(a.Response.HeaderEnd) &&
			a.Response.HeaderEnd.Time <= start.Time {
		return
	}
	proof := []rule.Evidence{
		rule.Shows(a.Request.Start, report.SideClient, unsafeRequest).With(a.Method),
		rule.Shows(start, report.SideClient, sentBeforeResult),
	}
	if a.Response != nil {
		proof = append(proof, rule.Shows(a.Response.Start, report.SideServer, resultOnlyHere))
	}
	sortByTime(proof)
	p.Report(rule.Claim{
		Rule:       pipeliningRule,
		Cause:      "non-idempotent",
		Confidence: report.Proven,
		Most:       rule.AtMost(report.Low),
		Least:      report.Low,
		Occ: rule.Occurrence{
			Start: a.Request.Start.Time,
			End:   max(start.Time, a.Request.Start.Time),
			Proof: proof,
		},
	})
}

// reportHeadOfLine reports the wait behind the response before.
func reportHeadOfLine(p *rule.Pass) {
	x, a := p.Exchange, p.Draft.Ahead
	wait := p.Draft.Times[report.PipelineHOL]
	if wait < max(rule.Noticeable, p.Conn.RTTMin()) || a.Response == nil || x.Response == nil {
		return
	}
	// Its own round trip it would have needed anyway.
	lost := report.Interval{
		From: p.Draft.Behind.From + p.Conn.Far(reassembly.FromServer),
		To:   p.Draft.Behind.To,
	}
	wait = min(wait, lost.To-lost.From, p.Draft.Thought)
	if wait < rule.Noticeable {
		return
	}
	lost.To = lost.From + wait
	p.Report(rule.Claim{
		Rule:       pipeliningRule,
		Cause:      "head-of-line",
		Confidence: report.ConfidenceHigh,
		Lost:       []report.Interval{lost},
		Occ: rule.Occurrence{
			Start: lost.From,
			End:   lost.To,
			Cost:  report.Cost{Expected: wait, High: wait},
			Proof: []rule.Evidence{
				rule.Shows(x.Start(), report.SideClient, sentMeanwhile),
				rule.Shows(a.Response.End, report.SideServer, slowResponseEnds, rule.Ns(wait)),
				rule.Shows(x.Response.Start, report.SideServer, heldResponse),
			},
		},
	})
}

// reportUnsolicited reports a response without a request.
func reportUnsolicited(p *rule.Pass) {
	c, x := p.Conn, p.Exchange
	if !unasked(c, x) {
		return
	}
	start := x.Response.Start
	var proof []rule.Evidence
	if latest := p.State.Ending.Latest; ledger.Seen(latest) && latest.Time < start.Time {
		proof = append(proof, rule.Shows(latest, report.SideServer, lastAsked))
	}
	proof = append(proof, rule.Shows(start, report.SideServer, unaskedResponse, int64(x.Status)))
	cl := rule.Claim{
		Rule:        pipeliningRule,
		Cause:       "unsolicited-response",
		Confidence:  report.ConfidenceHigh,
		Correctness: true,
		Most:        rule.AtMost(report.High),
		Occ: rule.Occurrence{
			Start: start.Time,
			End:   x.Response.End.Time,
			Proof: proof,
		},
	}
	if idle, ok := saysFarewell(p); ok {
		onlyTime(&cl, report.Info)
		cl.Says = []rule.Said{rule.Say(farewell, rule.Ns(idle))}
	}
	p.Report(cl)
}

// leastError is the least status that says that a request failed (RFC 9110 §15).
const leastError = 400

// saysFarewell reports whether the response in hand, which answers nothing, is the word with which
// a server ends a connection that had been idle: an error, as if for a request that never came, and
// its FIN at once behind it. How long that had been idle comes with it.
func saysFarewell(p *rule.Pass) (time.Duration, bool) {
	c, x := p.Conn, p.Exchange
	down := &c.Half[reassembly.FromServer]
	if x.Status < leastError || !down.FinSeen || c.FirstClose != reassembly.FromServer ||
		down.Fin.Time-x.Response.End.Time > reactionTime || ledger.DataEnd(down) > x.Response.To {
		return 0, false
	}
	for r := range ledger.SegmentsBack(c, 0, x.Response.Start.Time-1) {
		if r.Len > 0 {
			idle := x.Response.Start.Time - r.Time
			return idle, idle >= shortestIdle || rule.SameTimeout(idle, shortestIdle)
		}
	}
	return 0, false
}

// unasked reports whether the response of x, which has no request, surely answers none: the capture
// shows all of the connection.
func unasked(c *reassembly.Conn, x *exchange.Exchange) bool {
	// RFC 9110 §15.5.9: may come unasked before the server closes an idle connection
	const requestTimeout = 408
	if x.Response == nil || x.Status == 0 || x.Status == requestTimeout {
		return false
	}
	return !c.MidStream && !ledger.AcknowledgesUnseen(c, x.Response.Start) && ledger.Whole(c) &&
		len(c.Caveats) == 0 && c.Half[reassembly.FromClient].Bytes > 0
}

// lostPipeline: the server closed while pipelined requests were unanswered.
func (v *verdictOnEnd) lostPipeline() bool {
	closed, reset, ok := closedAt(v.c, reassembly.FromServer)
	if !ok || v.x.Turn || !v.answerless() || !v.e.Pipelined && v.e.Unanswered < 2 {
		return false
	}
	cause, ends := "lost-responses", finEnds
	if ledger.Seen(v.e.Announced.At) && v.e.Announced.By == reassembly.FromServer {
		cause = "early-close"
	}
	if reset {
		ends = resetEnds
	}
	v.be(pipeliningRule, cause, report.ConfidenceHigh)
	v.until(closed.Time)
	v.claim.Others = max(0, v.e.Unanswered-1)
	v.claim.Says = []rule.Said{rule.Say(unansweredCount, int64(v.e.Unanswered))}
	var proof []rule.Evidence
	if ledger.Seen(v.e.Prior) {
		proof = append(proof, rule.Shows(v.e.Prior, report.SideServer, lastAnswered))
	}
	proof = append(proof,
		rule.Shows(v.x.Request.Start, report.SideClient, firstUnanswered),
		rule.Shows(closed, report.SideServer, ends))
	sortByTime(proof)
	v.claim.Occ.Proof = proof
	return true
}

// What pipelining says, by number.
const (
	unsafeRequest = iota + ownWords
	sentBeforeResult
	resultOnlyHere
	sentMeanwhile
	slowResponseEnds
	heldResponse
	farewell
	unaskedResponse
	lastAsked
	unansweredCount
	lastAnswered
	firstUnanswered
	finEnds
	resetEnds
)

// pipeliningWords is the vocabulary of pipelining.
var pipeliningWords = vocabulary([]rule.Words{
	unsafeRequest: {
		Role: "request", Text: "{text}: not idempotent",
		Facts: rule.Facts{report.CarriesData},
	},
	sentBeforeResult: {
		Role:  "pipelined request",
		Text:  "sent before the result was known",
		Facts: rule.Facts{report.CarriesData},
	},
	resultOnlyHere: {
		Role: "response", Text: "the result comes only here",
		Facts: rule.Facts{report.CarriesData},
	},
	sentMeanwhile: {
		Role:  "pipelined request",
		Text:  "sent while another was unanswered",
		Facts: rule.Facts{report.CarriesData},
	},
	slowResponseEnds: {
		Role: "end of the response before", Text: "{s} later",
		Facts: rule.Facts{report.CarriesData, report.Told},
	},
	heldResponse: {
		Role:  "response",
		Text:  "can only come now",
		Facts: rule.Facts{report.CarriesData},
	},
	farewell: {
		Text: "It ends a connection that had been idle for {s}: the server's timer ran out, and " +
			"the server took the end of its wait for a request that is none.",
	},
	unaskedResponse: {
		Role:  "response",
		Text:  "status {id}, and no request is unanswered",
		Facts: rule.Facts{report.CarriesData},
	},
	lastAsked: {
		Role: "last response", Text: "answers the last request",
		Facts: rule.Facts{report.CarriesData},
	},
	unansweredCount: {Text: "{n request} got no response."},
	lastAnswered: {
		Role: "last response", Text: "nothing after it was answered",
		Facts: rule.Facts{report.CarriesData},
	},
	firstUnanswered: {
		Role: "unanswered request", Text: "the first without a response",
		Facts: rule.Facts{report.CarriesData},
	},
	finEnds: {
		Role:  "FIN",
		Text:  "ends the connection",
		Facts: rule.Facts{report.Closes},
	},
	resetEnds: {
		Role:  "RST",
		Text:  "ends the connection",
		Facts: rule.Facts{report.Resets},
	},
})
