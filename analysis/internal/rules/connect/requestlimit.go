package connect

import (
	"cmp"
	"slices"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

const (
	// sameCounts is how many connections must have been closed after as many requests before that
	// counts as a limit: two may be chance (reasoning).
	sameCounts = 3
	// countsToOthers is how many times as many must have been closed so as have carried more: a
	// limit that was changed meanwhile leaves some of those (reasoning).
	countsToOthers = 3
)

// requestLimits learns after how many requests servers close connections, over the whole capture,
// so that a limit does not depend on which connection came first.
type requestLimits struct{ pairs rule.PairTable[requestLimit] }

// requestLimit is what the connections between one client and one service have shown.
type requestLimit struct {
	closed  counts // connections that the server closed after so many requests
	carried counts // connections that have carried so many requests, and perhaps more
}

// served takes note that a connection of the pair has carried its nth request.
func (l *requestLimits) served(p report.Pair, n int, now time.Duration) {
	if t := l.pairs.Of(p, now); t != nil {
		t.carried.add(n)
	}
}

// closed takes note that the server closed m behind its latest response, unless that was an error:
// servers close behind those whatever else they do.
func (l *requestLimits) closed(p report.Pair, m *member, now time.Duration) {
	if t := l.pairs.Of(p, now); t != nil && !m.last.failed {
		t.closed.add(m.served)
	}
}

// counts are how often each of some numbers came, by number: mostly there is one.
type counts []countOf

type countOf struct{ n, times int }

// find is the place of a number; false if it is not there.
func (c counts) find(n int) (at int, found bool) {
	return slices.BinarySearchFunc(c, n, func(c countOf, n int) int { return cmp.Compare(c.n, n) })
}

// of is how often n came.
func (c counts) of(n int) int {
	if at, found := c.find(n); found {
		return c[at].times
	}
	return 0
}

// add counts n once more, unless there are too many others.
func (c *counts) add(n int) {
	at, found := c.find(n)
	switch {
	case found:
		(*c)[at].times++
	case len(*c) < maxCounts:
		*c = slices.Insert(*c, at, countOf{n, 1})
	}
}

// shown reports whether the closes show a limit: several connections ended with the same number of
// requests, and hardly any carried more.
func (t *requestLimit) shown() bool {
	for _, c := range t.closed {
		if c.times >= sameCounts && c.times > countsToOthers*t.carried.of(c.n+1) {
			return true
		}
	}
	return false
}

// settle gives the closes that show no limit to the cause that says no more than that the server
// closed after some responses.
func (l *requestLimits) settle(d rule.Desk) {
	l.pairs.Each(func(p report.Pair, t *requestLimit) {
		if t.shown() || d.Found(missedReuseRule, ageLimitCause, p) != nil {
			return
		}
		d.Recast(rule.Key{Rule: missedReuseRule, Cause: maxRequestsCause, Pair: p},
			someResponsesCloseCause)
	})
}
