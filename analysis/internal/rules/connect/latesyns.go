package connect

import (
	"cmp"
	"slices"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly/exchange"
)

const (
	// clusterWait is how long after it is known a connection waits for others that failed with it:
	// the longest wait between two repetitions (Linux: TCP_RTO_MAX, 120 s; RFC 6298 §2.5 allows for
	// 60 s and more), and room for the answer.
	clusterWait = 130 * time.Second
	// fewShare is how many percent of the connections that began within a second must have lost
	// their first data twice for that to be no chance. On a path that loses one segment in twenty,
	// one in 400 does; that three of ten do is twice in a million (binomial), and of more
	// connections rarer.
	fewShare = 30
	// maxLateSYNs is how many late connections wait at a time, of all services: each takes about a
	// kilobyte. Beyond it the first is judged by what is known.
	maxLateSYNs = 1 << 14
	// keptLate is of how many late connections to a service the first SYN is remembered.
	keptLate = 1024
	// aliveGap is how far apart responses of a service may be that count as one stretch in which it
	// was alive. What is asked for lasts longer: until a SYN, or data, was repeated.
	aliveGap = 200 * time.Millisecond
	// keptAlive is how many such stretches are remembered of a service: more than 50 s of it.
	keptAlive = 256
)

// lateSYNs collects connections whose SYN was repeated, to see whether several failed together.
// Each is judged when clusterWait has passed since it became known, by what is known of its
// service then.
type lateSYNs struct {
	waiting  rule.Agenda[*lateSYN]
	services rule.PairTable[lateService]
}

// lateSYN is one of them.
type lateSYN struct{ rule.Referred }

// lateService is what is known of a service that connections are compared by. Both lists are in
// order of time, the latest are kept.
type lateService struct {
	starts []time.Duration   // first SYNs of late connections
	begun  []time.Duration   // those of all connections
	spans  []report.Interval // in which the first data of one was sent in vain
	alive  []report.Interval // in which responses ended
}

// service is what is known of that of a pair, from now on; nil if there are too many.
func (r *lateSYNs) service(p report.Pair, now time.Duration) *lateService {
	return r.services.Of(report.Pair{Server: p.Server}, now)
}

// Number makes pairs have the numbers that others have for them.
func (r *lateSYNs) Number(n *rule.PairNumbers) { r.services.By(n) }

// Event takes note of a connection, and of a response that is complete.
func (r *lateSYNs) Event(_ rule.Desk, c *rule.Conn, e *rule.Told) {
	if e.Kind == rule.ExchangeBegan {
		if b := e.Began(); b.First && b.Handshake {
			if s := r.service(c.Pair, e.At); s != nil {
				s.begun = insertLatest(s.begun, b.ConnStart.Time)
			}
		}
		return
	}
	data := e.Over()
	if data.Outcome != exchange.Complete || data.End.Time > e.At {
		return
	}
	if s := r.service(c.Pair, e.At); s != nil {
		s.answered(data.End.Time)
	}
}

// Refer keeps a connection until it is known which others failed with it.
func (r *lateSYNs) Refer(d rule.Desk, c rule.Referred) {
	if s := r.service(c.Pair, c.At); s != nil {
		s.failed(c.Occ.Start)
		if c.Num[synDropped] != 0 {
			s.spans = appendLatest(s.spans,
				report.Interval{From: c.Occ.Start, To: c.Occ.End}, keptLate)
		}
	}
	if certain := c.Num[synDropped] != 0 && c.Num[synMaybe] == 0; certain ||
		c.Cause == networkCause {
		r.book(d, &lateSYN{c}) // what others did changes nothing
		return
	}
	r.waiting.Add(c.At+clusterWait, &lateSYN{c})
	if r.waiting.Len() > maxLateSYNs {
		if w, ok := r.waiting.Next(); ok {
			r.book(d, w)
		}
	}
}

// Advance books what has waited for long enough.
func (r *lateSYNs) Advance(d rule.Desk, now time.Duration) {
	for w, ok := r.waiting.Due(now); ok; w, ok = r.waiting.Due(now) {
		r.book(d, w)
	}
}

// Finish books the rest.
func (r *lateSYNs) Finish(d rule.Desk) {
	for w, ok := r.waiting.Next(); ok; w, ok = r.waiting.Next() {
		r.book(d, w)
	}
}

