package transfer

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/whatif"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

// PacketLoss is the rule about lost segments that were repaired without a timer.
var PacketLoss = &rule.Detector{Rule: report.Rule{
	Name:  "packet-loss",
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
Expected is the waits for the repairs, but not while the sender repeated by its timer what had been
acknowledged long before, as no acknowledgment reached it then; and of the time that the transfer
spent waiting for its congestion window afterwards what it would not have needed with the window it
had before, by simulation. Low is the waits less the part of a round trip that the sender would have
waited for its window anyway, and half of the rest, or nothing of it where the path was full a tenth
of the time, or had a queue of half a round trip. Then it also carried what had been sent behind the
losses while they were repaired, and of the waits only that is lost by which the transfer took
longer than the path needs for it; the same holds of waits for segments that were overtaken. So did
other transfers from the same server at the same time: the share of the path's rate that they used
is taken off. Where the path was full, all of them together cost no more than they took by the
clock, without what the path needs for their octets. Where streams of HTTP/2 share the connection,
what losses cost is computed for that: what its side had sent without a pause when the last octets
of a stream came, against what so many octets would have needed without loss. By as much more as it
was late then than when the stream began to wait, the stream would have been over sooner. Its waits
for repairs are part of that, those behind others' losses are h2-head-of-line's, and the rest is
what the smaller window held back, of whatever stream. Low is half, or nothing where the path was
full. Flow control of HTTP/2 would have held its sender back without losses, too: what it allowed in
flight, by what had arrived when the peer said so, is part of both. By the clock, what the
connection was late by counts once, whichever stream was late by it.
Pauses of the application within a message (two round trips, or as a clock that three parts show,
however short) make up for losses before them: only what made the next part late, or came after the
last, counts.

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
	References: []string{"RFC 5681 section 3.2", "RFC 6675", "RFC 8985"},
},
	Rests:      rule.Timing,
	YieldsTo:   rule.DroppedHandshake | rule.LostWay | rule.LostHello,
	SharesPath: true,
	Attempts:   true,
	Beside:     true,
	When:       rule.Repaired,
	Exchange:   runPacketLoss,
	Vocabulary: words,
}

// runPacketLoss claims the waits for quick repairs, with what the smaller window cost afterwards.
func runPacketLoss(p *rule.Pass) {
	if claimed(p, PathMTU.Name) {
		return
	}
	if p.Draft.Shared {
		claimSharedLoss(p)
	} else if after := afterLoss(p); !claimRepairs(p, after) {
		claimSmallerWindow(p, after)
	}
	claimReordering(p)
}

// claimRepairs claims the waits for quick repairs, with what came after the losses; false if there
// were none.
func claimRepairs(p *rule.Pass, after aftermath) bool {
	waits := p.Draft.WaitsWith(report.FastRetx)
	if len(waits) == 0 {
		return false
	}
	parts, told := scheduleOf(&p.Draft.Exchange, p.Conn, waits[0].Dir), false
	for i := range waits {
		w := &waits[i]
		if toldOfSize(p.Conn, w) {
			continue // path MTU discovery at work
		}
		cost, absorbed := parts.cost(w.From, repairCost(w.Length(), p.Conn.RTTMin(), after.busy))
		if !told && (!absorbed || cost.Expected > 0 || i == len(waits)-1) {
			told = true
			cost.Low += after.sure
			cost.Expected += after.cost
			cost.High += p.Draft.Times[report.RecoveryCwnd]
		}
		c := lossClaim(w, whereLost(w.Unseen), cost, sureUnless(absorbed))
		c.Kind = rule.LostSegment
		if parts.paused() { // a simulation knows nothing of pauses
			c.Window.Saved = 0
		}
		c.Occ.Proof = repairProof(p.Conn, w)
		doubtBeginning(p, w, &c)
		p.Report(c)
		p.Expect(&c, resent(w))
	}
	return true
}

// resent is what the kernel counts of the repair that ended a wait.
func resent(w *ledger.Wait) rule.Counted {
	return rule.Counted{What: rule.Resent, Dir: w.Dir, N: 1}
}

// repairCost is what a wait for a repair cost that was so long, of which the path carried other
// octets for a part.
func repairCost(length, roundTrip time.Duration, busy float64) report.Cost {
	cost := report.Cost{Low: max(0, length-roundTrip), Expected: length, High: length}
	if busy > 0 {
		cost.Expected -= time.Duration(float64(length) * busy)
		cost.Low = min(cost.Low, cost.Expected)
	}
	return cost
}

