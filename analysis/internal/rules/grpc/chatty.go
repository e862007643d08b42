package grpc

import (
	"maps"
	"slices"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const (
	chattyRule = "grpc-chatty"
	// chattyMessage is the largest message of a small call, in octets (reasoning: what is larger
	// costs the path time, too).
	chattyMessage = 1024
	// The rest is as for serial-requests: below chattyRTT round trips are no matter; a run has
	// chattyLeast calls, and half of what it costs interrupts whoever waits (Miller 1968, Nielsen
	// 1993). Between an answer and the next call a program takes chattyPause at most, or such a
	// part of the round trip, by which that may vary.
	chattyRTT        = 5 * time.Millisecond
	chattyLeast      = 3
	chattyWorth      = time.Second
	chattyPause      = 5 * time.Millisecond
	chattyPauseParts = 10
)

// Chatty is the rule about small calls that were made one after the other.
var Chatty = &rule.Detector{Rule: report.Rule{
	Name:  chattyRule,
	Title: "small calls of gRPC one after the other",
	Doc: `What happens
A loop that makes a call for each of many things, and waits for each answer, pays a round trip for
each of them, however small they are and however fast the server is.

How it is recognised
Three or more calls of one service on one connection, each with one message of at most 1 KB in
either direction, each within 5 ms (or a tenth of the round trip) of the end of the one before,
none while another such call of that service was open, all OK. The round trip is 5 ms or more and
at least half of the time, and half of what it costs is a second or more.

How cost is counted
A round trip for each call but the first: at most all of it, if none depended on an answer; at
least nothing, if all did. Expected is half.

When it is wrong
Whether a call depends on the answer before does not show, nor whether the same was asked again. So
this is a hint, never more than info.`,
	Causes: []report.Cause{{
		Side: report.SideClient,
		Message: "The client makes small calls of one service one after the other, and most of " +
			"the time goes into round trips.",
		Remedies: []report.Remedy{
			{
				Side: report.SideClient,
				Text: "make calls that do not depend on each other at the same time (goroutines, " +
					"futures): one connection carries them all",
			},
			{
				Side: report.SideServer,
				Text: "offer a method that takes many things in one message, or a stream of them",
			},
		},
	}},
	References: []string{"gRPC PROTOCOL-HTTP2", "RFC 9113 section 5"},
},
	Beside:     true,
	Rests:      rule.Content | rule.Messages,
	Exchange:   runChatty,
	Closed:     endChatty,
	Vocabulary: words,
}

var chatOf rule.StateKey[chat]

// chat is the runs of one connection, by service: a run of one goes on while calls of others come.
type chat struct{ runs map[string]*callRun }

// maxServices caps the services of a connection that are followed.
const maxServices = 64

// callRun is small calls of one service that followed each other at once.
type callRun struct {
	n                   int
	number              int // of the first exchange
	first, second, last capture.Mark
}

// runChatty extends the run of a call's service, or ends it.
func runChatty(p *rule.Pass) {
	x := p.Exchange
	if x.RPC == nil || x.RPC.Service == "" || x.RPC.Streaming() {
		return
	}
	c := chatOf.Of(p)
	r := c.runs[x.RPC.Service]
	if r == nil {
		if c.runs == nil {
			c.runs = map[string]*callRun{}
		}
		if len(c.runs) >= maxServices {
			return
		}
		r = &callRun{}
		c.runs[x.RPC.Service] = r
	}
	small := isSmall(p)
	if r.n > 0 && (!small || !r.goesOn(p.Conn, x)) {
		r.end(p)
	}
	switch {
	case !small:
		return
	case r.n == 0:
		r.first, r.number = x.Start(), x.Index
	case r.n == 1:
		r.second = x.Start()
	}
	r.n++
	r.last = x.End()
}

// isSmall reports whether the call of the pass is a small question with a small answer, over a way
// that takes time.
func isSmall(p *rule.Pass) bool {
	x := p.Exchange
	said := &x.RPC.Messages
	asked, answered := &said[reassembly.FromClient], &said[reassembly.FromServer]
	return x.Outcome == exchange.Complete && x.RPC.Status == 0 && p.Draft != nil &&
		p.Conn.RTTMin() >= chattyRTT && x.Request != nil && x.Response != nil &&
		asked.Count == 1 && answered.Count == 1 &&
		max(asked.Largest, answered.Largest) <= chattyMessage
}

// goesOn reports whether x is the next call of the run: not before the answer to the last, and at
// once. Where the capture is not at the client, its next call comes later by the way to it and
// back.
func (r *callRun) goesOn(c *reassembly.Conn, x *exchange.Exchange) bool {
	gap := x.Request.Start.Time - r.last.Time - c.Far(reassembly.FromClient)
	return x.Request.Start.Time >= r.last.Time &&
		gap <= max(chattyPause, c.RTTMin()/chattyPauseParts)
}

// endChatty ends the runs of a connection that is over.
func endChatty(p *rule.Pass) {
	c := chatOf.Has(p)
	if c == nil {
		return
	}
	for _, service := range slices.Sorted(maps.Keys(c.runs)) {
		c.runs[service].end(p)
	}
}

// end reports the run, if it was long enough, and forgets it.
func (r *callRun) end(p *rule.Pass) {
	run := *r
	*r = callRun{}
	rtt := p.Conn.RTTMin()
	all := time.Duration(run.n-1) * rtt
	half, took := all/2, run.last.Time-run.first.Time
	if run.n < chattyLeast || half < chattyWorth || 2*time.Duration(run.n)*rtt < took {
		return
	}
	p.State.Claims = append(p.State.Claims, rule.Claim{
		Rule:       chattyRule,
		Confidence: report.ConfidenceLow,
		Most:       rule.AtMost(report.Info),
		Index:      run.number,
		Says:       []rule.Said{rule.Say(tripEach, int64(run.n), rule.Ns(rtt))},
		Occ: rule.Occurrence{
			Connection: p.Conn.ID,
			Start:      run.first.Time,
			End:        run.last.Time,
			Cost:       report.Cost{Low: 0, Expected: min(half, took), High: min(all, took)},
			Proof: []rule.Evidence{
				rule.Shows(run.first, report.SideClient, runBegins),
				rule.Shows(run.second, report.SideClient, calledAtOnce),
				rule.Shows(run.last, report.SideServer, runEnds, int64(run.n)),
			},
		},
	})
}
