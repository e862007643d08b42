package judge

import (
	"net/netip"
	"slices"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// Several responses at a time share the path between two hosts. While one of them waits for a
// repair, or for its window, the others go on at what the path carries: that part of the wait is
// nobody's loss, and no fix would win it.

// transferred is what an exchange's response shows of the path.
type transferred struct {
	server netip.Addr
	octets int64
	rate   float64 // octets per second that the path carries; 0: not known
}

// sharesPath reports whether other transfers carry on while the claim's wait lasts.
func (j *Judge) sharesPath(c *rule.Claim) bool {
	d := j.named[c.Rule]
	return d != nil && d.SharesPath
}

// relieve takes from what the claims of each exchange cost the part in which others used the path.
func (c *clientClock) relieve(j *Judge) {
	for i := range c.items {
		item := &c.items[i]
		if !item.judged || item.rate <= 0 {
			continue
		}
		shared := item.pathSlices()
		if len(shared) == 0 {
			continue
		}
		used := c.usedByOthers(item)
		for _, s := range shared {
			saved := time.Duration(used * float64(s.cost))
			j.relieve(s, item.id, saved)
			s.cost -= saved
			s.To = max(s.From, s.To-saved)
			item.give(j, s, saved)
		}
	}
}

// usedByOthers is the share of the path's rate that the other judged exchanges with the same server
// used while one of them lasted, as if each had come evenly.
func (c *clientClock) usedByOthers(item *clockItem) float64 {
	octets := 0.0
	for i := range c.items {
		o := &c.items[i]
		if !o.judged || o == item || o.server != item.server || o.To <= o.From {
			continue
		}
		if both := min(o.To, item.To) - max(o.From, item.From); both > 0 {
			octets += float64(o.octets) * float64(both) / float64(o.To-o.From)
		}
	}
	return min(1, octets/(item.rate*(item.To-item.From).Seconds()))
}

// relieve takes a part from what a claim cost, wherever it is counted.
func (j *Judge) relieve(s *clockSlice, exchange int, saved time.Duration) {
	g := j.groups[s.group]
	if g == nil || saved <= 0 {
		return
	}
	j.clock.claimed.add(exchange, -saved)
	g.cost.Expected -= saved
	g.within = max(0, g.within-saved)
	g.cost.Low = min(g.cost.Low, g.cost.Expected)
	for i := range g.occurrences {
		o := &g.occurrences[i]
		if o.Exchange == exchange && o.Start == s.start && o.Cost.Expected == s.cost {
			o.Cost.Expected -= saved
			o.Cost.Low = min(o.Cost.Low, o.Cost.Expected)
			break
		}
	}
	slices.SortFunc(g.occurrences, rule.CompareOccurrences)
}

// spare is for how long of the client's judged exchanges with a server the path did not need to
// carry their responses: losses of them all, on however many connections, cost no more by the
// clock. Where the path's rate is not known, that is all of their time.
func (c *clientClock) spare(server netip.Addr) time.Duration {
	var spans []report.Interval
	var octets int64
	rate := 0.0 // the highest that any of them saw: the path is not needed for longer
	for i := range c.items {
		item := &c.items[i]
		if item.judged && !item.stream && item.server == server {
			spans = append(spans, item.Interval)
			octets, rate = octets+item.octets, max(rate, item.rate)
		}
	}
	took := uncovered(spans, nil)
	if rate <= 0 {
		return took
	}
	needs := time.Duration(float64(octets) / rate * float64(time.Second))
	return max(0, took-needs)
}

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

// showLost takes note of when the client's judged exchanges lost what they did.
func (c *clientClock) showLost(j *Judge) {
	total := &j.Total.shared.lost
	for i := range c.items {
		item := &c.items[i]
		if !item.judged || len(item.slices) == 0 {
			continue
		}
		for key, own := range item.claimed() {
			if g := j.groups[key]; g != nil {
				g.lost.take(item, own)
			}
		}
		var own claimedTime
		for _, s := range item.slices {
			if !s.doubtful {
				own.clock = append(own.clock, s.byClock()...)
			}
		}
		if item.page != nil && item.page.cut {
			own.clocked = item.lost
		} else {
			own.cost = item.lost
		}
		total.take(item, own)
	}
}

// take takes in what an exchange lost: not more than that, wherever its slices stand.
func (l *lostTime) take(x *clockItem, own claimedTime) {
	left := own.cost
	for _, i := range spread(own.clock, x.Interval, own.cost) {
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

// showLoss takes note of when a claim cost time that is booked by itself. No more than it lasted
// was lost by the clock.
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
