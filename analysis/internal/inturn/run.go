// Package inturn is about exchanges that followed each other on one connection, each of
// which waited for the one before: what that cost, and its claim. Which exchanges may be in one
// run is for its rules to say.
package inturn

import (
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const (
	least = 3 // exchanges in a run
	// worth is the least saving worth a note. Ordinary clients ask for one thing after another; it
	// matters when it breaks the flow of thought, at a second (Miller 1968, Nielsen 1993).
	worth = time.Second
	// pause is what a program takes at most between a response and its next request, if it has
	// little else to do; or such a part of the round trip, so that most of what it waits for is
	// that (reasoning). One that does something else takes longer.
	pause      = 5 * time.Millisecond
	pauseParts = 2
)

// LeastRTT is the round trip below which waiting for each is no matter.
const LeastRTT = 5 * time.Millisecond

// Run is exchanges that followed each other, with short pauses. The zero value has none.
type Run struct {
	N                   int
	Number              int // of the first exchange
	First, Second, Last capture.Mark
	Paused              time.Duration // of the client, between the first and the second
}

// Add adds the next exchange.
func (r *Run) Add(x *exchange.Exchange) {
	switch r.N {
	case 0:
		r.First, r.Number = x.Start(), x.Index
	case 1:
		r.Second = x.Start()
	}
	r.N++
	r.Last = x.End()
}

// Next reports whether x, an exchange of c, began without much of a pause when the last of the run
// was over. Where the capture is not at the client, its next request comes later by the way to it
// and back.
func (r *Run) Next(c *reassembly.Conn, x *exchange.Exchange) bool {
	gap := x.Request.Start.Time - r.Last.Time - c.Far(reassembly.FromClient)
	if r.N == 1 {
		r.Paused = max(0, gap)
	}
	return gap <= max(pause, c.RTTMin()/pauseParts)
}

// Claim is that the run could have taken fewer round trips, of the named rule; false if it was too
// short, or took its time otherwise. Some of its exchanges will have depended on a response: half
// of the round trips are expected, none is sure. What it says, and shows, the rule adds.
func (r *Run) Claim(p *rule.Pass, name string) (rule.Claim, bool) {
	rtt := p.Conn.RTTMin()
	all := time.Duration(r.N-1) * rtt
	half, took := all/2, r.Last.Time-r.First.Time
	if r.N < least || half < worth || 2*time.Duration(r.N)*rtt < took {
		return rule.Claim{}, false
	}
	return rule.Claim{
		Rule:       name,
		Confidence: report.ConfidenceLow,
		Most:       rule.AtMost(report.Info),
		Index:      r.Number,
		Others:     r.N - 1, // each of the run is one that it concerns
		Occ: rule.Occurrence{
			Connection: p.Conn.ID,
			Start:      r.First.Time,
			End:        r.Last.Time,
			Cost:       report.Cost{Low: 0, Expected: min(half, took), High: min(all, took)},
		},
	}, true
}
