package naming

import (
	"slices"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// promptly is how soon a resolver goes on behind an answer: at once, but the capture may be on the
// other side of a path to it.
const promptly = 100 * time.Millisecond

// wait is a stretch of a look-up that a fault took.
type wait struct {
	report.Interval
	try  *reassembly.LookupTry // the query that it began with
	next *reassembly.LookupTry // the query that ended it; nil: the client connected
}

// seen reports whether a mark is of a frame.
func seen(m capture.Mark) bool { return m.Frame != 0 }

// asksOn is the next query of the same resolver for the same name.
func asksOn(l *reassembly.Lookup, i int) *reassembly.LookupTry {
	t := &l.Tries[i]
	for k := i + 1; k < len(l.Tries); k++ {
		n := &l.Tries[k]
		if n.Stub == t.Stub && n.Name == t.Name && n.Sent.Time-t.Sent.Time > promptly {
			return n
		}
	}
	return nil
}

// released reports whether an answer made the resolver send a query: it had come just before.
func released(l *reassembly.Lookup, n *reassembly.LookupTry) bool {
	for i := range l.Tries {
		t := &l.Tries[i]
		if t.Stub == n.Stub && seen(t.Answered) && t.Answered.Time <= n.Sent.Time &&
			n.Sent.Time-t.Answered.Time <= promptly {
			return true
		}
	}
	return false
}

// unansweredWaits are the waits for answers that did not come before a timer ran out: until the
// resolver asked again, or the client went on without.
func unansweredWaits(l *reassembly.Lookup) (all []wait) {
	for i := range l.Tries {
		t := &l.Tries[i]
		n := asksOn(l, i)
		switch {
		case n != nil && (!seen(t.Answered) || t.Answered.Time > n.Sent.Time) && !released(l, n):
			all = append(all, wait{report.Interval{From: t.Sent.Time, To: n.Sent.Time}, t, n})
		case n == nil && l.GaveUp && !seen(t.Answered) && !t.Stub:
			all = append(all, wait{report.Interval{From: t.Sent.Time, To: l.Ready.Time}, t, nil})
		}
	}
	return all
}

// errorWaits are the times that errors took, after which the resolver asked again.
func errorWaits(l *reassembly.Lookup) (all []wait) {
	for i := range l.Tries {
		t := &l.Tries[i]
		for k := i + 1; k < len(l.Tries) && t.Failed(); k++ {
			n := &l.Tries[k]
			if n.Stub == t.Stub && n.Name == t.Name && n.Kind == t.Kind &&
				n.Sent.Time >= t.Answered.Time {
				all = append(all, wait{report.Interval{From: t.Sent.Time, To: n.Sent.Time}, t, n})
				break
			}
		}
	}
	return all
}

// searchWait is the time in which other names were asked for, with domains behind the one that was
// found or in place of its own, and how many there were.
func searchWait(l *reassembly.Lookup) (w wait, names int) {
	w.From = l.Begin.Time
	last := ""
	for i := range l.Tries {
		t := &l.Tries[i]
		switch {
		case t.Stub:
		case t.Name == l.Name:
			w.To, w.next = t.Sent.Time, t
			return w, names
		case t.Name != last:
			if last = t.Name; w.try == nil {
				w.try = t
			}
			names++
		}
	}
	return w, names
}

// slowest is the wait for the answer for the name that took longest. Where it is seen what a
// resolver of the host asked, it is that: the rest is not an answer's.
func slowest(l *reassembly.Lookup) (w wait) {
	stub := slices.ContainsFunc(l.Tries, func(t reassembly.LookupTry) bool { return t.Stub })
	for i := range l.Tries {
		t := &l.Tries[i]
		if t.Name == l.Name && t.Stub == stub && seen(t.Answered) && !t.Failed() &&
			t.Answered.Time-t.Sent.Time > w.To-w.From {
			w = wait{report.Interval{From: t.Sent.Time, To: t.Answered.Time}, t, nil}
		}
	}
	return w
}

// quickest is the least time in which a query was answered, whatever the answer said: what one
// takes anyway; 0 if none was but that.
func quickest(l *reassembly.Lookup, but *reassembly.LookupTry) (least time.Duration) {
	for i := range l.Tries {
		t := &l.Tries[i]
		if t == but || !seen(t.Answered) || t.Failed() {
			continue
		}
		took := t.Answered.Time - t.Sent.Time
		if took > 0 && (least == 0 || took < least) { // else a clock was set
			least = took
		}
	}
	return least
}

// without are the parts of an interval that lie in none of the others, which are apart and in
// order.
func without(i report.Interval, others []report.Interval) (parts []report.Interval) {
	for _, o := range others {
		if o.From > i.From && o.From < i.To {
			parts = append(parts, report.Interval{From: i.From, To: o.From})
		}
		i.From = min(i.To, max(i.From, o.To))
	}
	if i.From < i.To {
		parts = append(parts, i)
	}
	return parts
}

// length is how long intervals that are apart are together.
func length(all []report.Interval) (sum time.Duration) {
	for _, i := range all {
		sum += i.To - i.From
	}
	return sum
}
