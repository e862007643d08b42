package judge

import (
	"net/netip"
	"slices"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

// page is what exchanges of a client that share a path cost together, at most.
type page struct {
	rule.Page
	cut bool // claims about them had cost more: what they cost now is by the clock
}

// Share says that exchanges of a client share a path.
func (j *Judge) Share(client netip.Addr, exchanges []int, p rule.Page) {
	c := j.clock.clients[client]
	if c == nil {
		return
	}
	shared := &page{Page: p}
	for _, id := range exchanges {
		if item := c.item(id); item != nil {
			item.page = shared
		}
	}
}

// Page is what is known of the path that an exchange of a client shares with others.
func (j *Judge) Page(client netip.Addr, exchange int) (rule.Page, bool) {
	if c := j.clock.clients[client]; c != nil {
		if item := c.item(exchange); item != nil && item.judged && item.page != nil {
			return item.page.Page, true
		}
	}
	return rule.Page{}, false
}

// pathSlices are what claims say of the exchange's time in which others may use the path.
func (c *clockItem) pathSlices() (all []*clockSlice) {
	for i := range c.slices {
		if s := &c.slices[i]; s.path && s.dir == reassembly.FromServer {
			all = append(all, s)
		}
	}
	return all
}

// boundPages takes from the claims about exchanges that share a path what is more than that leaves
// all of them together.
func (c *clientClock) boundPages(j *Judge) {
	type sum struct{ cost, high time.Duration }
	sums := map[*page]sum{}
	for i := range c.items {
		item := &c.items[i]
		if !item.judged || item.page == nil {
			continue
		}
		for _, s := range item.pathSlices() {
			all := sums[item.page]
			sums[item.page] = sum{all.cost + s.cost, all.high + s.high}
		}
	}
	for i := range c.items {
		item := &c.items[i]
		if !item.judged || item.page == nil {
			continue
		}
		all := sums[item.page]
		item.page.cut = all.cost > item.page.Most
		for _, s := range item.pathSlices() {
			was := s.cost
			j.cut(s, item.id, share(s.cost, item.page.Most, all.cost),
				share(s.high, item.page.Most, all.high))
			item.give(j, s, was-s.cost)
		}
	}
}

// give takes from what all claims about the exchange lost together what one of them lost too much.
func (c *clockItem) give(j *Judge, s *clockSlice, saved time.Duration) {
	if s.doubtful || saved <= 0 {
		return
	}
	saved = min(saved, c.lost)
	c.lost -= saved
	j.Lose(s.start, -saved)
}

// own lets comparisons take over what claims of others about a client's exchanges cost.
func (j *Judge) own(client netip.Addr) {
	j.fences.across.eachOf(j.fences.across.owners, func(c *comparing) { c.owner.Own(j, client) })
}

// Take books a claim in place of all of that kind about the same exchange.
func (j *Judge) Take(k rule.Kinds, s rule.Subject, c *rule.Claim) bool {
	clock := j.clock.clients[s.Pair.Client]
	if clock == nil {
		return false
	}
	item := clock.item(c.Occ.Exchange)
	if item == nil {
		return false
	}
	to := rule.Key{Rule: c.Rule, Cause: c.Cause, Pair: s.Pair}
	left := map[rule.Key]bool{}
	n := 0
	for _, of := range item.pathSlices() {
		if g := j.groups[of.group]; g != nil && of.kind.Has(k) {
			c.Occ.Cost = c.Occ.Cost.Add(g.give(s, of, c.Occ.Exchange, left[of.group]))
			left[of.group] = true
			if g.count <= 0 {
				delete(j.groups, of.group)
			}
			of.group = to
			n++
		}
	}
	if n == 0 {
		return false
	}
	c.Also = n - 1
	j.add(s, c)
	return true
}

// give takes from a group what a claim about an exchange cost, and tells that. Another claim of the
// group may have stood for the exchange.
func (g *group) give(s rule.Subject, of *clockSlice, exchange int, again bool) report.Cost {
	o := rule.Claim{Occ: rule.Occurrence{
		Exchange: exchange, Start: of.start, Again: again,
		Cost: report.Cost{
			Low:      share(of.cost, g.cost.Low, g.cost.Expected),
			Expected: of.cost, High: of.high,
		},
	}}
	g.occurrences = slices.DeleteFunc(g.occurrences, func(l rule.Occurrence) bool {
		return l.Exchange == exchange && l.Start == of.start
	})
	if of.doubtful {
		g.doubted -= of.cost
	}
	g.leave(s, &o)
	return o.Occ.Cost
}
