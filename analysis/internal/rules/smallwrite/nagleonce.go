package smallwrite

import (
	"slices"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

const (
	// heldPercent is how many of the small segments behind small ones must have left with an ACK:
	// the ledger asks for as many of one connection.
	heldPercent = 60
	// leastPrompt is how many that left early show that the algorithm is off; a stray one may be a
	// second thread's, or a kernel's that counts what is in flight otherwise.
	leastPrompt = 3
	// pooledHolds is how many connections with one hold each it takes where none of them proves
	// anything alone. Each hold ended within the reaction time of a kernel after an ACK: five times
	// is no accident.
	pooledHolds = 5
	// maxHeldOnce is how many such holds wait for the end of the capture. Where there are more, the
	// older half is settled by what is known by then.
	maxHeldOnce = 1 << 14
)

// The numbers of a claim about a hold that is the only one of its connection.
const (
	loneDir       = iota // of the only hold of its connection: who was held up
	loneRoundTrip        // of that: the part that a prompt ACK would have taken
	heldLateness         // of any: how late the acknowledgment came that ended it; 0: it was prompt
)

// nagleAcross compares the holds of connections, for both rules.
var nagleAcross = &rule.Comparison{
	Start: func() rule.Across {
		n := &nagleHosts{late: map[rule.Key]*lateness{}}
		n.pairs.Most = rule.MaxPaths
		return n
	},
	Wants: rule.Wants(rule.ConnOver),
}

// realHolds reports whether the holds were Nagle's: there are many, none ever left early, and few
// left later.
func realHolds(t *ledger.NagleTally) bool {
	return t.Held >= pooledHolds && t.Prompt == 0 && t.Held*100 >= (t.Held+t.Late)*heldPercent
}

// contradictedHolds reports whether most connections show that the algorithm is off.
func contradictedHolds(t *ledger.NagleTally) bool {
	return t.Prompt >= leastPrompt && t.Prompt > t.Held
}

// nagleHosts pools the evidence about Nagle's algorithm by client, service and direction. Its
// decision comes with the end of the capture, when all is known: so it does not depend on the order
// of connections.
type nagleHosts struct {
	pairs   rule.PairTable[[2]ledger.NagleTally]
	waiting []*loneHold
	open    map[int][]*loneHold    // of connections that are not over, by connection
	late    map[rule.Key]*lateness // by finding
}

// loneHold is the only hold of its connection, too little to tell it from an application that
// happens to write when an ACK arrives. The connections of the same client and service together may
// tell.
type loneHold struct {
	rule.Referred
	over bool // its connection is: its times are drawn up
}

// Number makes pairs have the numbers that others have for them.
func (r *nagleHosts) Number(n *rule.PairNumbers) { r.pairs.By(n) }

// Event takes note of a connection that is over.
func (r *nagleHosts) Event(_ rule.Desk, c *rule.Conn, e *rule.Told) {
	for _, h := range r.open[c.Id] {
		h.over = true
	}
	delete(r.open, c.Id)
	r.tally(e.Gone(), e.At)
}

// Refer keeps a hold until the end. To settle the older ones early they must be of connections that
// are over.
func (r *nagleHosts) Refer(d rule.Desk, c rule.Referred) {
	if len(r.waiting) >= maxHeldOnce {
		older := r.waiting[:maxHeldOnce/2]
		going := func(h *loneHold) bool { return !h.over }
		r.settle(d, slices.DeleteFunc(slices.Clone(older), going))
		r.waiting = slices.Delete(r.waiting, 0, len(older))
	}
	c.Subject = rule.Subject{Pair: c.Pair, Known: true, Host: c.Host, Took: c.Took, Rtt: c.Rtt}
	kept := &loneHold{Referred: c}
	r.waiting = append(r.waiting, kept)
	if r.open == nil {
		r.open = map[int][]*loneHold{}
	}
	r.open[c.Occ.Connection] = append(r.open[c.Occ.Connection], kept)
}

// tally adds a connection that is over.
func (r *nagleHosts) tally(c *rule.Gone, now time.Duration) {
	if c.Nagle == [2]ledger.NagleTally{} {
		return
	}
	t := r.pairs.Of(c.Pair, now)
	if t == nil {
		return
	}
	for d := range t {
		t[d].Add(c.Nagle[d])
	}
}

// Finish books what the capture as a whole proves, and doubts what it contradicts.
func (r *nagleHosts) Finish(d rule.Desk) {
	r.settle(d, r.waiting)
	for k, l := range r.late {
		l.judge(d, k)
	}
	r.pairs.Each(func(p report.Pair, t *[2]ledger.NagleTally) {
		for dir := range t {
			if contradictedHolds(&t[dir]) {
				rule.Doubt(d.Found(delayedAckHold, holdCauses[dir], p))
				rule.Doubt(d.Found(roundTripHold, holdCauses[dir], p))
			}
		}
	})
}

// settle books the holds that their clients and services prove.
func (r *nagleHosts) settle(d rule.Desk, holds []*loneHold) {
	for _, h := range holds {
		dir := h.Num[loneDir]
		if t := r.pairs.Has(h.Pair); t != nil && realHolds(&t[dir]) {
			h.book(d, &t[dir])
		}
	}
}

// book books a hold that turned out to be Nagle's, and gives it back the time that went to the
// application.
func (h *loneHold) book(d rule.Desk, t *ledger.NagleTally) {
	c := &h.Claim
	if t.ByTimer() {
		c.Rule = delayedAckHold
	}
	if !d.Enabled(c.Rule) {
		return
	}
	length := c.Occ.End - c.Occ.Start
	c.Confidence = max(c.Confidence, report.ConfidenceHigh)
	if c.Occ.Cost.Expected == length {
		c.Occ.Cost.Low = max(c.Occ.Cost.Low, length-t.Least)
	}
	c.Says = []rule.Said{rule.Say(heldOnce)}
	d.Book(h.Subject, c)
	d.Lose(c.Occ.Start, c.Occ.Cost.Expected)
	d.Relabel(rule.Relabelled{
		Conn:     c.Occ.Connection,
		Exchange: c.Occ.Exchange,
		Relabelling: ledger.ToHold(report.Interval{From: c.Occ.Start, To: c.Occ.End},
			time.Duration(h.Num[loneRoundTrip]), reassembly.Dir(h.Num[loneDir])),
	})
}

// lateness is how late the acknowledgments came that ended the holds of one finding: those that
// were the least late.
type lateness []time.Duration

const (
	// maxLate is of how many findings lateness is remembered.
	maxLate = 8192
	// maxLateness is how many late acknowledgments are remembered of a finding.
	maxLateness = 16
)

// Booked takes note of how late the acknowledgment was that ended a hold.
func (r *nagleHosts) Booked(s *rule.Subject, c *rule.Claim) {
	late := time.Duration(c.Num[heldLateness])
	if late <= 0 {
		return
	}
	k := rule.Key{Rule: c.Rule, Cause: c.Cause, Pair: s.Pair}
	l := r.late[k]
	if l == nil {
		if len(r.late) >= maxLate {
			return
		}
		l = new(lateness)
		r.late[k] = l
	}
	i, _ := slices.BinarySearch(*l, late)
	*l = slices.Insert(*l, i, late)
	*l = (*l)[:min(len(*l), maxLateness)]
}

// judge gives certainty to holds that few connections prove where the acknowledgment that ended
// them was as late as the host's timer makes others, and takes it where it was not.
func (l *lateness) judge(d rule.Desk, k rule.Key) {
	if k.Rule != delayedAckHold {
		return
	}
	f := d.Found(k.Rule, k.Cause, k.Pair)
	if f == nil || f.Confidence() != report.ConfidenceMedium {
		return
	}
	receiver := k.Pair.Server.Addr()
	if k.Cause == holdCauses[reassembly.FromServer] {
		receiver = k.Pair.Client
	}
	timer, known := rule.DelackTimer(d.DelayedACKs(receiver))
	near := func(late time.Duration) bool { return rule.NearTimer(late, timer) }
	switch {
	case known && slices.ContainsFunc(*l, near):
		f.Sure(report.ConfidenceHigh)
	case known:
		f.Sure(report.ConfidenceLow)
	}
}
