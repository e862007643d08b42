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
	// what fails in the same second is known within seconds of that, as repetitions are a second
	// apart at first.
	clusterWait = 10 * time.Second
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
	alive  []report.Interval // in which responses ended
}

// service is what is known of that of a pair, from now on; nil if there are too many.
func (r *lateSYNs) service(p report.Pair, now time.Duration) *lateService {
	return r.services.Of(report.Pair{Server: p.Server}, now)
}

// Event takes note of a response that is complete.
func (r *lateSYNs) Event(_ rule.Desk, c *rule.Conn, e *rule.Told) {
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
	several := s != nil && s.together(c.Occ.Start) && s.within(c.Occ.Start, c.Occ.End)
	if maybe && !several { // it was loss
		for i := range w.Displaced {
			w.bookAs(d, &w.Displaced[i])
		}
		return
	}
	switch {
	case c.Cause == networkCause, dropped && !maybe:
		c.Confidence = report.Proven
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
		d.Lose(min(c.Occ.Cost.Expected, w.Took))
	}
}

// failed takes note of a late connection by its first SYN.
func (s *lateService) failed(start time.Duration) {
	i, _ := slices.BinarySearch(s.starts, start)
	s.starts = slices.Insert(s.starts, i, start)
	if len(s.starts) > keptLate {
		s.starts = slices.Delete(s.starts, 0, 1)
	}
}

// together reports whether enough connections to the service failed within the same second.
func (s *lateService) together(first time.Duration) bool {
	from, _ := slices.BinarySearch(s.starts, first-clusterSpan)
	to, _ := slices.BinarySearch(s.starts, first+clusterSpan+1)
	return to-from >= clusterSize
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
