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
	var judged []int
	for id, item := range c.items {
		if item.judged {
			judged = append(judged, id)
		}
	}
	slices.Sort(judged) // what they used adds up to the same each time
	for _, id := range judged {
		item := c.items[id]
		shared := item.pathSlices()
		if item.rate <= 0 || len(shared) == 0 {
			continue
		}
		used := c.usedByOthers(judged, id)
		for _, s := range shared {
			saved := time.Duration(used * float64(s.cost))
			j.relieve(s, id, saved)
			s.cost -= saved
			s.To = max(s.From, s.To-saved)
			item.give(j, s, saved)
		}
		c.items[id] = item
	}
}

// usedByOthers is the share of the path's rate that the other judged exchanges with the same server
// used while exchange id lasted, as if each had come evenly.
func (c *clientClock) usedByOthers(judged []int, id int) float64 {
	item, octets := c.items[id], 0.0
	for _, other := range judged {
		o := c.items[other]
		if other == id || o.server != item.server || o.To <= o.From {
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
	for _, item := range c.items {
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
