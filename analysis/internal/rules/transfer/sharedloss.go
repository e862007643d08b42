package transfer

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/whatif"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// claimSharedLoss claims what losses cost an exchange that others went on beside: its own waits for
// repairs, as far as they made it late, and that it waited behind what the smaller window held
// back.
func claimSharedLoss(p *rule.Pass) {
	of := whatif.LossDelayOf(&p.Draft.Account)
	late := &of
	parts := scheduleOf(&p.Draft.Exchange, p.Conn, reassembly.FromServer)
	for _, w := range p.Draft.WaitsWith(report.FastRetx) {
		if toldOfSize(p.Conn, &w) {
			continue // path MTU discovery at work
		}
		length := w.Length()
		cost := report.Cost{
			Low: max(0, length-p.Conn.RTTMin()), Expected: length, High: length,
		}
		cost, absorbed := partOf(cost, late), false
		if w.Dir == reassembly.FromServer {
			cost, absorbed = parts.cost(w.From, cost)
		}
		c := lossClaim(&w, whereLost(w.Unseen), cost, sureUnless(absorbed))
		c.Kind = rule.LostSegment
		c.Clock = late.OfRepair(&p.Draft.Exchange, &w)
		c.Occ.Proof = repairProof(p.Conn, &w)
		doubtBeginning(p, &w, &c)
		p.Report(c)
		p.Expect(&c, resent(&w))
	}
	if late.Loss.Dir == reassembly.FromServer && parts.paused() {
		late.Window = min(late.Window, parts.most())
	}
	claimSharedWindow(p, late)
}

// partOf is what a wait for a repair costs an exchange that others go on beside: the path may be
// busy meanwhile with what they wait for, and then nothing is sure.
func partOf(cost report.Cost, late *whatif.LossDelay) report.Cost {
	cost.Expected = time.Duration(float64(cost.Expected) * late.Part)
	if late.Part < 1 {
		cost.Low = 0
	}
	return cost
}

// surelyParts: a simulation goes by round trips. Less than one of so many parts of one may be its
// error.
const surelyParts = 2

// claimSharedWindow claims what an exchange waited behind octets that came late because of a loss,
// besides waits for repairs: it was over so much later.
func claimSharedWindow(p *rule.Pass, late *whatif.LossDelay) {
	w := &late.Loss
	m := p.Draft.Message(w.Dir)
	if m == nil || !m.Complete || late.Window*surelyParts < p.Conn.RTTMin() {
		return
	}
	other := max(0, late.Cost.Expected-late.Window)
	cost := report.Cost{
		Low:      whatif.Clamp(late.Cost.Low-other, late.Window),
		Expected: late.Window,
		High:     max(late.Window, late.Cost.High-other),
	}
	until := p.Draft.Until
	c := rule.Claim{
		Rule: "packet-loss", Cause: whereLost(w.Unseen), Confidence: report.ConfidenceMedium,
		Kind:   rule.LostSegment,
		Window: rule.Window{Dir: w.Dir, Saved: late.Window},
		Lost:   []report.Interval{{From: until - late.Window, To: until}},
		Clock:  late.OfWindow(),
		Occ:    rule.Occurrence{Start: m.Start.Time, End: m.End.Time, Cost: cost},
	}
	if r := repairBefore(p, w, m.End); r != nil {
		c.Occ.Proof = append(c.Occ.Proof, rule.Shows(r.Mark(), rule.SideOf(w.Dir), repairedBefore))
	}
	c.Occ.Proof = append(c.Occ.Proof, rule.Shows(m.End, rule.SideOf(w.Dir), heldAfterLoss))
	p.Report(c)
}

// repairBefore is the repair that w ended with, if that came before the given end of a message;
// else the latest on the connection that did, nil if none is known.
func repairBefore(p *rule.Pass, w *ledger.Wait, end capture.Mark) *reassembly.Record {
	if r := ledger.RecordOf(p.Conn, w.End); r != nil && earlier(r.Mark(), end) {
		return r
	}
	for r := range ledger.SegmentsBack(p.Conn, p.Conn.Start.Time, end.Time) {
		if r.Dir == w.Dir && repairs(r.Kind) && earlier(r.Mark(), end) {
			return r
		}
	}
	return nil
}

// repairs reports whether a segment of the given kind was sent again because of a loss.
func repairs(kind reassembly.Kind) bool {
	switch kind {
	case reassembly.TimeoutRetransmission, reassembly.TailLossProbe,
		reassembly.FastRetransmission, reassembly.Retransmission:
		return true
	}
	return false
}

// earlier reports whether a was captured before b.
func earlier(a, b capture.Mark) bool {
	return a.Time < b.Time || a.Time == b.Time && a.Frame < b.Frame
}
