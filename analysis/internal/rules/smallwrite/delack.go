package smallwrite

import (
	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// DelayedAck is the rule about a congestion window that is used up while an acknowledgment is late.
var DelayedAck = &rule.Detector{Rule: report.Rule{
	Name:  "delayed-ack",
	Title: "congestion window waiting for a delayed ACK",
	Doc: `What happens
A receiver may wait for a second segment before it acknowledges, up to half a second (RFC 9293
section 3.8.6.3; 40 ms on Linux, 50 to 200 ms elsewhere). If the sender's window is used up, with
one segment or an odd number outstanding, the second never comes, and both wait for the timer.

How it is recognised
The sender went on as soon as an acknowledgment without data could have reached it that covered less
than two full segments and was 8 ms or more later than a prompt one, while the acknowledgments
before it were not late, as they are where a queue delays all. The segment before was full: Nagle's
algorithm, which waits for small ones, has rules of its own. So has the small end of a message
behind a single full segment: no congestion window is that small without a timeout.

How cost is counted
The part of the wait by which the acknowledgment was late. Delayed acknowledgments on which nothing
waited cost nothing.

When it is wrong
A receiver that was busy for as long looks alike.`,
	Causes: []report.Cause{
		{Code: "", Side: report.SideUnknown,
			Message: "The sender had used up its congestion window and " +
				"waited for an acknowledgment that the receiver delayed.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "an initial window of 10 segments or more (RFC 6928; `ip route " +
						"change ... initcwnd 10` on Linux), a larger SO_SNDBUF or none set",
				},
				{
					Side: report.SideClient,
					Text: "acknowledge at once: `ip route change ... " +
						"quickack 1` on Linux, TcpAckFrequency=1 on Windows",
				}}}},
	References: []string{"RFC 9293 section 3.8.6.3", "RFC 1122 section 4.2.3.2", "RFC 6928"},
},
	Rests:      rule.Timing,
	Beside:     true,
	When:       rule.Held,
	Exchange:   runDelayedAck,
	Vocabulary: words,
}

// runDelayedAck claims the waits for a delayed acknowledgment.
func runDelayedAck(p *rule.Pass) {
	if p.Draft.Times[report.Unknown] >= p.State.Timeout() {
		return // a timer may have cut the window, as it does to one segment (RFC 5681 §3.1)
	}
	for _, w := range p.Draft.WaitsWith(report.DelackCwnd) {
		length := w.Length()
		if length < ledger.DelackFloor {
			continue
		}
		sender, receiver := rule.SideOf(w.Dir), rule.SideOf(w.Dir.Peer())
		c := rule.Claim{Rule: "delayed-ack", Confidence: report.ConfidenceMedium}
		c.Occ = rule.Occurrence{
			Start: w.From,
			End:   w.To,
			Cost:  report.Cost{Low: length / 2, Expected: length, High: length},
			Proof: []rule.Evidence{
				rule.Shows(w.Before, sender, lastOfWindow),
				rule.Shows(w.Cause, receiver, lateACK, rule.Ns(length)),
				rule.Shows(w.End, sender, heldByACK),
			},
		}
		c.Lost = []report.Interval{{From: w.From, To: w.To}}
		if p.Conn.MidStream { // as nobody knows its scale, the receive window may have bound
			c.Confidence, c.Most, c.Occ.Cost.Low = report.ConfidenceLow, rule.AtMost(report.Low), 0
		}
		p.Report(c)
	}
}
