package smallwrite

import (
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// Cork is the rule about programs that hold the end of a message back themselves.
var Cork = &rule.Detector{Rule: report.Rule{
	Name:  "cork",
	Title: "corked end of a message",
	Doc: `What happens
TCP_CORK (TCP_NOPUSH) and MSG_MORE tell the kernel that more is to come: it sends full segments and
keeps the rest. If the program forgets to take the cork out at the end of a message, the rest waits
for a timer. On Linux that is the timer that probes windows, so the wait is as long as a
retransmission timeout, 200 ms above the round trip, not a constant.

How it is recognised
A segment smaller than the MSS follows a full one of the same message. Nothing was on its way, no
segment of the peer released it, no window held it, and it came as late as that timer, counted from
the last acknowledgment. Only where it happened at least twice on the connection, and with 60 % of
all ends of messages there. A message that is held as a whole cannot be told from a server that
takes that long; it counts as the server's time.

How cost is counted
The wait. Low supposes that the program itself took half of it. The first on a connection counts in
high alone: only the second shows what held it.

When it is wrong
A program that pauses as long as the timer, each time after exactly full segments.`,
	Causes: []report.Cause{{Code: "", Side: report.SideServer,
		Message: "The kernel kept the end of a message back because the program " +
			"had asked it to wait for more, until a timer ended the wait.",
		Remedies: []report.Remedy{
			{
				Side: report.SideServer,
				Text: "take the cork out at the end of each message: setsockopt " +
					"TCP_CORK 0 (TCP_NOPUSH on BSD, then TCP_NODELAY), no MSG_MORE " +
					"on the last write; nginx: keep tcp_nodelay on with tcp_nopush on",
			},
		}}},
	References: []string{"tcp(7), TCP_CORK", "net/ipv4/tcp_output.c, tcp_check_probe_timer"},
},
	Rests:      rule.Timing,
	Beside:     true,
	When:       rule.Held,
	Exchange:   runCork,
	Vocabulary: words,
}

// runCork claims corked ends; the walk has seen that there are several.
func runCork(p *rule.Pass) {
	for _, w := range p.Draft.WaitsWith(report.Cork) {
		c := rule.Claim{Rule: "cork", Confidence: report.ConfidenceMedium}
		length, sender := w.Length(), rule.SideOf(w.Dir)
		c.Occ = rule.Occurrence{
			Start: w.From,
			End:   w.To,
			Cost:  report.Cost{Low: length / 2, Expected: length, High: length + w.Earlier},
			Proof: []rule.Evidence{
				rule.Shows(w.Before, sender, beforeTail),
				rule.Shows(w.End, sender, corkedTail, rule.Ns(length)),
			},
		}
		c.Lost = []report.Interval{{From: w.From, To: w.To}}
		p.Report(c)
	}
}