// book books one connection.
func (r *lateSYNs) book(d rule.Desk, w *lateSYN) {
	c := &w.Claim
	dropped, maybe := c.Num[synDropped] != 0, c.Num[synMaybe] != 0
	s := r.services.Has(report.Pair{Server: w.Pair.Server})
	several := s != nil && s.several(c)
	if maybe && !several { // it was loss
		for i := range w.Displaced {
			w.bookAs(d, &w.Displaced[i])
		}
		return
	}
	switch {
	case c.Cause == networkCause, dropped && !maybe:
		c.Confidence = report.Proven
	case c.Cause == overflowCause && !s.filled(c.Occ.Start, c.Occ.End):
		// nobody is seen to have filled a queue: a filter of the host, or a limit, may drop SYNs,
		// too
		c.Cause, c.Confidence = unknownCause, report.ConfidenceMedium
	case c.Cause == unknownCause && !several:
		c.Confidence = report.ConfidenceMedium
	case c.Cause == unknownCause:
		c.Cause, c.Confidence = overflowCause, report.ConfidenceHigh
	default:
		c.Confidence = report.ConfidenceHigh
	}
	repeats := time.Duration(c.Num[synRepeats])
	if dropped {
		repeats += c.Occ.End - c.Occ.Start
	}
	total := repeats + time.Duration(c.Num[synAnswers])
	c.Occ.Cost = report.Cost{Low: repeats, Expected: total, High: total}
	if c.Num[synDoubtful] != 0 {
		c.Occ.Cost.Low = 0
	}
	w.bookAs(d, c)
}

// bookAs books a claim about the exchange that waited for the handshake.
func (w *lateSYN) bookAs(d rule.Desk, c *rule.Claim) {
	if d.Enabled(c.Rule) {
		d.Book(w.Subject, c)
		d.Lose(c.Occ.Start, min(c.Occ.Cost.Expected, w.Took))
	}
}

// filled reports whether others may have filled the queue of the service when a SYN was dropped
// that was repeated until a given moment: a connection had begun before that was not late itself,
// or one was served meanwhile.
func (s *lateService) filled(from, to time.Duration) bool {
	if s == nil {
		return true // too many services: nothing is known of this one
	}
	before := func(all []time.Duration) int {
		n, _ := slices.BinarySearch(all, from+1)
		return n
	}
	return before(s.begun) > before(s.starts) || s.within(from, to)
}

// failed takes note of a late connection by its first SYN.
func (s *lateService) failed(start time.Duration) {
	s.starts = insertLatest(s.starts, start)
}

// several reports whether a connection failed together with others, while the server was there.
func (s *lateService) several(c *rule.Claim) bool {
	from, to := c.Occ.Start, c.Occ.End
	switch {
	case c.Num[synFew] != 0:
		return s.together(from) && s.most(from) && s.within(from-clusterSpan, to+clusterSpan)
	case c.Num[synDropped] != 0:
		return (s.together(from) || s.meanwhile(from, to)) && s.within(from, to)
	}
	return s.together(from) && s.within(from, to)
}

// meanwhile reports whether the first data of enough connections was sent in vain at the same time.
func (s *lateService) meanwhile(from, to time.Duration) bool {
	n := 0
	for _, i := range s.spans {
		if i.From < to && i.To > from {
			n++
		}
	}
	return n >= clusterSize
}

// most reports whether those that failed within a second were more than chance makes of all that
// began then.
func (s *lateService) most(first time.Duration) bool {
	return within(s.starts, first)*100 >= within(s.begun, first)*fewShare
}

// within is how many of the moments, in order, lie within clusterSpan of one.
func within(all []time.Duration, at time.Duration) int {
	from, _ := slices.BinarySearch(all, at-clusterSpan)
	to, _ := slices.BinarySearch(all, at+clusterSpan+1)
	return to - from
}

// insertLatest adds a moment to some that are in order, of which the latest are kept.
func insertLatest(all []time.Duration, at time.Duration) []time.Duration {
	i, _ := slices.BinarySearch(all, at)
	all = slices.Insert(all, i, at)
	if len(all) > keptLate {
		all = slices.Delete(all, 0, 1)
	}
	return all
}

// together reports whether enough connections to the service failed within the same second.
func (s *lateService) together(first time.Duration) bool {
	return within(s.starts, first) >= clusterSize
}

// answered takes note of the end of a response.
func (s *lateService) answered(at time.Duration) {
	n := len(s.alive) - 1
	if n >= 0 && at >= s.alive[n].From && at-s.alive[n].To <= aliveGap {
		s.alive[n].To = max(s.alive[n].To, at)
		return
	}
	i, _ := slices.BinarySearchFunc(s.alive, at, func(a report.Interval, at time.Duration) int {
		return cmp.Compare(a.From, at)
	})
	s.alive = slices.Insert(s.alive, i, report.Interval{From: at, To: at})
	s.join(i)
	s.join(i - 1)
	if len(s.alive) > keptAlive {
		s.alive = slices.Delete(s.alive, 0, 1)
	}
}

// join makes one of two stretches that follow each other closely.
func (s *lateService) join(i int) {
	if i < 0 || i+1 >= len(s.alive) || s.alive[i+1].From-s.alive[i].To > aliveGap {
		return
	}
	s.alive[i].To = max(s.alive[i].To, s.alive[i+1].To)
	s.alive = slices.Delete(s.alive, i+1, i+2)
}

// within reports whether a response ended between from and to.
func (s *lateService) within(from, to time.Duration) bool {
	return slices.ContainsFunc(s.alive, func(a report.Interval) bool {
		return a.To > from && a.From < to
	})
}
