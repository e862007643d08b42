package judge

import (
	"net/netip"
	"time"

	"tcpwhy/analysis/internal/rule"
)

// comparing is a comparison that runs, and what it does beside reading events.
type comparing struct {
	*rule.Comparison
	rule.Across
	waiter  rule.Waiter
	claimer rule.Claimer
	settler rule.Settler
	owner   rule.Owner
	hearer  rule.Hearer
}

// kindPlaces are places of comparisons, by the kind of event that they are told of.
type kindPlaces [rule.EventKindCount][]int

// comparisons are those that run, in the order of their rules, and the places of those that are
// asked: most are not concerned by most of what happens.
type comparisons struct {
	all                                 []comparing
	told, late, hearers                 kindPlaces
	waiters, claimers, settlers, owners []int
	rules                               []*rule.Detector // those that run
	panics                              bool             // of this program are not caught
	ended                               []endedRules
	firsts                              firsts
}

// endedRules are rules whose comparison has ended before the capture, and why.
type endedRules struct {
	names  []string
	defect string
}

// start makes the comparisons of the rules run.
func (c *comparisons) start(rules []*rule.Detector, panics bool) {
	c.rules, c.panics, c.firsts.gone = rules, panics, &held{}
	for _, d := range rules {
		if d.Across != nil && c.at(d.Across) < 0 {
			c.add(d.Across)
		}
	}
}

// add makes a comparison run.
func (c *comparisons) add(k *rule.Comparison) {
	a, place := comparing{Comparison: k, Across: k.Start()}, len(c.all)
	does := func(list *[]int, yes bool) {
		if yes {
			*list = append(*list, place)
		}
	}
	var ok bool
	a.waiter, ok = a.Across.(rule.Waiter)
	does(&c.waiters, ok)
	a.claimer, ok = a.Across.(rule.Claimer)
	does(&c.claimers, ok)
	a.settler, ok = a.Across.(rule.Settler)
	does(&c.settlers, ok)
	a.owner, ok = a.Across.(rule.Owner)
	does(&c.owners, ok)
	a.hearer, _ = a.Across.(rule.Hearer)
	for kind := range c.told {
		wants := k.Wants.Has(rule.EventKind(kind))
		does(&c.told[kind], wants && !k.Late)
		does(&c.late[kind], wants && k.Late)
		does(&c.hearers[kind], wants && a.hearer != nil)
	}
	c.all = append(c.all, a)
}

// number makes their tables, and that of firsts, use one numbering.
func (c *comparisons) number(n *rule.PairNumbers) {
	for _, a := range c.all {
		if r, ok := a.Across.(rule.Numbered); ok {
			r.Number(n)
		}
	}
	c.firsts.pairs.By(n)
}

// at is the place of a comparison; -1 if it does not run.
func (c *comparisons) at(k *rule.Comparison) int {
	for i := range c.all {
		if c.all[i].Comparison == k {
			return i
		}
	}
	return -1
}

// each calls f about all comparisons, in their order. One in which it panics has ended.
func (c *comparisons) each(f func(c *comparing)) {
	for i := range c.all {
		c.eachOf([]int{i}, f)
	}
}

// eachOf calls f about the comparisons at those places, in their order. One in which it panics has
// ended.
func (c *comparisons) eachOf(places []int, f func(c *comparing)) {
	for next := 0; next < len(places); {
		next = c.eachFrom(next, places, f)
	}
}

// eachFrom calls f from the i-th place on, up to the first at which it panics, and returns where to
// go on.
func (c *comparisons) eachFrom(i int, places []int, f func(c *comparing)) (next int) {
	defer func() {
		if c.panics {
			return
		}
		if broke := recover(); broke != nil {
			next = i + 1
			c.end(places[i], rule.DefectOf(broke))
		}
	}()
	for ; i < len(places); i++ {
		f(&c.all[places[i]])
	}
	return i
}

// ofRule calls f about the comparison of a rule, if it has one that runs.
func (c *comparisons) ofRule(d *rule.Detector, f func(c *comparing)) {
	if d == nil || d.Across == nil {
		return
	}
	if at := c.at(d.Across); at >= 0 {
		c.eachOf([]int{at}, f)
	}
}

// tell tells comparisons of an event of a connection; those that are Late only if it is not held.
func (c *comparisons) tell(d rule.Desk, conn *rule.Conn, t *rule.Told, held bool) {
	c.eachOf(c.hearers[t.Kind], func(k *comparing) { k.hearer.Hear(d, conn, t) })
	c.eachOf(c.told[t.Kind], func(k *comparing) { k.Event(d, conn, t) })
	if !held {
		c.eachOf(c.late[t.Kind], func(k *comparing) { k.Event(d, conn, t) })
	}
}

// end ends the comparison at that place, which is asked nothing more. What it has found stays, as
// it was found.
func (c *comparisons) end(place int, defect string) {
	e := endedRules{defect: defect}
	for _, d := range c.rules {
		if d.Across == c.all[place].Comparison {
			e.names = append(e.names, d.Name)
		}
	}
	c.ended = append(c.ended, e)
	var s stopped
	c.all[place] = comparing{&rule.Comparison{}, s, s, s, s, s, s}
}

// stopped is the state of a comparison that has ended.
type stopped struct{}

func (stopped) Event(rule.Desk, *rule.Conn, *rule.Told)    {}
func (stopped) Hear(rule.Desk, *rule.Conn, *rule.Told)     {}
func (stopped) Finish(rule.Desk)                           {}
func (stopped) Advance(rule.Desk, time.Duration)           {}
func (stopped) Claims(rule.Desk, *rule.Conn, *rule.Judged) {}
func (stopped) Settle(rule.Desk, netip.Addr)               {}
func (stopped) Own(rule.Desk, netip.Addr)                  {}
