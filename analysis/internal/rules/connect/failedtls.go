package connect

import (
	"net/netip"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// maxFailedTLS is how many TLS handshakes that failed wait, of all services: beyond it the first is
// judged by what is known.
const maxFailedTLS = 4096

// fewestLost is from how many connections of a client to a service on the beginnings of TLS
// handshakes are swallowed: on one it may have been chance.
const fewestLost = 2

// hangsAfter is from how long on a handshake that nobody has ended hangs: what clients give it
// at the least (Go's TLSHandshakeTimeout; most others 30 s and more).
const hangsAfter = 10 * time.Second

// numbers of a claim about a TLS handshake
const (
	tlsSince   = iota // since when the other side was to act, in ns
	tlsPending        // 1: nobody has ended it
)

// failedTLS is the comparison of the rules about TLS handshakes that fail or take long: how grave a
// failure is shows in whether the same client ever got an answer from the service, and whether one
// took long, in others.
var failedTLS = &rule.Comparison{
	Start: func() rule.Across { return &tlsFailures{} },
	Wants: rule.Wants(rule.ExchangeBegan, rule.ExchangeOver, rule.ExchangeJudged,
		rule.AttemptJudged, rule.ConnClosing, rule.ConnOver),
}

// tlsFailures holds handshakes that failed until it is known what else the client got.
type tlsFailures struct {
	waiting rule.Agenda[*rule.Referred]
	// by client and service: those whose beginning was swallowed, while they are few
	lost   rule.PairTable[[]*rule.Referred]
	latest rule.PairTable[time.Duration] // when a client did something last
	slow   slowTLS
	spare  spareTLS
}

// Number makes pairs have the numbers that others have for them.
func (f *tlsFailures) Number(n *rule.PairNumbers) {
	f.latest.By(n)
	f.lost.By(n)
	f.spare.pairs.By(n)
}

// Event takes note of when a client did something, and of what handshakes took.
func (f *tlsFailures) Event(_ rule.Desk, c *rule.Conn, e *rule.Told) {
	f.spare.event(c, e)
	switch e.Kind {
	case rule.ExchangeJudged:
		f.slow.judged(c, e.Judged(), e.At)
	case rule.ExchangeBegan:
		x := e.Began()
		f.heardOf(x.Pair.Client, max(x.Start.Time, x.ConnStart.Time))
		f.slow.began(c, x, e.At)
	}
}

// heardOf takes note of when a client did something.
func (f *tlsFailures) heardOf(client netip.Addr, at time.Duration) {
	if latest := f.latest.Of(rule.Alone(client), at); latest != nil {
		*latest = max(*latest, at)
	}
}

// Refer keeps a handshake that failed.
func (f *tlsFailures) Refer(d rule.Desk, c rule.Referred) {
	f.heardOf(c.Pair.Client, c.Occ.End)
	if isSlow(c.Cause) {
		f.slow.refer(d, &c)
		return
	}
	f.waiting.Add(max(c.At, c.Occ.End+elsewhereWait), &c)
	if f.waiting.Len() > maxFailedTLS {
		if w, ok := f.waiting.Next(); ok {
			f.settle(d, w)
		}
	}
}

// Advance books what has waited for long enough.
func (f *tlsFailures) Advance(d rule.Desk, now time.Duration) {
	f.spare.advance(d, now)
	for w, ok := f.waiting.Due(now); ok; w, ok = f.waiting.Due(now) {
		f.settle(d, w)
	}
	f.slow.advance(d, now)
}

// Finish books the rest; of those that were swallowed what would have been said without that.
func (f *tlsFailures) Finish(d rule.Desk) {
	f.spare.finish(d)
	for w, ok := f.waiting.Next(); ok; w, ok = f.waiting.Next() {
		f.settle(d, w)
	}
	f.lost.Each(func(_ report.Pair, few *[]*rule.Referred) {
		for _, w := range *few {
			bookDisplaced(d, w)
		}
	})
	f.slow.finish(d)
}

// settle books one.
func (f *tlsFailures) settle(d rule.Desk, w *rule.Referred) {
	if w.Cause == brokenOffCause && f.spare.spare[w.Occ.Connection] {
		return // no request failed with it
	}
	_, asked := d.Pair(w.Pair)
	if w.Num[tlsPending] != 0 && !f.hangs(w) {
		bookDisplaced(d, w) // nothing has failed yet
		return
	}
	if !w.Kind.Has(rule.LostHello) {
		f.book(d, w, asked)
		return
	}
	few := f.lost.Of(w.Pair, w.Occ.End)
	switch {
	case asked || few == nil:
		bookDisplaced(d, w) // others get through: nothing on the way swallows them
	case len(*few)+1 < fewestLost && d.Found(w.Rule, w.Cause, w.Pair) == nil:
		*few = append(*few, w)
	default:
		for _, earlier := range append(*few, w) {
			f.book(d, earlier, false)
		}
		*few = nil
	}
}

// hangs reports whether a handshake that nobody has ended had hung for long when its client did
// something last, and says for how long: that is the time of no exchange.
func (f *tlsFailures) hangs(w *rule.Referred) bool {
	hung := -time.Duration(w.Num[tlsSince])
	if latest := f.latest.Has(rule.Alone(w.Pair.Client)); latest != nil {
		hung += *latest
	}
	w.Occ.Cost = report.Cost{High: max(0, hung)}
	w.Says = append(w.Says[:len(w.Says):len(w.Says)], rule.Say(stillHangs, rule.Ns(hung)))
	return hung >= hangsAfter
}

// book books one. Where nothing was ever answered, nothing works.
func (f *tlsFailures) book(d rule.Desk, w *rule.Referred, asked bool) {
	if !asked && w.Least == report.Medium {
		w.Least = min(report.High, w.Most.Severity())
	}
	bookLost(d, w, &w.Claim)
}

// bookDisplaced books what a claim that does not stand had taken the place of.
func bookDisplaced(d rule.Desk, w *rule.Referred) {
	for i := range w.Displaced {
		bookLost(d, w, &w.Displaced[i])
	}
}

// bookLost books a claim about the exchange of a claim that was referred.
func bookLost(d rule.Desk, w *rule.Referred, c *rule.Claim) {
	if d.Enabled(c.Rule) {
		d.Book(w.Subject, c)
		d.Lose(c.Occ.Start, min(c.Occ.Cost.Expected, w.Took))
	}
}
