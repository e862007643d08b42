package ending

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const (
	// idleTimerKnown is how long a reset that an idle timer may have made waits until others show
	// that timer: three times those in use, a minute and more.
	idleTimerKnown = 10 * time.Minute
	// maxHeldResets is how many resets wait; beyond it the oldest are judged by what is known.
	maxHeldResets = 4096
	// shortestIdle is the shortest idle timeout that anybody would set.
	shortestIdle = time.Second
)

// refersReset leaves a reset by the server to the comparison where other connections may tell who
// made it, and why.
func refersReset(p *rule.Pass, cl *rule.Claim, x *exchange.Exchange) {
	c := p.Conn
	down := &c.Half[reassembly.FromServer]
	if cl.Cause != serverAbortCause || !down.RstSeen {
		return
	}
	cl.Referred = true
	cl.Num[resetPort] = int64(c.Client.Port())
	known := numbered(cl, c, down.Una, c.Half[reassembly.FromClient].Max)
	if known && !down.RstActive {
		cl.Num[resetRole] = roleVictim
	}
	if e := &p.State.Ending; x == e.Failed && x.Response == nil && ledger.Seen(e.Prior) &&
		e.Idle >= shortestIdle && down.RstActive && !down.FinSeen &&
		down.Rst.Time-x.Request.End.Time <= c.RTTMin()+reactionTime {
		cl.Num[resetIdle] = int64(e.Idle)
	}
}

// resets settles who made resets, and why, where one connection alone does not show it.
type resets struct {
	idleTimes
	strays
	waiting rule.Agenda[*heldReset]
}

// heldReset is a claim that waits.
type heldReset struct {
	rule.Referred
	until time.Duration // an idle timer is looked for so long
}

// Refer takes a reset, or a stray reply.
func (r *resets) Refer(d rule.Desk, c rule.Referred) {
	if c.Num[resetRole] == roleStray {
		r.strays.add(c)
		return
	}
	w := &heldReset{Referred: c, until: c.At}
	if c.Num[resetIdle] > 0 {
		w.until += idleTimerKnown
	}
	r.waiting.Add(max(w.until, c.At+strayKnown), w)
	if r.waiting.Len() > maxHeldResets {
		if oldest, ok := r.waiting.Next(); ok {
			r.book(d, oldest)
		}
	}
}

// Advance books what nothing can explain any more that comes later.
func (r *resets) Advance(d rule.Desk, now time.Duration) {
	for w, ok := r.waiting.Due(now); ok; w, ok = r.waiting.Due(now) {
		r.book(d, w)
	}
	r.strays.advance(now)
}

// Finish books what is left.
func (r *resets) Finish(d rule.Desk) {
	for w, ok := r.waiting.Next(); ok; w, ok = r.waiting.Next() {
		r.book(d, w)
	}
}

// book books a reset under the cause that all connections together show.
func (r *resets) book(d rule.Desk, w *heldReset) {
	if s := r.strays.of(&w.Referred); s != nil {
		s.blame(&w.Claim)
	} else if timeout, n := r.timer(w); n > 0 {
		w.Cause, w.Confidence = idleResetCause, report.ConfidenceHigh
		w.Says = []rule.Said{rule.Say(idleTimerFired, rule.Ns(timeout), int64(n))}
	} else if w.Num[resetIdle] > 0 {
		// its timer may have fired just then, which once does not show
		w.Confidence = min(w.Confidence, report.ConfidenceMedium)
	}
	d.Book(w.Subject, &w.Claim)
}

// timer is the idle timer that fired just as the request came, and how often it showed; 0 times if
// none is known.
func (r *resets) timer(w *heldReset) (time.Duration, int) {
	idle, t := time.Duration(w.Num[resetIdle]), r.pairs.Has(w.Pair)
	if idle == 0 || t == nil {
		return 0, 0
	}
	timeout, n := t.timeout()
	if n == 0 || !rule.SameTimeout(idle, timeout) {
		return 0, 0
	}
	return timeout, n
}
