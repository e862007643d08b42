package transfer

import (
	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

// keptWindows is how many first bursts of connections are kept of each client and service.
const keptWindows = 64

// initialWindows learns with how many segments new connections of a client and a service begin,
// where slow start seems to have ended the burst. A kernel's initial window is the same each time,
// but for a segment; bursts of many sizes were ended by the application.
type initialWindows struct{ pairs rule.PairTable[[]int64] }

// Number makes pairs have the numbers that others have for them.
func (r *initialWindows) Number(n *rule.PairNumbers) { r.pairs.By(n) }

// Event takes note of a connection's first burst.
func (r *initialWindows) Event(_ rule.Desk, c *rule.Conn, e *rule.Told) {
	j := e.Judged()
	if j.Index != 0 || j.Spent(reassembly.FromServer, report.SlowStart) <= 0 || j.RoundCount < 2 ||
		j.Flow.MSS <= 0 {
		return
	}
	if kept := r.pairs.Of(c.Pair, e.At); kept != nil && len(*kept) < keptWindows {
		*kept = append(*kept, (j.FirstRound+j.Flow.MSS-1)/j.Flow.MSS)
	}
}

// Finish doubts what bursts of many sizes are the proof of.
func (r *initialWindows) Finish(d rule.Desk) {
	r.pairs.Each(func(p report.Pair, kept *[]int64) {
		if scattered(*kept) {
			rule.Doubt(d.Found(slowStartRule, "", p))
		}
	})
}

const (
	// leastWindows is how many first bursts it takes to say that they have no size in common.
	leastWindows = 4
	// sameWindow is how many percent of them must be of one size for that to be the kernel's: the
	// responses of some connections are smaller than any window.
	sameWindow = 50
)

// scattered reports whether the windows have no size in common, within a segment.
func scattered(windows []int64) bool {
	if len(windows) < leastWindows {
		return false
	}
	for _, w := range windows {
		near := 0
		for _, v := range windows {
			if v >= w-1 && v <= w+1 {
				near++
			}
		}
		if reaches(near, sameWindow, len(windows)) {
			return false
		}
	}
	return true
}

// idleRestarts learns of hosts whether their kernels forget the congestion window of an idle
// connection.
type idleRestarts struct{ hosts rule.PairTable[restarts] }

// restarts counts responses after an idle period that would show it.
type restarts struct{ forgot, kept int }

const (
	// aboveInitial is from how many percent of the usual initial window on what was in flight is
	// clearly more than that: the ledger asks for as much before it speaks of a restart.
	aboveInitial = 140
	// asBefore is how many percent of what had been in flight a burst must have to be as large: the
	// rest may be the last segments of a message.
	asBefore = 90
)

// Number makes pairs have the numbers that others have for them.
func (r *idleRestarts) Number(n *rule.PairNumbers) { r.hosts.By(n) }

// Event takes note of a response after an idle period.
func (r *idleRestarts) Event(_ rule.Desk, c *rule.Conn, e *rule.Told) {
	j := e.Judged()
	if j.Flow.Idle.Since <= 0 || j.RoundCount == 0 || j.Flow.MSS <= 0 {
		return
	}
	h := r.hosts.Of(rule.Alone(c.Pair.Server.Addr()), e.At)
	if h == nil {
		return
	}
	peak := j.Flow.Idle.Peak
	switch {
	case j.Spent(reassembly.FromServer, report.SlowStartIdle) > 0:
		h.forgot++
	case peak*100 > ledger.UsualInitial*j.Flow.MSS*aboveInitial &&
		reaches(j.FirstRound, asBefore, peak):
		h.kept++ // as much at once as before, more than any initial window
	}
}

// Finish doubts that hosts forget that were seen not to.
func (r *idleRestarts) Finish(d rule.Desk) {
	for key, f := range d.Findings(afterIdleRule) {
		if key.Cause != "" {
			continue
		}
		if h := r.hosts.Has(rule.Alone(key.Pair.Server.Addr())); h != nil && h.kept > 0 &&
			h.kept >= h.forgot {
			rule.Doubt(f)
		}
	}
}
