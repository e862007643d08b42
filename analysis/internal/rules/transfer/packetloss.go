package transfer

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/whatif"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

var PacketLoss = &rule.Detector{
	Name:  "packet-loss",
	Rests: rule.Timing,
	Title: "packet loss",
	Doc: `What happens
The network drops a segment. Later ones arrive and tell the sender, which sends it again after about
a round trip (fast retransmission, RFC 5681 section 3.2; RFC 6675; RFC 8985). What came later waits
at the receiver. Then the sender halves its congestion window, and what follows takes more round
trips.

How it is recognised
The receiver could not go on until a retransmission that was needed, which left after duplicate or
selective acknowledgments had reached the sender. Where the first copy passed the capture point, it
was lost behind it (downstream), else before it (upstream), each seen from the sender. A segment
that arrives late, overtaken by others, was not lost; it is a cause of its own (reordering) only if
what followed waited a round trip for it, or half of one and it was sent again. A repetition that
comes before the first copy, by their timestamps, repaired no loss either.

How cost is counted
Expected is the waits for the repairs, and of the time that the transfer spent waiting for its
congestion window afterwards what it would not have needed with the window it had before, by
simulation. Low is the waits less the part of a round trip that the sender would have waited for its
window anyway, and half of the rest, or nothing of it where the path was full a tenth of the time,
or had a queue of half a round trip. Then it also carried what had been sent behind the losses while
they were repaired, and of the waits only that is lost by which the transfer took longer than the
path needs for it. So did other transfers from the same server at the same time: the share of the
path's rate that they used is taken off.

When it is wrong
If the capture lost frames that the network did not; gaps that the receiver acknowledged are not
taken for losses. The simulation knows of the window only what was in flight. Congestion loss tells
the sender its share: then a loss-free path would have been slower than simulated.`,
	Causes: []report.Cause{
		{Code: "upstream", Title: "packet loss", Side: report.SideNetwork,
			Message: "Segments were lost between their sender and the capture point; " +
				"their retransmissions, and a smaller congestion window, cost time.",
			Remedies: lossFixes()},
		{Code: "downstream", Title: "packet loss", Side: report.SideNetwork,
			Message: "Segments were lost between the capture point and their receiver; " +
				"their retransmissions, and a smaller congestion window, cost time.",
			Remedies: lossFixes()},
		{Code: "reordering", Title: "segments overtaken on the way", Side: report.SideNetwork,
			Message: "Segments arrived long after later " +
				"ones, and what followed had to wait for them.",
			Remedies: []report.Remedy{
				{
					Side: report.SideNetwork,
					Text: "keep the segments of a connection on one path: per-flow " +
						"instead of per-packet balancing, no bonding in round-robin mode",
				},
			}},
	},
	SharesPath: true,
	References: []string{"RFC 5681 section 3.2", "RFC 6675", "RFC 8985"},
	Exchange:   runPacketLoss,
}

// runPacketLoss claims the waits for quick repairs, with what the smaller window cost afterwards.
func runPacketLoss(p *rule.Pass) {
	if claimed(p, PathMTU.Name) {
		return
	}
	j := p.Draft
	after, sure, busy := afterLoss(p)
	first := true
	for _, w := range j.With(report.FastRetx) {
		cause := "downstream"
		if w.Unseen {
			cause = "upstream"
		}
		cost := report.Cost{
			Low:      max(0, w.Length()-p.Conn.RTTMin()),
			Expected: w.Length(),
			High:     w.Length(),
		}
		if busy > 0 {
			cost.Expected -= time.Duration(float64(w.Length()) * busy)
			cost.Low = min(cost.Low, cost.Expected)
		}
		if first {
			cost.Low += sure
			cost.Expected += after
			cost.High += j.Times[report.RecoveryCwnd]
			first = false
		}
		reportLoss(p, &w, cause, cost, report.ConfidenceHigh)
	}
	for _, w := range j.With(report.RecoveryCwnd) {
		if !first || after <= 0 {
			break
		}
		// The loss was repaired without a wait, or by a timer; what remains is the smaller window.
		cause := "downstream"
		if p.State.Walk.Send[w.Dir].Growth.Away {
			cause = "upstream"
		}
		reportLoss(p, &w, cause,
			report.Cost{Low: sure, Expected: after, High: j.Times[report.RecoveryCwnd]},
			report.ConfidenceMedium)
		first = false
	}
	for _, w := range j.With(report.SpuriousRetx) {
		if w.Hasty && w.Length() >= p.Conn.RTTMin()/2 {
			reportLoss(p, &w, "reordering", report.Cost{Expected: w.Length(), High: w.Length()},
				report.ConfidenceMedium)
		}
	}
	for _, w := range j.With(report.Queue) {
		late := ledger.Seen(w.Again) && (w.Kind == reassembly.OutOfOrder || w.Unseen) &&
			w.Length() >= p.Conn.RTTMin()/2
		if late || w.Kind == reassembly.OutOfOrder &&
			w.Length() >= max(p.Conn.RTTMin(), 10*time.Millisecond) {
			reportLoss(p, &w, "reordering", report.Cost{Expected: w.Length(), High: w.Length()},
				report.ConfidenceMedium)
		}
	}
}

