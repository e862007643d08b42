package http2

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/whatif"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

const headOfLineRule = "h2-head-of-line"

// HeadOfLine is the rule about streams that wait for what TCP lost of another.
var HeadOfLine = &rule.Detector{Rule: report.Rule{
	Name:  headOfLineRule,
	Title: "behind another stream's loss",
	Doc: `What happens
TCP hands octets over in order (RFC 9293 section 3.4). If a segment of one stream of HTTP/2 is
lost, what came behind it waits until it has been sent again, of all other streams, too, though
they lack nothing.

How it is recognised
Octets of a stream had come, and lay behind a hole that held none of its own, until another
segment filled it. In a capture next to the server no hole shows: what was sent again later had
not arrived, and what was sent behind it waited.

How cost is counted
From when its octets came until the hole was filled, for each stream that waited. Expected is
that, but for what the path needed that time for, if it was full: it carried what had been sent
behind the loss. Low is half of it, as a connection for each would have lost segments of its own,
or nothing where the path was full. What the stream whose octets were lost waited, and what the
smaller window made late, is packet-loss's, or retransmission-timeout's. All of them together are
what the exchange would have been over sooner without the loss: connections for each, or HTTP/3,
save this part alone.

When it is wrong
What passed next to the server is taken for arrived if it was not sent again: a copy that the
capture lacks makes it wrong.`,
	Causes: []report.Cause{
		{
			Side: report.SideNetwork,
			Message: "A segment was lost that had octets of another stream: what had come " +
				"for this " +
				"one waited within TCP until it had been sent again.",
			Remedies: []report.Remedy{
				{
					Side: report.SideNetwork,
					Text: "find where segments get lost (see packet-loss)",
				},
				{
					Side: report.SideClient,
					Text: "several connections, so that fewer streams wait for a loss, or " +
						"HTTP/3, " +
						"whose streams do not wait for each other (RFC 9114)",
					Settings: []report.Setting{
						{Product: report.DotNet, Text: "EnableMultipleHttp2Connections"},
					},
				},
				{
					Side: report.SideServer,
					Text: "offer HTTP/3 where segments get lost",
					Settings: []report.Setting{
						{Product: report.Nginx, Text: "listen 443 quic"},
						{Product: report.HAProxy, Text: "bind quic4@:443"},
					},
				},
			},
		},
	},
	References: []string{"RFC 9293 section 3.4", "RFC 9114 section 1.1"},
},
	Rests:      rule.Timing | rule.Messages,
	Beside:     true,
	When:       rule.Streams,
	Exchange:   runHeadOfLine,
	Vocabulary: headOfLineWords,
}

const (
	_ rule.WordsID = iota
	cameBehind
	filledHole
)

var headOfLineWords = []rule.Words{
	cameBehind: {
		Role:  "complete, and kept back",
		Text:  "octets of this stream, behind what is missing",
		Facts: rule.Facts{report.CarriesData},
	},
	filledHole: {
		Role:  "repair",
		Text:  "octets of another stream, {ms} later",
		Facts: rule.Facts{report.CarriesData, report.Told},
	},
}

// nearParts: a capture is next to the client if the round trip to it is less than one of so many
// parts of the whole (reasoning).
const nearParts = 4

// runHeadOfLine claims what an exchange waited for losses of others.
func runHeadOfLine(p *rule.Pass) {
	waits := p.Draft.WaitsWith(report.H2HOL)
	if len(waits) == 0 {
		return
	}
	var cost time.Duration
	for _, w := range waits {
		cost += w.Length()
	}
	late := whatif.LossDelayOf(&p.Draft.Account)
	part := late.Part
	cost = time.Duration(float64(cost) * part)
	if cost <= 0 {
		return
	}
	w := ledger.LongestWait(waits)
	sure, low := report.ConfidenceMedium, cost/2
	switch {
	case part < 1:
		low = 0
	case p.Conn.Far(reassembly.FromClient) < p.Conn.RTTMin()/nearParts:
		sure = report.ConfidenceHigh
	}
	p.Report(rule.Claim{
		Rule: headOfLineRule, Confidence: sure,
		Occ: rule.Occurrence{
			Start: waits[0].From, End: waits[len(waits)-1].To,
			Cost: report.Cost{Low: low, Expected: cost, High: cost},
			Proof: []rule.Evidence{
				rule.Shows(w.Cause, rule.SideOf(w.Dir), cameBehind),
				rule.Shows(w.End, rule.SideOf(w.Dir), filledHole, rule.Ns(w.Length())),
			},
		},
		Lost:  lostTo(waits),
		Clock: byClock(p, &late, waits),
	})
}

// byClock is when the exchange was late by what the waits cost it, by the clock.
func byClock(p *rule.Pass, late *whatif.LossDelay, waits []ledger.Wait) (all []report.Interval) {
	for i := range waits {
		all = append(all, late.OfRepair(&p.Draft.Exchange, &waits[i])...)
	}
	return all
}

// lostTo are the waits as stretches of time.
func lostTo(waits []ledger.Wait) []report.Interval {
	out := make([]report.Interval, len(waits))
	for i, w := range waits {
		out[i] = report.Interval{From: w.From, To: w.To}
	}
	return out
}
