package analysis

import (
	"slices"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

const (
	// pooledHolds is how many connections with one hold each it takes where none of them proves
	// anything alone. Each hold ended within the reaction time of a kernel after an ACK: five times
	// is no accident.
	pooledHolds = 5
	// maxHeldOnce is how many such holds wait for the end of the capture. Where there are more, the
	// older half is settled by what is known by then.
	maxHeldOnce = 1 << 14
)

// heldOnce is the only hold of its connection, too little to tell it from an application that
// happens to write when an ACK arrives. The connections of the same client and service together may
// tell.
type heldOnce struct {
	claim  claim
	hold   ledger.Hold
	member *member
	info   *report.ExchangeInfo
	conn   *report.ConnInfo // valid once the connection is over
	rtt    time.Duration
}

// realHolds reports whether the holds were Nagle's: there are many, none ever left early, and few
// left later.
func realHolds(t *ledger.NagleTally) bool {
	return t.Held >= pooledHolds && t.Prompt == 0 && t.Held*10 >= (t.Held+t.Late)*6
}

// contradictedHolds reports whether most connections show that the algorithm is off.
func contradictedHolds(t *ledger.NagleTally) bool { return t.Prompt >= 3 && t.Prompt > t.Held }

// nagleHosts pools the evidence about Nagle's algorithm by client, service and direction. Its
// decision comes with the end of the capture, when all is known: so it does not depend on the order
// of connections.
type nagleHosts struct {
	pairs   pairTable[[2]ledger.NagleTally]
	waiting []*heldOnce
	open    map[int][]*heldOnce // of connections that are not over, by connection
	timers  timers
}

func (r *nagleHosts) event(j *judge, m *member, e *event) {
	switch data := e.data.(type) {
	case *draft:
		for i := range data.once {
			r.take(j, m, data, &data.once[i])
		}
	case *overConn:
		for _, o := range r.open[m.id] {
			o.conn = data.info
		}
		delete(r.open, m.id)
		r.tally(data, e.at)
		r.timers.learn(data, e.at)
	}
}

// take keeps a hold until the end. To settle the older ones early they must be of connections that
// are over: their times are drawn up.
func (r *nagleHosts) take(j *judge, m *member, job *draft, o *heldOnce) {
	if len(r.waiting) >= maxHeldOnce {
		older := r.waiting[:maxHeldOnce/2]
		r.settle(
			j,
			slices.DeleteFunc(slices.Clone(older), func(o *heldOnce) bool { return o.conn == nil }),
		)
		r.waiting = slices.Delete(r.waiting, 0, len(older))
	}
	kept := &heldOnce{
		claim:  o.claim,
		hold:   o.hold,
		member: &member{id: m.id, pair: m.pair},
		info:   job.info,
		rtt:    job.Flow.Rtt,
	}
	r.waiting = append(r.waiting, kept)
	if r.open == nil {
		r.open = map[int][]*heldOnce{}
	}
	r.open[m.id] = append(r.open[m.id], kept)
}

// tally adds a connection that is over.
func (r *nagleHosts) tally(c *overConn, now time.Duration) {
	if c.nagle == [2]ledger.NagleTally{} {
		return
	}
	t := r.pairs.of(c.pair, now)
	if t == nil {
		return
	}
	for d := range t {
		t[d].Add(c.nagle[d])
	}
}

func (r *nagleHosts) finish(j *judge) {
	r.settle(j, r.waiting)
	r.timers.judge(j)
	r.timers.doubt(j)
	r.pairs.each(func(p report.Pair, t *[2]ledger.NagleTally) {
		for d := range t {
			j.doubtHolds(p, reassembly.Dir(d), &t[d])
		}
	})
}

// settle books the holds that their clients and services prove.
func (r *nagleHosts) settle(j *judge, holds []*heldOnce) {
	for _, o := range holds {
		if t := r.pairs.has(o.member.pair); t != nil && realHolds(&t[o.hold.Dir]) {
			j.bookHeld(o, &t[o.hold.Dir])
		}
	}
}

// doubtHolds takes certainty from the holds of one connection if most others between the pair show
// that the algorithm is off.
func (j *judge) doubtHolds(p report.Pair, dir reassembly.Dir, t *ledger.NagleTally) {
	for _, d := range []*Detector{nagleDelayedAck, nagle} {
		if contradictedHolds(t) {
			j.doubt(groupKey{d.Name, d.Causes[dir].Code, p})
		}
	}
}

// bookHeld books a hold that turned out to be Nagle's, and gives it back the time that went to the
// application.
func (j *judge) bookHeld(o *heldOnce, t *ledger.NagleTally) {
	c, h := &o.claim, &o.hold
	if t.Delayed > 0 && c.rule != "" {
		c.rule = nagleDelayedAck.Name
	}
	if c.rule == "" || !j.enabled(c.rule) {
		return
	}
	c.confidence = max(c.confidence, report.ConfidenceHigh)
	if c.occ.Cost.Expected == h.Length() {
		c.occ.Cost.Low = max(c.occ.Cost.Low, h.Length()-t.Least)
	}
	c.text = "It shows once on each of many connections, and no piece ever left early."
	c.occ.Exchange = o.info.ID
	j.book(
		o.member,
		c,
		&draft{info: o.info, Exchange: ledger.Exchange{Flow: ledger.Flow{Rtt: o.rtt}}},
	)
	j.total.lost = min(j.total.lost+c.occ.Cost.Expected, j.total.exchangeTime)
	h.Restore(&j.total.times)
	o.info.Times = restored(o.info.Times, h)
	if o.conn != nil {
		o.conn.Times = restored(o.conn.Times, h)
	}
	j.redraw(o)
}

// restored are the times with the hold's own.
func restored(times []report.LabelTime, h *ledger.Hold) []report.LabelTime {
	var all [report.LabelCount]time.Duration
	for _, t := range times {
		all[t.Label] = t.Time
	}
	h.Restore(&all)
	return labelTimes(&all)
}

// redraw gives the hold its labels in what is shown in order of time.
func (j *judge) redraw(o *heldOnce) {
	h := &o.hold
	label := func(to time.Duration) report.Label {
		if to <= h.From+h.RoundTrip {
			return report.NagleRTT
		}
		return report.NagleDelack
	}
	for _, s := range j.list.slowest.items {
		if s.id != o.info.ID {
			continue
		}
		s.item.pieces = slices.Clone(s.item.pieces) // a report so far may have them
		for i := range s.item.pieces {
			p := &s.item.pieces[i]
			if p.Label == ledger.Pause(h.Dir) && p.From >= h.From && p.To <= h.To {
				p.Label = label(p.To)
			}
		}
	}
	if j.trace == nil || j.trace.Of.Connection != o.member.id {
		return
	}
	for i := range j.trace.Tiles {
		if k := &j.trace.Tiles[i]; k.Label == ledger.Pause(h.Dir) && k.From >= h.From &&
			k.To <= h.To {
			k.Label = label(k.To)
		}
	}
}
