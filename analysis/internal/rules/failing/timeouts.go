package failing

import (
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/template"
	"tcpwhy/reassembly/exchange"
)

const (
	maxHeld    = 4096 // waits that wait; beyond it the oldest are judged by what is known
	maxWaits   = 256  // of a client and a service are remembered, the latest
	maxAnswers = 32   // likewise
)

var timeoutEvents = rule.Wants(
	rule.ExchangeBegan, rule.ConnClosing, rule.ExchangeJudged, rule.ConnOver)

// timeouts compares how long a client waited before it gave up.
type timeouts struct {
	repeats
	pairs   rule.PairTable[patience]
	waiting rule.Agenda[*gaveUp]
}

// gaveUp is a wait that a client ended.
type gaveUp struct {
	rule.Referred
	left *departure // nil: not known
	by   *timeout   // valid once settled; nil: none
}

func newTimeouts() *timeouts { return &timeouts{repeats: newRepeats()} }

// Number makes pairs have the numbers that others have for them.
func (t *timeouts) Number(n *rule.PairNumbers) { t.pairs.By(n) }

// Event takes note of requests, closes and answers.
func (t *timeouts) Event(d rule.Desk, c *rule.Conn, e *rule.Told) {
	if !d.Enabled(timeoutRule) {
		return
	}
	switch e.Kind {
	case rule.ExchangeBegan:
		t.began(c, e.Began(), int(e.Index))
	case rule.ConnClosing:
		t.closing(c, e.Closing())
	case rule.ExchangeJudged:
		t.answered(c, e.Judged())
		t.judged(c, e.Judged(), e.At)
	case rule.ConnOver:
		t.over(c.Id)
	}
}

// judged takes note of an exchange, and of its answer.
func (t *timeouts) judged(c *rule.Conn, job *rule.Judged, now time.Duration) {
	x := job.Info
	if x.Turn || x.Request == nil || x.Target == "" {
		return
	}
	p := t.pairs.Of(c.Pair, now)
	if p == nil {
		return
	}
	what := x.Method + " " + template.Of(x.Target)
	p.ask(what)
	if x.Response != nil && x.Outcome == exchange.Complete {
		at := x.Response.Start.Time
		p.hear(answer{at, at - x.Request.End.Time, what})
	}
}

// Refer takes a wait that a client ended.
func (t *timeouts) Refer(d rule.Desk, r rule.Referred) {
	if p := t.pairs.Of(r.Pair, r.At); p != nil {
		p.remember(waitOf(&r.Claim))
	}
	t.waiting.Add(r.Occ.End, &gaveUp{Referred: r, left: t.left[r.Occ.Connection]})
	if t.waiting.Len() > maxHeld {
		if oldest, ok := t.waiting.Next(); ok {
			t.settle(d, oldest)
			t.book(d, oldest)
		}
	}
}

// Finish settles what is left: which waits are alike shows when all are known, and a connection
// that its server never closes is over late.
func (t *timeouts) Finish(d rule.Desk) {
	var all []*gaveUp
	for w, ok := t.waiting.Next(); ok; w, ok = t.waiting.Next() {
		t.settle(d, w)
		all = append(all, w)
	}
	for _, w := range all {
		t.book(d, w)
	}
}

// settle finds the timeout that ended a wait; if none did, it is what it was without this rule.
func (t *timeouts) settle(d rule.Desk, w *gaveUp) {
	if p := t.pairs.Has(w.Pair); p != nil {
		own := waitOf(&w.Claim)
		if w.by = p.endedBy(&own); w.by != nil {
			w.by.ends(&own, p)
			return
		}
	}
	for i := range w.Displaced {
		d.Book(w.Subject, &w.Displaced[i])
	}
}

// book books a wait that a timeout ended.
func (t *timeouts) book(d rule.Desk, w *gaveUp) {
	p := t.pairs.Has(w.Pair)
	if w.by == nil || p == nil {
		return
	}
	c := &w.Claim
	if w.left != nil {
		c.Repeated = w.left.repeatedAs()
	}
	all, _ := d.Pair(w.Pair)
	n := max(all.Exchanges, w.by.n)
	w.by.share(c, waitOf(c).what, n, p)
	w.by.describe(c, n, p)
	d.Book(w.Subject, c)
}
