package transfer

import (
	"slices"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// doubtBeginning takes certainty from the claim of a wait of which the capture lacks what came
// before, where that may tell another story: a queue of connections that was full, a path that
// takes no segments as large, a peer that is known to acknowledge late.
func doubtBeginning(p *rule.Pass, w *ledger.Wait, c *rule.Claim) {
	if !p.Conn.MidStream || !unprompted(w) && heardBefore(p.Conn, w) {
		return
	}
	c.Confidence, c.Most, c.Occ.Cost.Low = report.ConfidenceLow, rule.AtMost(report.Low), 0
	c.Says = append(c.Says, rule.Say(beginsInMiddle))
	if proof := c.Occ.Proof; !w.Unseen && len(proof) > 0 && proof[0].Mark == w.Cause {
		proof[0] = rule.Shows(w.Cause, rule.SideOf(w.Dir), unanswered)
	}
}

// unprompted reports whether nothing is known of why a copy was sent: no signal of a loss had come,
// and the sender's timer is not known either.
func unprompted(w *ledger.Wait) bool {
	return w.Kind == reassembly.Retransmission ||
		w.Label == report.FastRetx && w.Kind != reassembly.FastRetransmission
}

// heardBefore reports whether the receiver had acknowledged anything that its peer sent within the
// capture, before the wait ended: then it takes part, and the path carries something.
func heardBefore(c *reassembly.Conn, w *ledger.Wait) bool {
	return c.Released > 0 || slices.ContainsFunc(c.Records, func(r reassembly.Record) bool {
		return r.Dir == w.Dir.Peer() && r.Time < w.To && r.Flags&capture.ACK != 0 &&
			(r.Ack > 0 || r.SACK > 0)
	})
}
