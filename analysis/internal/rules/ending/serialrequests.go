package ending

import (
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const (
	serialRTT   = 5 * time.Millisecond // below it, round trips are no matter
	serialLeast = 3                    // requests in a run
	// serialWorth is the least saving worth a note. Ordinary clients ask for one thing after
	// another; it matters when it breaks the flow of thought, at a second (Miller 1968, Nielsen
	// 1993).
	serialWorth = time.Second
	// serialPause is what a program takes at most between a response and its next request, if it
	// has nothing else to do; or such a part of the round trip, by which that may vary (reasoning).
	serialPause      = 5 * time.Millisecond
	serialPauseParts = 10
	serialTargets    = 256 // targets remembered of a run
)

const serialRequestsRule = "serial-requests"

// SerialRequests is the rule about requests that were sent one after the other.
var SerialRequests = &rule.Detector{Rule: report.Rule{
	Name:  serialRequestsRule,
	Title: "requests one after the other, a round trip each",
	Doc: `What happens
A client that asks for the next thing only when it has the one before pays a round trip for each. If
it knew beforehand what it would need, it could ask for all at once.

How it is recognised
Three or more GET or HEAD requests for different things on one connection, each within 5 ms (or a
tenth of the round trip) of the response before. The round trip is 5 ms or more and at least half of
the time, and half of what it costs is a second or more.

How cost is counted
A round trip for each request but the first: at most all of it, if no request depended on a
response; at least nothing, if all did. Expected is half.

When it is wrong
Whether a request depends on the response before does not show. So this is a hint, never more than
info.`,
	Causes: []report.Cause{
		{
			Side: report.SideClient,
			Message: "The client sends requests for different things one after the other, and " +
				"most of the time goes into round trips.",
			Remedies: []report.Remedy{
				{
					Side: report.SideClient,
					Text: "ask for what is known to be needed at the same time: HTTP/2, or " +
						"several connections (Promise.all, goroutines, asyncio.gather, curl " +
						"--parallel); not pipelining",
				},
				{
					Side: report.SideServer,
					Text: "offer requests for several things at once, rel=preload links, HTTP/2",
				},
			},
		},
	},
	References: []string{"RFC 9113 section 5", "RFC 9112 section 9.4"},
},
	Rests:      rule.Content | rule.Messages,
	Exchange:   runSerial,
	Closed:     endSerial,
	Vocabulary: serialWords,
}

var serialOf rule.StateKey[serialRun]

// serialRun is requests of one connection that followed each other at once.
type serialRun struct {
	n           int
	index       int // of the latest exchange
	first       capture.Mark
	second      capture.Mark
	last        capture.Mark
	targets     map[string]bool // from the second on; the first is opening
	opening     string
	firstNumber int
}

// runSerial extends the run by an exchange, or ends it.
func runSerial(p *rule.Pass) {
	x, r := p.Exchange, serialOf.Of(p)
	if !couldBeParallel(p) {
		r.end(p)
		return
	}
	if r.n > 0 && !r.goesOn(p.Conn, x) {
		r.end(p)
	}
	switch r.n {
	case 0:
		r.first, r.firstNumber, r.opening = x.Start(), x.Index, x.Target
	case 1:
		r.second, r.targets = x.Start(), map[string]bool{}
	}
	r.n++
	r.index, r.last = x.Index, x.End()
	if r.n > 1 && len(r.targets) < serialTargets {
		r.targets[x.Target] = true
	}
}

// couldBeParallel reports whether the exchange of the pass is one that its client could have had at
// the same time as others: a safe request that was answered, over a way that takes time.
func couldBeParallel(p *rule.Pass) bool {
	x := p.Exchange
	safe := x.Method == "GET" || x.Method == "HEAD"
	return safe && !x.Turn && x.Stream == 0 && x.Outcome == exchange.Complete && p.Draft != nil &&
		p.Draft.Ahead == nil && p.Conn.RTTMin() >= serialRTT && x.Request != nil &&
		x.Response != nil && x.Response.Framing != exchange.ByClose
}

// goesOn reports whether x is the next exchange of the run: for something else, and at once.
func (r *serialRun) goesOn(c *reassembly.Conn, x *exchange.Exchange) bool {
	// Where the capture is not at the client, its next request comes later by the way to it and
	// back.
	gap := x.Request.Start.Time - r.last.Time - c.Far(reassembly.FromClient)
	return x.Index == r.index+1 && gap <= max(serialPause, c.RTTMin()/serialPauseParts) &&
		r.opening != x.Target && !r.targets[x.Target]
}

// endSerial ends the run of a connection that is over.
func endSerial(p *rule.Pass) {
	if r := serialOf.Has(p); r != nil {
		r.end(p)
	}
}

// end reports the run, if it was long enough, and forgets it.
func (r *serialRun) end(p *rule.Pass) {
	run := *r
	*r = serialRun{}
	rtt := p.Conn.RTTMin()
	all := time.Duration(run.n-1) * rtt
	half := all / 2 // some of the requests will have depended on a response
	took := run.last.Time - run.first.Time
	if run.n < serialLeast || half < serialWorth || 2*time.Duration(run.n)*rtt < took {
		return
	}
	p.State.Claims = append(p.State.Claims, rule.Claim{
		Rule:       serialRequestsRule,
		Confidence: report.ConfidenceLow,
		Most:       rule.AtMost(report.Info),
		Index:      run.firstNumber,
		Says:       []rule.Said{rule.Say(roundTripEach, int64(run.n), rule.Ns(rtt))},
		Occ: rule.Occurrence{
			Connection: p.Conn.ID,
			Start:      run.first.Time,
			End:        run.last.Time,
			Cost:       report.Cost{Low: 0, Expected: min(half, took), High: min(all, took)},
			Proof: []rule.Evidence{
				rule.Shows(run.first, report.SideClient, runBegins),
				rule.Shows(run.second, report.SideClient, sentAtOnce),
				rule.Shows(run.last, report.SideServer, runEnds, int64(run.n)),
			},
		},
	})
}

// What serial-requests says, by number.
const (
	roundTripEach = iota + ownWords
	runBegins
	sentAtOnce
	runEnds
)

// serialWords is the vocabulary of serial-requests.
var serialWords = vocabulary([]rule.Words{
	roundTripEach: {Text: "{n} requests, a round trip of {ms} each."},
	runBegins: {
		Role: "first request", Text: "begins the run",
		Facts: rule.Facts{report.CarriesData},
	},
	sentAtOnce: {
		Role: "second request", Text: "sent as soon as the response before was complete",
		Facts: rule.Facts{report.CarriesData},
	},
	runEnds: {
		Role: "last response", Text: "ends the run of {n}",
		Facts: rule.Facts{report.CarriesData, report.Told},
	},
})
