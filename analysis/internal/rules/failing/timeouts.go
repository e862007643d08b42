package failing

import (
	"slices"
	"strings"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const (
	// repeatedWithin is how soon after it has given up a client that repeats at all does it, on a
	// connection of its own; on another, within repeatedAtOnce.
	repeatedWithin = time.Second
	repeatedAtOnce = 50 * time.Millisecond

	maxHeld    = 4096 // waits that wait; beyond it the oldest are judged by what is known
	maxWaits   = 256  // of a client and a service are remembered, the latest
	maxAnswers = 32   // likewise
)

var timeoutEvents = rule.Wants(
	rule.ExchangeBegan, rule.ConnClosing, rule.ExchangeJudged, rule.ConnOver)

// timeouts compares how long a client waited before it gave up.
type timeouts struct {
	asked   map[int]asked                  // latest of each connection
	left    map[int]*departure             // by connection
	open    map[rule.RetryKey][]*departure // not yet repeated
	pairs   rule.PairTable[patience]
	waiting rule.Agenda[*rule.Referred]
}

// asked is a request.
type asked struct {
	key   rule.RetryKey
	start time.Duration
}

// departure is that of a client which closed, perhaps while it waited.
type departure struct {
	asked
	at         time.Duration
	repetition *rule.Repetition
}

func newTimeouts() *timeouts {
	return &timeouts{
		asked: map[int]asked{},
		left:  map[int]*departure{},
		open:  map[rule.RetryKey][]*departure{},
	}
}

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
		t.judged(c, e.Judged(), e.At)
	case rule.ConnOver:
		t.close(t.left[c.Id])
		delete(t.left, c.Id)
		delete(t.asked, c.Id)
	}
}

// began takes note of a request, which may repeat one that was given up.
func (t *timeouts) began(c *rule.Conn, e *rule.Began, index int) {
	if e.Turn || e.Method == "" {
		return
	}
	k := e.Key()
	t.asked[c.Id] = asked{k, e.Start.Time}
	for _, l := range t.open[k] {
		opened := e.First && e.Handshake && e.ConnStart.Time >= l.start &&
			e.Need-l.at <= repeatedWithin
		if opened || e.Need-l.at <= repeatedAtOnce+e.Far {
			l.repetition = &rule.Repetition{Start: e.Start, Need: e.Need, Conn: c.Id, Index: index}
			t.close(l)
			return
		}
	}
}

// closing takes note of a client that goes.
func (t *timeouts) closing(c *rule.Conn, e rule.Closing) {
	of, ok := t.asked[c.Id]
	if !ok || e.By != reassembly.FromClient || !e.Open && !e.Reset {
		return
	}
	l := &departure{asked: of, at: e.At.Time}
	t.left[c.Id] = l
	t.open[of.key] = append(t.open[of.key], l)
}

// close no longer looks for a repetition.
func (t *timeouts) close(l *departure) {
	if l == nil {
		return
	}
	list := slices.DeleteFunc(t.open[l.key], func(m *departure) bool { return m == l })
	if len(list) == 0 {
		delete(t.open, l.key)
		return
	}
	t.open[l.key] = list
}

// judged takes note of an answer.
func (t *timeouts) judged(c *rule.Conn, job *rule.Judged, now time.Duration) {
	x := job.Info
	if x.Turn || x.Request == nil || x.Response == nil || x.Outcome != exchange.Complete {
		return
	}
	if p := t.pairs.Of(c.Pair, now); p != nil {
		path, _, _ := strings.Cut(x.Target, "?")
		at := x.Response.Start.Time
		p.hear(answer{at, at - x.Request.End.Time, x.Method + " " + path})
	}
}

// Refer takes a wait that a client ended.
func (t *timeouts) Refer(d rule.Desk, r rule.Referred) {
	if l := t.left[r.Occ.Connection]; l != nil {
		r.Claim.Repeated = l.repetition
	}
	if p := t.pairs.Of(r.Pair, r.At); p != nil {
		p.remember(waitOf(&r.Claim))
	}
	t.waiting.Add(r.Occ.End, &r)
	if t.waiting.Len() > maxHeld {
		if oldest, ok := t.waiting.Next(); ok {
			if by := t.settle(d, oldest); by != nil {
				book(d, oldest, by)
			}
		}
	}
}

// Finish settles what is left: which waits are alike shows when all are known, and a connection that
// its server never closes is over late.
func (t *timeouts) Finish(d rule.Desk) {
	type ended struct {
		*rule.Referred
		by *timeout
	}
	var all []ended
	for r, ok := t.waiting.Next(); ok; r, ok = t.waiting.Next() {
		if by := t.settle(d, r); by != nil {
			all = append(all, ended{r, by})
		}
	}
	for _, e := range all {
		book(d, e.Referred, e.by)
	}
}

// settle finds the timeout that ended a wait; if none did, it is what it was without this rule.
func (t *timeouts) settle(d rule.Desk, r *rule.Referred) *timeout {
	if p := t.pairs.Has(r.Pair); p != nil {
		w := waitOf(&r.Claim)
		if by := p.endedBy(&w); by != nil {
			by.ends(&w, p)
			return by
		}
	}
	for i := range r.Displaced {
		d.Book(r.Subject, &r.Displaced[i])
	}
	return nil
}

// book books a wait that a timeout ended.
func book(d rule.Desk, r *rule.Referred, by *timeout) {
	all, _ := d.Pair(r.Pair)
	n := max(all.Exchanges, by.n)
	grade(&r.Claim, by.n, n)
	by.describe(&r.Claim, n)
	d.Book(r.Subject, &r.Claim)
}

// grade bounds severity by the share of all requests that were given up.
func grade(c *rule.Claim, n, all int) {
	switch {
	case 2*n >= all:
		c.Least = report.High
	case 10*n >= all:
		c.Least = report.Medium
	case 100*n < all:
		c.Most = rule.AtMost(report.Medium)
	}
}
