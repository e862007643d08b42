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
}

// calls are those of a method.
type calls struct {
	all, missed int
	answered    bool                // one had an answer
	streams     bool                // one had several messages of the server's, or in turns
	clients     map[netip.Addr]bool // of those that missed their deadline
}

// late is a call that missed its deadline.
type late struct {
	rule.Subject
	rule.Claim
	of method
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
		a = &calls{clients: map[netip.Addr]bool{}}
		m.at[k] = a
	}
	a.all++
	a.streams = a.streams || r.Streaming()
	a.answered = a.answered || r.Messages[exchange.FromServer].Count > 0
	for _, cl := range e.Judged().Claims {
		if cl.Rule != deadlineRule {
			continue
		}
		a.missed++
		if len(a.clients) < maxRuns {
			a.clients[c.Pair.Client] = true
		}
		if len(m.waiting) < maxMissed {
			cl.Occ.Exchange = d.Exchange(c.Id, int(e.Index))
			m.waiting = append(m.waiting, late{c.Of(e.Judged()), cl, k})
		}
	}
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
		if a == nil || a.streams {
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
