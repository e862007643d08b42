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

func (r *initialWindows) Event(_ rule.Desk, c *rule.Conn, e *rule.Event) {
	j := e.Judged()
	if j.Index != 0 || j.Spent(reassembly.FromServer, report.SlowStart) <= 0 || len(j.Rounds) < 2 ||
		j.Flow.Mss <= 0 {
		return
	}
	if kept := r.pairs.Of(c.Pair, e.At); kept != nil && len(*kept) < keptWindows {
		*kept = append(*kept, (j.Rounds[0].Bytes+j.Flow.Mss-1)/j.Flow.Mss)
	}
}

func (r *initialWindows) Finish(d rule.Desk) {
	r.pairs.Each(func(p report.Pair, kept *[]int64) {
		if scattered(*kept) {
			rule.Doubt(d.Found(slowStartRule, "", p))
		}
	})
}

// scattered reports whether the windows have no size in common: of four and more, no size has half
// of them within a segment.
func scattered(windows []int64) bool {
	if len(windows) < 4 {
		return false
	}
	for _, w := range windows {
		near := 0
		for _, v := range windows {
			if v >= w-1 && v <= w+1 {
				near++
			}
		}
		if near*2 >= len(windows) {
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

func (r *idleRestarts) Event(_ rule.Desk, c *rule.Conn, e *rule.Event) {
	j := e.Judged()
	if j.Flow.Idle.Since <= 0 || len(j.Rounds) == 0 || j.Flow.Mss <= 0 {
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
	case peak*10 > ledger.UsualInitial*j.Flow.Mss*14 && j.Rounds[0].Bytes*10 >= peak*9:
		h.kept++ // as much at once as before, more than any initial window
	}
}

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
