package judge

import (
	"maps"
	"slices"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// Exchanges that go on beside each other share the clock: by the clock, what all of them waited, or
// lost, at one moment is one moment, on however many connections they were.

// sharedTime is what went on by the clock, and by how much sums over exchanges count a moment of a
// connection more than once.
type sharedTime struct {
	exchanges int                              // that had others beside them on their connection
	times     [report.LabelCount]time.Duration // more than once; less than nothing: not at all
	busy      timeSet                          // an exchange went on
	lost      lostTime                         // what counts as lost
}

// lostTime is when time was lost.
type lostTime struct {
	at   timeSet
	cost time.Duration // of what is in it, one by one
}

// add adds what was lost in a stretch.
func (l *lostTime) add(i report.Interval, cost time.Duration) {
	l.at.add(i)
	l.cost += cost
}

// byClock is what was lost by the clock, of so much where it is added up. What is not known to
// stand anywhere counts in full.
func (l *lostTime) byClock(sum time.Duration) time.Duration {
	return max(0, min(l.at.measure()+max(0, sum-l.cost), sum))
}

// join is what either lost.
func (l *lostTime) join(o *lostTime) lostTime {
	all := lostTime{timeSet{slices.Clone(l.at.all)}, l.cost + o.cost}
	for _, i := range o.at.all {
		all.at.add(i)
	}
	return all
}

// add takes in an exchange, of whose connection's time so much counts with it; nil: all.
func (t *sharedTime) add(x *report.ExchangeInfo, clock *[report.LabelCount]time.Duration) {
	t.busy.add(report.Interval{From: x.Start, To: x.Start + x.Duration})
	if clock == nil {
		return
	}
	t.exchanges++
	for _, l := range x.Times {
		t.times[l.Label] += l.Time
	}
	for l, own := range clock {
		t.times[l] -= own
	}
}

// clock is what everything took and lost by the clock, of which findings cost so much, one by one.
// Time in which several connections had something under way is shared out to what they waited for.
func (t *totalSums) clock(findings time.Duration) report.Clock {
	c := report.Clock{Shared: t.shared.exchanges}
	if c.Shared == 0 {
		return c
	}
	times := t.times
	for l := range times {
		times[l] -= t.shared.times[l]
	}
	c.Time = min(t.shared.busy.measure(), t.exchangeTime)
	shareOut(&times, &t.times, c.Time)
	c.Times = report.LabelTimes(&times)
	lost := &t.shared.lost
	c.Lost = min(lost.at.within(&t.shared.busy)+max(0, t.lostAtMost()-lost.cost), c.Time, findings)
	return c
}

// shareOut makes times, by the clock, add up to the whole. Of what they have too much each gives its
// part. What they lack was nothing to carry for a connection: what exchanges waited for meanwhile,
// one by one, they get in its place, none more than all of that.
func shareOut(times, oneByOne *[report.LabelCount]time.Duration, whole time.Duration) {
	var sum, slack time.Duration
	for l := range times {
		times[l] = max(0, min(times[l], oneByOne[l]))
		sum, slack = sum+times[l], slack+oneByOne[l]-times[l]
	}
	left, most := whole, 0
	for l := range times {
		if sum > whole {
			times[l] = share(times[l], whole, sum)
		} else {
			times[l] += share(oneByOne[l]-times[l], whole-sum, slack)
		}
		if left -= times[l]; oneByOne[l]-times[l] > oneByOne[most]-times[most] {
			most = l
		}
	}
	times[most] += left
}

// showLost takes note of when the client's judged exchanges lost what they did.
func (c *clientClock) showLost(j *Judge) {
	total := &j.Total.shared.lost
	for _, id := range slices.Sorted(maps.Keys(c.items)) {
		item := c.items[id]
		if !item.judged || len(item.slices) == 0 {
			continue
		}
		for key, own := range item.claimed() {
			if g := j.groups[key]; g != nil {
				g.lost.take(&item, own)
			}
		}
		var own claimedTime
		for _, s := range item.slices {
			if !s.doubtful {
				own.lost = append(own.lost, s.Interval)
			}
		}
		if item.page != nil && item.page.cut {
			own.clocked = item.lost
		} else {
			own.cost = item.lost
		}
		total.take(&item, own)
	}
}

// take takes in what an exchange lost: not more than that, wherever its slices stand.
func (l *lostTime) take(x *clockItem, own claimedTime) {
	left := own.cost
	for _, i := range spread(own.lost, x.Interval, own.cost) {
		i.To = min(i.To, i.From+left)
		left -= max(0, i.To-i.From)
		l.at.add(i)
	}
	l.at.fill(x.Interval, own.clocked)
	l.cost += own.cost + own.clocked
}

// ofClaims takes in what claims about one stretch of time lost together.
func (l *lostTime) ofClaims(claims []rule.Claim, lost time.Duration) {
	left := lost
	for i := range claims {
		o := &claims[i].Occ
		to := min(o.Start+min(o.Cost.Expected, left), o.End)
		l.at.add(report.Interval{From: o.Start, To: to})
		left -= max(0, to-o.Start)
	}
	l.cost += lost
}

// showLoss takes note of when a claim cost time that is booked by itself. No more than it lasted was
// lost by the clock.
func (j *Judge) showLoss(s *rule.Subject, c *rule.Claim) report.Interval {
	i := report.Interval{From: c.Occ.Start, To: min(c.Occ.Start+c.Occ.Cost.Expected, c.Occ.End)}
	if g := j.groups[rule.Key{Rule: c.Rule, Cause: c.Cause, Pair: s.Pair}]; g != nil {
		g.lost.add(i, c.Occ.Cost.Expected)
	}
	return i
}

// sharedCost is what of the finding's cost is more than it cost by the clock, where exchanges that
// had others beside them on a connection are among it.
func (g *group) sharedCost() time.Duration {
	if !g.beside {
		return 0
	}
	return max(0, g.cost.Expected-g.lost.byClock(g.cost.Expected))
}
