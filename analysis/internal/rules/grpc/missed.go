package grpc

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly/exchange"
)

const (
	// maxMissed calls that missed their deadline wait for the end; of more only the number counts.
	maxMissed = 4096
	// pollLeast is from how long on a deadline may be that of a call which waits for something to
	// happen, if no call of its method was ever answered (that of client-timeout).
	pollLeast = 10 * time.Second
)

// missed counts calls by method, and keeps those that missed their deadline until it is known what
// became of the others.
type missed struct {
	at      map[method]*calls
	waiting []late
	withins int // of all methods
}

// calls are those of a method.
type calls struct {
	all, missed int
	answered    bool                // one had an answer
	streams     bool                // one had several messages of the server's, or in turns
	clients     map[netip.Addr]bool // of those that missed their deadline
	within      map[within]*kept
}

// within is a client with a deadline as its program wrote it.
type within struct {
	client   netip.Addr
	deadline time.Duration
}

// kept are the calls with a deadline.
type kept struct{ inTime, missed int }

// late is a call that missed its deadline.
type late struct {
	rule.Subject
	rule.Claim
	of       method
	deadline time.Duration // as its program wrote it
	instead  string        // the cause if the round trip is none; "": nothing tells
}

// Event counts a call.
func (m *missed) Event(d rule.Desk, c *rule.Conn, e *rule.Told) {
	x := e.Judged().Info
	r := x.OnStream.RPC
	if r == nil || !d.Enabled(deadlineRule) {
		return
	}
	k, known := methodOf(c, r)
	a := m.at[k]
	if a == nil {
		if !known || len(m.at) >= maxMethods {
			return
		}
		a = &calls{clients: map[netip.Addr]bool{}, within: map[within]*kept{}}
		m.at[k] = a
	}
	a.all++
	a.streams = a.streams || r.Streaming()
	a.answered = a.answered || r.Messages[exchange.FromServer].Count > 0
	w, inTime := m.within(a, c.Pair.Client, r.Timeout), r.Status == okayStatus
	for _, cl := range e.Judged().Claims {
		if cl.Rule != deadlineRule {
			continue
		}
		a.missed++
		w.missed++
		inTime = false
		if len(a.clients) < maxRuns {
			a.clients[c.Pair.Client] = true
		}
		if len(m.waiting) < maxMissed {
			cl.Occ.Exchange = d.Exchange(c.Id, int(e.Index))
			m.waiting = append(m.waiting,
				late{c.Of(e.Judged()), cl, k, written(r.Timeout), longest(e.Judged())})
		}
	}
	if inTime && x.Outcome == exchange.Complete {
		w.inTime++
	}
}

// longest is the cause that what took longest of a call belongs to, the round trip left out.
func longest(job *rule.Judged) string {
	switch path, own := job.Sum(onTheWay()...), job.Sum(atTheServer()...); {
	case path > own:
		return transitCause
	case own > 0:
		return lateCause
	}
	return ""
}

// within are the calls of a client with a deadline; those without one, and of too many, count for
// nobody.
func (m *missed) within(a *calls, client netip.Addr, timeout time.Duration) *kept {
	w := within{client, written(timeout)}
	k := a.within[w]
	if k == nil {
		k = &kept{}
		if timeout > 0 && m.withins < maxRuns {
			a.within[w] = k
			m.withins++
		}
	}
	return k
}

// written is the deadline as a program writes it, in two digits: on the wire stands what is left
// of it.
func written(timeout time.Duration) time.Duration {
	const digits = 100
	unit := time.Duration(1)
	for timeout > digits*unit {
		unit *= 10
	}
	return (timeout + unit - 1) / unit * unit
}

// enough reports whether a deadline that is half a round trip and more was enough for most calls of
// the same client with it, or a shorter one; and of how many of how many.
func (a *calls) enough(l *late) (inTime, all int, enough bool) {
	for w, k := range a.within {
		if w.client == l.Pair.Client && w.deadline <= l.deadline {
			inTime += k.inTime
			all += k.inTime + k.missed
		}
	}
	return inTime, all, 2*inTime > all
}

// excuse takes the blame from a deadline that was enough for most; false if nothing else has it.
func (a *calls) excuse(l *late) bool {
	inTime, all, enough := a.enough(l)
	if l.Cause != shortCause || !enough {
		return true
	}
	l.Cause, l.Confidence = l.instead, report.ConfidenceMedium
	l.Says = []rule.Said{rule.Say(enoughForMost, int64(inTime), int64(all))}
	return l.instead != ""
}

// Refer has nothing to do: the event of the call brought the claim.
func (m *missed) Refer(rule.Desk, rule.Referred) {}

// Finish books the calls of methods whose calls are questions with an answer each.
func (m *missed) Finish(d rule.Desk) {
	slices.SortStableFunc(m.waiting, func(a, b late) int {
		return cmp.Or(a.of.compare(b.of), cmp.Compare(a.Occ.Start, b.Occ.Start))
	})
	for i := range m.waiting {
		l := &m.waiting[i]
		a := m.at[l.of]
		if a == nil || a.streams || !a.excuse(l) {
			continue
		}
		a.describe(&l.Claim, &l.of)
		d.Book(l.Subject, &l.Claim)
	}
}

// describe says how many calls of the method missed their deadline, and how sure that is.
func (a *calls) describe(c *rule.Claim, m *method) {
	words := metDeadline
	if len(a.clients) > 1 {
		words = metDeadlineAll
	}
	c.Says = append([]rule.Said{rule.Say(words, int64(a.missed), int64(a.all)).With(m.String())},
		c.Says...)
	if !a.answered && c.Cause == lateCause {
		c.Says = append(c.Says, rule.Say(neverAnswered))
		c.Confidence = min(c.Confidence, report.ConfidenceMedium)
		if c.Occ.End-c.Occ.Start >= pollLeast {
			c.Confidence = report.ConfidenceLow
		}
	}
	if a.missed < leastFailures {
		return
	}
	switch {
	case 100*a.missed >= mostlyFailed*a.all:
		c.Least = report.High
	case 100*a.missed >= oftenFailed*a.all:
		c.Least = report.Medium
	case 100*a.missed < someFailed*a.all:
		c.Most = rule.AtMost(report.Medium)
	}
}
