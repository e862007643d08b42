package grpc

import (
	"maps"
	"slices"

	"tcpwhy/analysis/internal/inturn"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const (
	chattyRule = "grpc-chatty"
	// chattyMessage is the largest message of a small call, in octets (reasoning: what is larger
	// costs the path time, too).
	chattyMessage = 1024
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
either direction, each within 5 ms (or half a round trip) of the end of the one before,
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
	When:       rule.Calls,
	Exchange:   runChatty,
	Closed:     endChatty,
	Vocabulary: words,
}

var chatOf rule.StateKey[chat]

// chat is the runs of one connection, by service: a run of one goes on while calls of others come.
type chat struct{ runs map[string]*inturn.Run }

// maxServices caps the services of a connection that are followed.
const maxServices = 64

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
			c.runs = map[string]*inturn.Run{}
		}
		if len(c.runs) >= maxServices {
			return
		}
		r = &inturn.Run{}
		c.runs[x.RPC.Service] = r
	}
	small := isSmall(p)
	// a call that began before the answer to the last did not wait for it
	if r.N > 0 && !(small && x.Request.Start.Time >= r.Last.Time && r.Next(p.Conn, x)) {
		endCalls(p, r)
	}
	if small {
		r.Add(x)
	}
}

// isSmall reports whether the call of the pass is a small question with a small answer, over a way
// that takes time.
func isSmall(p *rule.Pass) bool {
	x := p.Exchange
	said := &x.RPC.Messages
	asked, answered := &said[reassembly.FromClient], &said[reassembly.FromServer]
	return x.Outcome == exchange.Complete && x.RPC.Status == 0 && p.Draft != nil &&
		p.Conn.RTTMin() >= inturn.LeastRTT && x.Request != nil && x.Response != nil &&
		asked.Count == 1 && answered.Count == 1 &&
		max(asked.Largest, answered.Largest) <= chattyMessage
}

// endChatty ends the runs of a connection that is over.
func endChatty(p *rule.Pass) {
	c := chatOf.Has(p)
	if c == nil {
		return
	}
	for _, service := range slices.Sorted(maps.Keys(c.runs)) {
		endCalls(p, c.runs[service])
	}
}

// endCalls reports the run, if it was long enough, and forgets it.
func endCalls(p *rule.Pass, r *inturn.Run) {
	if cl, ok := r.Claim(p, chattyRule); ok {
		n := int64(r.N)
		cl.Says = []rule.Said{rule.Say(tripEach, n, rule.Ns(p.Conn.RTTMin()))}
		cl.Occ.Proof = []rule.Evidence{
			rule.Shows(r.First, report.SideClient, runBegins),
			rule.Shows(r.Second, report.SideClient, calledNext, rule.Ns(r.Paused)),
			rule.Shows(r.Last, report.SideServer, runEnds, n),
		}
		p.State.Claims = append(p.State.Claims, cl)
	}
	*r = inturn.Run{}
}
