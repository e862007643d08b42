package http2

import (
	"cmp"
	"slices"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// The numbers of a claim.
const (
	numWait  = iota // from the request to the reset
	numWhole        // from when the client needed the connection to the reset
)

const (
	// What one timer ends differs by alikeShare percent at most, or by alikeLeast: programs look
	// now and then whether it is over, and hosts are busy (reasoning). If it is short, by no more
	// than a part of it, alikeParts.
	alikeShare = 5
	alikeLeast = 20 * time.Millisecond
	alikeParts = 5
	// leastAlike are the fewest waits that show a timer, at different moments; atOnce is within
	// what they end together, as the end of a program ends all of them.
	leastAlike = 3
	atOnce     = 20 * time.Millisecond
	// maxWaits are kept of one client and service; of more the oldest go.
	maxWaits = 256
)

// deadlines finds out which streams a client gave up because a timer of its own said so.
type deadlines struct{ pairs rule.PairTable[givenUp] }

// givenUp are the waits that one client ended at one service.
type givenUp struct{ all []rule.Referred }

// Event has nothing to learn: all that counts is referred.
func (r *deadlines) Event(rule.Desk, *rule.Conn, *rule.Told) {}

// Refer takes a wait that a client ended.
func (r *deadlines) Refer(_ rule.Desk, c rule.Referred) {
	g := r.pairs.Of(c.Pair, c.At)
	if g == nil {
		return
	}
	if len(g.all) >= maxWaits {
		g.all = slices.Delete(g.all, 0, 1)
	}
	g.all = append(g.all, c)
}

// Finish settles which waits are alike, as all are known.
func (r *deadlines) Finish(d rule.Desk) {
	r.pairs.Each(func(_ report.Pair, g *givenUp) {
		byRequest, byNeed := g.alike(numWait), g.alike(numWhole)
		if len(byNeed) > len(byRequest) {
			g.book(d, byNeed, numWhole)
		} else if len(byRequest) > 0 {
			g.book(d, byRequest, numWait)
		}
	})
}

// alike are the waits, by one measure, that one timer may have ended: half of all, at the least.
func (g *givenUp) alike(measure int) (best []rule.Referred) {
	all := slices.Clone(g.all)
	slices.SortStableFunc(all, func(a, b rule.Referred) int {
		return cmp.Or(
			cmp.Compare(a.Num[measure], b.Num[measure]),
			cmp.Compare(a.Occ.End, b.Occ.End),
		)
	})
	for from, to := 0, 0; from < len(all); from++ {
		least := time.Duration(all[from].Num[measure])
		most := least + max(min(alikeLeast, least/alikeParts), least*alikeShare/100)
		for to < len(all) && time.Duration(all[to].Num[measure]) <= most {
			to++
		}
		if to-from > len(best) {
			best = all[from:to]
		}
	}
	if 2*len(best) < len(all) || moments(best) < leastAlike {
		return nil
	}
	return best
}

// moments are at how many different moments waits ended.
func moments(all []rule.Referred) (n int) {
	ends := make([]time.Duration, 0, len(all))
	for i := range all {
		ends = append(ends, all[i].Occ.End)
	}
	slices.Sort(ends)
	for i := range ends {
		if i == 0 || ends[i]-ends[i-1] > atOnce {
			n++
		}
	}
	return n
}

// book books waits that one timer ended, in the order in which they ended.
func (g *givenUp) book(d rule.Desk, same []rule.Referred, measure int) {
	took := time.Duration(same[0].Num[measure])
	slices.SortStableFunc(same, func(a, b rule.Referred) int {
		return cmp.Compare(a.Occ.End, b.Occ.End)
	})
	for i := range same {
		c := &same[i].Claim
		c.Says = []rule.Said{
			rule.Say(givenUpEach, int64(len(same)), int64(len(g.all)), rule.Ns(took)),
		}
		d.Book(same[i].Subject, c)
	}
}
