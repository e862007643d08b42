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
}

// add makes a comparison run, unless it does.
func (c *comparisons) add(k *rule.Comparison) {
	if c.at(k) >= 0 {
		return
	}
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

// at is the place of a comparison; -1 if it does not run.
func (c *comparisons) at(k *rule.Comparison) int {
	for i := range c.all {
		if c.all[i].Comparison == k {
			return i
		}
	}
	return -1
}

// end ends the comparison at that place: it is asked nothing more.
func (c *comparisons) end(place int) {
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

// each calls f about all comparisons, in their order. One in which it panics has ended.
func (j *Judge) each(f func(c *comparing)) {
	for i := range j.fences.across.all {
		j.eachOf([]int{i}, f)
	}
}

// eachOf calls f about the comparisons at those places, in their order. One in which it panics has
// ended.
func (j *Judge) eachOf(places []int, f func(c *comparing)) {
	for next := 0; next < len(places); {
		next = j.eachFrom(next, places, f)
	}
}

// eachFrom calls f from the i-th place on, up to the first at which it panics, and returns where to
// go on.
func (j *Judge) eachFrom(i int, places []int, f func(c *comparing)) (next int) {
	defer func() {
		if j.limits.Panics {
			return
		}
		if broke := recover(); broke != nil {
			next = i + 1
			j.stop(places[i], rule.DefectOf(broke))
		}
	}()
	for ; i < len(places); i++ {
		f(&j.fences.across.all[places[i]])
	}
	return i
}

// ofRule calls f about the comparison of a rule, if it has one that runs.
func (j *Judge) ofRule(name string, f func(c *comparing)) {
	d := j.named[name]
	if d == nil || d.Across == nil {
		return
	}
	if at := j.fences.across.at(d.Across); at >= 0 {
		j.eachOf([]int{at}, f)
	}
}

// stop ends a comparison. What it has found stays, as it was found.
func (j *Judge) stop(i int, defect string) {
	e := endedRules{defect: defect}
	for _, d := range j.rules {
		if d.Across == j.fences.across.all[i].Comparison {
			e.names = append(e.names, d.Name)
		}
	}
	j.fences.ended = append(j.fences.ended, e)
	j.fences.across.end(i)
}
