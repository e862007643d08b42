package connect

import (
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
	closed  map[int]int // connections that the server closed after so many requests
	carried map[int]int // connections that have carried so many requests, and perhaps more
}

// served takes note that a connection of the pair has carried its nth request.
func (l *requestLimits) served(p report.Pair, n int, now time.Duration) {
	if t := l.pairs.Of(p, now); t != nil {
		t.carried = countIn(t.carried, n)
	}
}

// closed takes note that the server closed m behind its latest response, unless that was an error:
// servers close behind those whatever else they do.
func (l *requestLimits) closed(p report.Pair, m *member, now time.Duration) {
	if t := l.pairs.Of(p, now); t != nil && !m.last.failed {
		t.closed = countIn(t.closed, m.served)
	}
}

// countIn adds one to what is counted of n, as long as that is not too much.
func countIn(counts map[int]int, n int) map[int]int {
	if counts == nil {
		counts = map[int]int{}
	}
	if len(counts) < maxCounts || counts[n] > 0 {
		counts[n]++
	}
	return counts
}

// shown reports whether the closes show a limit: several connections ended with the same number of
// requests, and hardly any carried more.
func (t *requestLimit) shown() bool {
	for n, closed := range t.closed {
		if closed >= sameCounts && closed > countsToOthers*t.carried[n+1] {
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
