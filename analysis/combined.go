package analysis

import (
	"cmp"
	"slices"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/whatif"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

// remedied is what a claim would change about a transfer, for the simulation of all fixes together.
type remedied struct {
	dir reassembly.Dir // of the message
	// the part of the expected cost that is waiting for a window; the rest is single waits
	saved time.Duration
	// the congestion window, in segments, that it would begin with; 0: as it was
	cwnd int64
	room bool // the receive window would no longer bound it
}

// combined is what all fixes together would have saved of the exchange. Single waits go once,
// whoever claims them; the waits for windows are simulated once with every window that a fix
// changes, because behind the one that is removed the next one binds. It is never more than the
// exchange took.
func (j *draft) combined(claims []claim) time.Duration {
	return min(waitsSaved(&j.Exchange, claims)+windowsSaved(&j.Exchange, claims), j.Until-j.From)
}

// waitsSaved is what remains of the claims besides windows: where their intervals overlap, no more
// than the union.
func waitsSaved(j *ledger.Exchange, claims []claim) time.Duration {
	type wait struct {
		report.Interval
		cost time.Duration
	}
	var room [8]wait
	waits := room[:0]
	var total time.Duration
	for i := range claims {
		c := &claims[i]
		cost := c.occ.Cost.Expected - c.window.saved
		span := report.Interval{From: max(c.occ.Start, j.From), To: min(c.occ.End, j.Until)}
		if len(c.lost) > 0 {
			span = c.lost[0]
		}
		switch {
		case cost <= 0:
		case span.To-span.From < cost:
			total += cost // what it lost is not in one piece, or not known
		default:
			waits = append(waits, wait{span, cost})
		}
	}
	slices.SortFunc(
		waits,
		func(a, b wait) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) },
	)
	for len(waits) > 0 {
		end, cost, n := waits[0].To, time.Duration(0), 0
		for n < len(waits) && (n == 0 || waits[n].From < end) {
			end, cost = max(end, waits[n].To), cost+waits[n].cost
			n++
		}
		total += min(cost, end-waits[0].From)
		waits = waits[n:]
	}
	return total
}

// windowsSaved is what the claims about windows save together.
func windowsSaved(j *ledger.Exchange, claims []claim) time.Duration {
	var saved time.Duration
	for _, dir := range ledger.BothWays {
		saved += windowsOf(j, dir, claims)
	}
	return saved
}

// windowsOf is that of dir's message.
func windowsOf(j *ledger.Exchange, dir reassembly.Dir, claims []claim) time.Duration {
	var all remedied
	var most, sum time.Duration
	n := 0
	for i := range claims {
		c := claims[i].window
		if c.saved <= 0 || c.dir != dir {
			continue
		}
		n++
		sum += c.saved
		most = max(most, c.saved)
		all.cwnd, all.room = max(all.cwnd, c.cwnd), all.room || c.room
	}
	f := j.Facts(dir)
	if n < 2 || f == nil || f.Mss <= 0 || f.Bytes <= 0 {
		return sum
	}
	t, used := whatif.TransferOf(f)
	bound := j.WindowTime(dir)
	if all.room {
		t.Window, bound = 0, bound+j.Spent(dir, report.RWnd)
	}
	together := whatif.Clamp(
		j.TransferTime(dir)+j.Spent(dir, report.RWnd)-t.Simulate(max(used, all.cwnd)),
		bound,
	)
	return max(most, together)
}
