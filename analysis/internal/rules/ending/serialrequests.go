package ending

import (
	"fmt"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

const (
	serialRTT   = 5 * time.Millisecond // below it, round trips are no matter
	serialLeast = 3                    // requests in a run
	// serialWorth is the least saving worth a note. Ordinary clients ask for one thing after
	// another; it matters when it breaks the flow of thought, at a second (Miller 1968, Nielsen
	// 1993).
	serialWorth  = time.Second
	serialTarget = 256 // targets remembered of a run
)

var SerialRequests = &rule.Detector{
	Name:  "serial-requests",
	Rests: rule.Content,
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
	Exchange:   runSerial,
	Closed:     endSerial,
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
	safe := x.Method == "GET" || x.Method == "HEAD"
	if x.Turn || !safe || x.Outcome != reassembly.Complete || p.Draft == nil ||
		p.Draft.Ahead != nil || p.Conn.RTTMin() < serialRTT || x.Request == nil ||
		x.Response == nil || x.Response.Framing == reassembly.ByClose {
		r.end(p)
		return
	}
	// Where the capture is not at the client, its next request comes later by the way to it and
	// back.
	gap := x.Request.Start.Time - r.last.Time - p.Conn.Far(reassembly.FromClient)
	if r.n > 0 &&
		(x.Index != r.index+1 || gap > max(5*time.Millisecond, p.Conn.RTTMin()/10) || r.opening == x.Target || r.targets[x.Target]) {
		r.end(p)
	}
	if r.n == 0 {
		r.first, r.firstNumber, r.opening = x.Start(), x.Index, x.Target
	}
	if r.n == 1 {
		r.second, r.targets = x.Start(), map[string]bool{}
	}
	r.n++
	r.index, r.last = x.Index, x.End()
	if r.n > 1 && len(r.targets) < serialTarget {
		r.targets[x.Target] = true
	}
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
	took := run.last.Time - run.first.Time
	if run.n < serialLeast || all/2 < serialWorth || 2*time.Duration(run.n)*rtt < took {
		return
	}
	c := rule.Claim{
		Rule:       "serial-requests",
		Confidence: report.ConfidenceLow,
		Most:       rule.AtMost(report.Info),
		Index:      run.firstNumber,
		Text:       fmt.Sprintf("%d requests, a round trip of %s each.", run.n, rule.Millis(rtt)),
		Occ: rule.Occurrence{
			Connection: p.Conn.ID,
			Start:      run.first.Time,
			End:        run.last.Time,
			Cost:       report.Cost{Low: 0, Expected: all / 2, High: min(all, took)},
			Evidence: []report.Evidence{
				rule.At(run.first, "first request", report.SideClient, "begins the run"),
				rule.At(run.second, "second request", report.SideClient,
					"sent as soon as the response before was complete"),
				rule.At(run.last, "last response", report.SideServer,
					fmt.Sprintf("ends the run of %d", run.n)),
			},
		},
	}
	c.Occ.Cost.Expected = min(c.Occ.Cost.Expected, c.Occ.Cost.High)
	p.State.Claims = append(p.State.Claims, c)
}