// afterLoss is what the window that losses had cut cost, and what of it is sure: half, unless the
// path's rate took a tenth of the transfer or more, or a queue grew. Then the path was full at
// times, losses told the sender its share, and without them it might have been no faster. busy is
// the part of the waits for repairs in which a path of that rate carried what had been sent behind
// the loss: only what the transfer took longer than the path needs for it is lost.
func afterLoss(p *rule.Pass) (after, sure time.Duration, busy float64) {
	j := p.Draft
	waits := j.With(report.FastRetx, report.RecoveryCwnd)
	if len(waits) == 0 {
		return 0, 0, 0
	}
	dir := waits[0].Dir
	f := j.Facts(dir)
	if f == nil {
		return 0, 0, 0
	}
	lost := j.TransferTime(dir) - whatif.Ideal(&j.Exchange, f, true)
	after = whatif.Clamp(lost, j.Spent(dir, report.RecoveryCwnd))
	// Next to the sender a transfer that loses again and again is all repairs: then a queue tells
	// that the path was full.
	full := f.Rate > 0 &&
		(j.Spent(dir, report.Serialize)*10 >= j.WindowTime(dir) || f.Queue >= max(p.Conn.RTTMin()/2, leastQueue))
	switch {
	case !full:
		sure = after / 2
	case lost < 0:
		busy = min(1, float64(-lost)/float64(max(1, j.Times[report.FastRetx])))
	}
	return after, sure, busy
}

// reportLoss reports one wait.
func reportLoss(p *rule.Pass, w *ledger.Wait, cause string, cost report.Cost,
	confidence report.Confidence) {
	c := rule.Claim{Rule: "packet-loss", Cause: cause, Confidence: confidence}
	c.Occ = rule.Occurrence{Start: w.From, End: w.To, Cost: cost}
	c.Window = rule.Window{Dir: w.Dir, Saved: max(0, cost.Expected-w.Length())}
	if w.Label == report.RecoveryCwnd || w.Label == report.SpuriousRetx {
		c.Window.Saved = cost.Expected
	}
	switch {
	case w.Label == report.SpuriousRetx:
		c.Occ.Evidence = []report.Evidence{
			rule.At(w.End, "held by the window", rule.SideOf(w.Dir),
				"waited for a window that a needless retransmission had cut"),
		}
	case cause == "reordering":
		c.Occ.Evidence = overtakenEvidence(w)
	case w.Label == report.RecoveryCwnd:
		c.Occ.Evidence = []report.Evidence{
			rule.At(w.End, "held by the window", rule.SideOf(w.Dir),
				"waited for a window that a loss had cut"),
		}
	default:
		c.Occ.Evidence = repairEvidence(w)
	}
	c.Lost = []report.Interval{{From: w.From, To: w.To}}
	p.Report(c)
}

// overtakenEvidence shows what came first, what ended the wait, and what was sent again because of
// it.
func overtakenEvidence(w *ledger.Wait) []report.Evidence {
	sender := rule.SideOf(w.Dir)
	out := []report.Evidence{rule.At(w.Cause, "later segment", sender, "came first")}
	switch {
	case w.Kind != reassembly.OutOfOrder:
		out = append(
			out,
			rule.At(w.End, "needless retransmission", sender,
				"came "+rule.Millis(w.Length())+" later"),
			rule.At(w.Again, "overtaken segment", sender, "was sent before, and came after"),
		)
	case ledger.Seen(w.Again):
		out = append(out,
			rule.At(w.End, "overtaken segment", sender, "came "+rule.Millis(w.Length())+" later"),
			rule.At(w.Again, "needless retransmission", sender, "it had been taken for lost"))
	default:
		out = append(out,
			rule.At(w.End, "overtaken segment", sender, "came "+rule.Millis(w.Length())+" later"))
	}
	return out
}
