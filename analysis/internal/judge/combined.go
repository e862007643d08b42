package judge

import (
	"cmp"
	"slices"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/whatif"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

// combined is what all fixes together would have saved of the exchange. Single waits go once,
// whoever claims them; the waits for windows are simulated once with every window that a fix
// changes, because behind the one that is removed the next one binds. It is never more than the
// exchange took.
func combined(j *rule.Judged, claims []rule.Claim) time.Duration {
	return min(waitsSaved(&j.Account, claims)+windowsSaved(&j.Account, claims), j.Until-j.From)
}

// inPart leaves out the claims that lie before the part that counts, which begins at from; 0: all
// of the capture counts.
func inPart(claims []rule.Claim, from time.Duration) []rule.Claim {
	if from == 0 {
		return claims
	}
	return slices.DeleteFunc(claims, func(c rule.Claim) bool { return c.Occ.End <= from })
}

// waitsSaved is what remains of the claims besides windows: where their intervals overlap, no more
// than the union.
func waitsSaved(j *ledger.Account, claims []rule.Claim) time.Duration {
	type wait struct {
		report.Interval
		cost time.Duration
	}
	var room [8]wait
	waits := room[:0]
	var total time.Duration
	for i := range claims {
		c := &claims[i]
		cost := c.Occ.Cost.Expected - c.Window.Saved
		span := report.Interval{From: max(c.Occ.Start, j.From), To: min(c.Occ.End, j.Until)}
		if len(c.Lost) > 0 {
			span = c.Lost[0]
		}
		switch {
		case cost <= 0:
		case span.To-span.From < cost:
			total += cost // what it lost is not in one piece, or not known
		default:
			waits = append(waits, wait{span, cost})
		}
	}
	slices.SortFunc(waits,
		func(a, b wait) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
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
func windowsSaved(j *ledger.Account, claims []rule.Claim) time.Duration {
	var saved time.Duration
	for _, dir := range ledger.BothWays {
		saved += windowsOf(j, dir, claims)
	}
	return saved
}

// windowsOf is that of dir's message.
func windowsOf(j *ledger.Account, dir reassembly.Dir, claims []rule.Claim) time.Duration {
	var all rule.Window
	var most, sum time.Duration
	n := 0
	for i := range claims {
		c := claims[i].Window
		if c.Saved <= 0 || c.Dir != dir {
			continue
		}
		n++
		sum += c.Saved
		most = max(most, c.Saved)
		all.Cwnd, all.Room = max(all.Cwnd, c.Cwnd), all.Room || c.Room
	}
	f := j.FlowOf(dir)
	if n < 2 || f == nil || f.MSS <= 0 || f.Bytes <= 0 {
		return sum
	}
	t, used := whatif.TransferOf(f)
	bound := j.WindowTime(dir)
	if all.Room {
		t.Window, bound = 0, bound+j.Spent(dir, report.RWnd)
	}
	together := whatif.Clamp(
		j.TransferTime(dir)+j.Spent(dir, report.RWnd)-t.Simulate(max(used, all.Cwnd)), bound)
	return max(most, together)
}