// toldOfSize reports whether what w repairs had been in flight when a router said that segments are
// too large for the path, and its sender heeded it: discovery of the path's MTU (RFC 1191 section
// 6.4) drops what it asks about, and no link has lost it.
func toldOfSize(c *reassembly.Conn, w *ledger.Wait) bool {
	h := &c.Half[w.Dir]
	told := &h.TooBig
	if !ledger.Seen(told.At) || told.At.Time > w.End.Time || h.Eff != told.Payload {
		return false
	}
	var sent int64 // up to where, before the error
	for i := range c.Records {
		r := &c.Records[i]
		if r.Dir == w.Dir && r.Time < told.At.Time {
			sent = max(sent, r.End())
		}
		if r.Mark() == w.End {
			return r.Seq < sent
		}
	}
	return false
}

// claimSmallerWindow claims what a loss cost that was repaired without a wait, or by a timer: what
// remains is the smaller window.
func claimSmallerWindow(p *rule.Pass, after aftermath) {
	waits := p.Draft.WaitsWith(report.RecoveryCwnd)
	if len(waits) == 0 || after.cost <= 0 {
		return
	}
	w := &waits[0]
	cost := report.Cost{
		Low:      after.sure,
		Expected: after.cost,
		High:     p.Draft.Times[report.RecoveryCwnd],
	}
	away := p.State.Sender(w.Dir).LostUnseen()
	c := lossClaim(w, whereLost(away), cost, report.ConfidenceMedium)
	c.Kind = rule.LostSegment
	c.Window.Saved = cost.Expected
	c.Occ.Proof = []rule.Evidence{rule.Shows(w.End, rule.SideOf(w.Dir), heldAfterLoss)}
	p.Report(c)
}

// whereLost is the cause by whether what was lost had not passed the capture point.
func whereLost(unseen bool) string {
	if unseen {
		return "upstream"
	}
	return "downstream"
}

const (
	// lateLeast is how late a segment must come, overtaken by others, for that alone to be worth a
	// claim: less is what packets of one burst are apart on a path of several links side by side.
	lateLeast = 10 * time.Millisecond
	// lateAgain is how late it must come, in percent of a round trip, if it was sent again as well.
	lateAgain = 50
)

// claimReordering claims the waits for segments that others had overtaken.
func claimReordering(p *rule.Pass) {
	rtt := p.Conn.RTTMin()
	least := rtt * lateAgain / 100
	for _, w := range p.Draft.WaitsWith(report.SpuriousRetx) {
		if w.ByOrder && w.Length() >= least {
			c := reorderingClaim(&w)
			c.Window.Saved = w.Length()
			c.Occ.Proof = []rule.Evidence{rule.Shows(w.End, rule.SideOf(w.Dir), heldNeedlessly)}
			p.Report(c)
		}
	}
	for _, w := range p.Draft.WaitsWith(report.Queue) {
		moved := w.Kind == reassembly.OutOfOrder
		again := ledger.Seen(w.Again) && (moved || w.Unseen)
		if again && w.Length() >= least || moved && w.Length() >= max(rtt, lateLeast) {
			c := reorderingClaim(&w)
			c.Occ.Cost.Expected -= time.Duration(float64(w.Length()) * carried(p, w.Dir))
			c.Occ.Proof = overtakenProof(&w)
			p.Report(c)
		}
	}
}

// reorderingClaim is the claim of a wait that reordering caused, without its proof.
func reorderingClaim(w *ledger.Wait) rule.Claim {
	cost := report.Cost{Expected: w.Length(), High: w.Length()}
	return lossClaim(w, "reordering", cost, report.ConfidenceMedium)
}

// lossClaim is the claim of one wait, without its proof.
func lossClaim(w *ledger.Wait, cause string, cost report.Cost, sure report.Confidence) rule.Claim {
	return rule.Claim{
		Rule:       "packet-loss",
		Cause:      cause,
		Confidence: sure,
		Occ:        rule.Occurrence{Start: w.From, End: w.To, Cost: cost},
		Window:     rule.Window{Dir: w.Dir, Saved: max(0, cost.Expected-w.Length())},
		Lost:       []report.Interval{{From: w.From, To: w.To}},
	}
}

