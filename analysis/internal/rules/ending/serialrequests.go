package ending

import (
	"tcpwhy/analysis/internal/inturn"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// serialTargets caps the targets of a run that are remembered.
const serialTargets = 256

const serialRequestsRule = "serial-requests"

// SerialRequests is the rule about requests that were sent one after the other.
var SerialRequests = &rule.Detector{Rule: report.Rule{
	Name:  serialRequestsRule,
	Title: "requests one after the other, a round trip each",
	Doc: `What happens
A client that asks for the next thing only when it has the one before pays a round trip for each. If
it knew beforehand what it would need, it could ask for all at once.

How it is recognised
Three or more GET or HEAD requests for different things on one connection, each within 5 ms (or
half a round trip) of the response before. The round trip is 5 ms or more and at least half of
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
	When:       rule.Kept,
	Exchange:   runSerial,
	Closed:     endSerial,
	Vocabulary: serialWords,
}

var serialOf rule.StateKey[serialRun]

// serialRun is requests of one connection that followed each other at once.
type serialRun struct {
	inturn.Run
	index   int             // of the latest exchange
	targets map[string]bool // from the second on; the first is opening
	opening string
}

// runSerial extends the run by an exchange, or ends it.
func runSerial(p *rule.Pass) {
	x, r := p.Exchange, serialOf.Of(p)
	if !couldBeParallel(p) {
		r.end(p)
		return
	}
	if r.N > 0 && !r.goesOn(p.Conn, x) {
		r.end(p)
	}
	switch r.N {
	case 0:
		r.opening = x.Target
	case 1:
		r.targets = map[string]bool{}
	}
	r.Add(x)
	r.index = x.Index
	if r.N > 1 && len(r.targets) < serialTargets {
		r.targets[x.Target] = true
	}
}

// couldBeParallel reports whether the exchange of the pass is one that its client could have had at
// the same time as others: a safe request that was answered, over a way that takes time.
func couldBeParallel(p *rule.Pass) bool {
	x := p.Exchange
	safe := x.Method == "GET" || x.Method == "HEAD"
	return safe && !x.Turn && x.Stream == 0 && x.Outcome == exchange.Complete && p.Draft != nil &&
		p.Draft.Ahead == nil && p.Conn.RTTMin() >= inturn.LeastRTT && x.Request != nil &&
		x.Response != nil && x.Response.Framing != exchange.ByClose
}

// goesOn reports whether x is the next exchange of the run: for something else, and at once.
func (r *serialRun) goesOn(c *reassembly.Conn, x *exchange.Exchange) bool {
	return x.Index == r.index+1 && r.Next(c, x) &&
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
	if cl, ok := r.Claim(p, serialRequestsRule); ok {
		n := int64(r.N)
		cl.Says = []rule.Said{rule.Say(roundTripEach, n, rule.Ns(p.Conn.RTTMin()))}
		cl.Occ.Proof = []rule.Evidence{
			rule.Shows(r.First, report.SideClient, runBegins),
			rule.Shows(r.Second, report.SideClient, sentNext, rule.Ns(r.Paused)),
			rule.Shows(r.Last, report.SideServer, runEnds, n),
		}
		p.State.Claims = append(p.State.Claims, cl)
	}
	*r = serialRun{}
}

// What serial-requests says, by number.
const (
	roundTripEach = iota + ownWords
	runBegins
	sentNext
	runEnds
)

// serialWords is the vocabulary of serial-requests.
var serialWords = vocabulary([]rule.Words{
	roundTripEach: {Text: "{n} requests, a round trip of {ms} each."},
	runBegins: {
		Role: "first request", Text: "begins the run",
		Facts: rule.Facts{report.CarriesData},
	},
	sentNext: {
		Role: "second request", Text: "sent {ms} after the response before was complete",
		Facts: rule.Facts{report.CarriesData, report.Told},
	},
	runEnds: {
		Role: "last response", Text: "ends the run of {n}",
		Facts: rule.Facts{report.CarriesData, report.Told},
	},
})
