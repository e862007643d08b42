package judge

import (
	"net/netip"
	"slices"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// What a path carries takes its time, whatever else holds it up: a loss that is repaired while the
// path is busy with other octets costs nothing. Where the rate of a path is known, all claims about
// an exchange cost no more together than its time without that.

// bounded is what of an exchange's time may be lost, if the rate of its path is known.
type bounded struct {
	most  time.Duration
	known bool
	info  *report.ExchangeInfo // valid once judged
	lost  time.Duration        // all its claims together
}

// Bound says that all claims about an exchange cost no more together.
func (j *Judge) Bound(client netip.Addr, exchange int, most time.Duration) {
	c := j.clock.clients[client]
	if c == nil {
		return
	}
	if item := c.item(exchange); item != nil {
		item.bounded.most, item.bounded.known = most, true
	}
}

// settleClient lets comparisons say what they know of a client's exchanges.
func (j *Judge) settleClient(client netip.Addr) {
	j.fences.across.eachOf(j.fences.across.settlers, func(c *comparing) { c.settler.Settle(j, client) })
}

// bound takes from the claims about judged exchanges what is more than their paths leave, or than
// they took.
func (c *clientClock) bound(j *Judge) {
	for i := range c.items {
		item := &c.items[i]
		if !item.judged || !item.known && len(item.slices) == 0 {
			continue
		}
		if !item.known {
			item.most = item.To - item.From
		}
		lost := item.boundTo(j, item.id)
		j.Lose(item.To, lost-item.lost)
		item.lost = lost
		if !item.known {
			continue
		}
		busy := item.To - item.From - item.most
		if c, moves := ledger.CarriedMeanwhile(item.Interval, item.info.Times, busy); moves {
			j.move(moved{item.info.Connection, item.id, &c})
		}
	}
}

// boundTo takes from the claims about exchange id what is more than most, from each its part. What
// is left of what all of them lost together is the result: those that do not count as lost leave
// less of that to the others.
func (c *clockItem) boundTo(j *Judge, id int) time.Duration {
	var cost, high time.Duration
	for i := range c.slices {
		if s := &c.slices[i]; !s.fewer {
			cost, high = cost+s.cost, high+s.high
		}
	}
	var lost time.Duration // what is left of each, one by one
	for i := range c.slices {
		s := &c.slices[i]
		if !s.fewer {
			most := s.high
			if c.known { // else some of that may lie behind the exchange
				most = share(s.high, c.most, high)
			}
			j.cut(s, id, share(s.cost, c.most, cost), most)
		}
		if !s.doubtful {
			lost += s.cost
		}
	}
	if cost <= c.most {
		return min(c.lost, c.most)
	}
	return min(c.lost, c.most, lost)
}

// cut makes what a claim cost less, wherever it is counted.
func (j *Judge) cut(s *clockSlice, exchange int, cost, high time.Duration) {
	was := *s
	s.cost, s.high = cost, max(cost, high)
	s.To = max(s.From, s.To-(was.cost-s.cost))
	j.clock.claimed.add(exchange, s.cost-was.cost)
	g := j.groups[s.group]
	if g == nil || s.cost == was.cost && s.high == was.high {
		return
	}
	g.cost.Expected -= was.cost - s.cost
	g.within = max(0, g.within-(was.cost-s.cost))
	g.cost.High -= was.high - s.high
	g.cost.Low = min(g.cost.Low, g.cost.Expected)
	for i := range g.occurrences {
		o := &g.occurrences[i]
		if o.Exchange == exchange && o.Start == s.start && o.Cost.Expected == was.cost {
			o.Cost.Expected, o.Cost.High = s.cost, s.high
			o.Cost.Low = min(o.Cost.Low, s.cost)
			break
		}
	}
	slices.SortFunc(g.occurrences, rule.CompareOccurrences)
	if len(g.occurrences) > 0 {
		g.worst = min(g.worst, g.occurrences[0].Cost.Expected)
	}
}