// aftermath is what losses cost beside the waits for their repair.
type aftermath struct {
	cost, sure time.Duration // what the window that they had cut cost, and what of it is sure
	// busy is the part of the waits for repairs in which the path carried what had been sent behind
	// the loss: only what the transfer took longer than the path needs for it is lost.
	busy float64
}

const (
	// fullPath is how many percent of a transfer must be waiting for the path's rate for the path
	// to have been full at times.
	fullPath = 10
	// fullQueue is how long a queue must have been, in percent of a round trip, to show the same.
	fullQueue = 50
)

// afterLoss is what losses cost besides. Half of it is sure, unless the path was full at times, or
// a queue grew: then losses told the sender its share, and without them it might have been no
// faster.
func afterLoss(p *rule.Pass) (out aftermath) {
	j := p.Draft
	waits := j.WaitsWith(report.FastRetx, report.RecoveryCwnd)
	if len(waits) == 0 {
		return out
	}
	dir := waits[0].Dir
	f := j.FlowOf(dir)
	if f == nil {
		return out
	}
	// Next to the sender a transfer that loses again and again is all repairs: then a queue tells
	// that the path was full.
	bound := reaches(j.Spent(dir, report.Serialize), fullPath, j.WindowTime(dir))
	queued := f.Queue >= max(p.Conn.RTTMin()*fullQueue/100, ledger.QueueShows)
	took, most := windowWait(
		&j.Exchange,
		dir,
		report.RecoveryCwnd,
	), j.Spent(
		dir,
		report.RecoveryCwnd,
	)
	took += j.TransferTime(dir) - most + j.KeptBack(dir)
	lost := took - whatif.Ideal(f, bound || queued)
	out.cost = whatif.Clamp(lost, most)
	out.cost = time.Duration(float64(out.cost) * lateParts(p, dir))
	switch {
	case f.Rate <= 0 || !bound && !queued:
		out.sure = whatif.Clamp(took-whatif.Ideal(f, true), out.cost) / 2
	case lost < 0:
		out.busy = min(1, float64(-lost)/float64(max(1, j.Times[report.FastRetx])))
	}
	return out
}

// lateParts is the part of dir's waits for the window that losses had cut by which the message was
// late, besides by waits for repairs: pauses of its application made up for the rest.
func lateParts(p *rule.Pass, dir reassembly.Dir) float64 {
	parts := scheduleOf(&p.Draft.Exchange, p.Conn, dir)
	for _, w := range p.Draft.WaitsWith(report.FastRetx) {
		parts.take(w.From, w.Length())
	}
	var waited, late time.Duration
	for _, w := range p.Draft.WaitsWith(report.RecoveryCwnd) {
		waited += w.Length()
		late += parts.take(w.From, w.Length())
	}
	if waited == 0 {
		return 1
	}
	return float64(late) / float64(waited)
}

// carried is the part of dir's waits for late segments in which the path carried what had been sent
// behind them, which comes no sooner without them: where the transfer waited for the path more than
// for its window.
func carried(p *rule.Pass, dir reassembly.Dir) float64 {
	j, f := p.Draft, p.Draft.FlowOf(dir)
	waited := j.Times[report.Queue]
	if f == nil || f.Rate <= 0 || waited <= 0 ||
		j.Spent(dir, report.Serialize) <= j.WindowTime(dir) {
		return 0
	}
	ahead := whatif.Ideal(f, true) - j.TransferTime(dir)
	return min(1, float64(max(0, ahead))/float64(waited))
}

// overtakenProof shows what came first, what ended the wait, and what was sent again because of it.
func overtakenProof(w *ledger.Wait) []rule.Evidence {
	sender, late := rule.SideOf(w.Dir), rule.Ns(w.Length())
	first := rule.Shows(w.Cause, sender, laterFirst)
	switch {
	case w.Kind != reassembly.OutOfOrder:
		return []rule.Evidence{
			first, rule.Shows(w.End, sender, needlessLater, late),
			rule.Shows(w.Again, sender, overtaken),
		}
	case ledger.Seen(w.Again):
		return []rule.Evidence{
			first, rule.Shows(w.End, sender, overtakenLater, late),
			rule.Shows(w.Again, sender, takenForLost),
		}
	}
	return []rule.Evidence{first, rule.Shows(w.End, sender, overtakenLater, late)}
}
