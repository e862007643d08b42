package judge

import (
	"slices"

	"tcpwhy/analysis/internal/rule"
)

// Retake books a claim about time that another finding has had, and takes that from it. It costs
// what it cost there.
func (j *Judge) Retake(from rule.Key, s rule.Subject, c *rule.Claim) {
	g := j.groups[from]
	if g == nil {
		return
	}
	at := slices.IndexFunc(g.occurrences, func(o rule.Occurrence) bool {
		return o.Exchange == c.Occ.Exchange && o.Start == c.Occ.Start
	})
	if at >= 0 {
		c.Occ.Cost, c.Occ.Again = g.occurrences[at].Cost, g.occurrences[at].Again
		g.occurrences = slices.Delete(g.occurrences, at, at+1)
	}
	c.Occ.Cost.Expected = min(c.Occ.Cost.Expected, g.cost.Expected)
	c.Occ.Cost.High = max(c.Occ.Cost.Expected, min(c.Occ.Cost.High, g.cost.High))
	c.Occ.Cost.Low = min(c.Occ.Cost.Low, c.Occ.Cost.Expected)
	to := rule.Key{Rule: c.Rule, Cause: c.Cause, Pair: s.Pair}
	if clock := j.clock.clients[s.Pair.Client]; clock != nil {
		clock.regroup(c, from, to)
	}
	walled := min(g.walled, c.Occ.Cost.Expected)
	wall := share(walled, g.wall, g.walled)
	g.leave(s, c)
	if g.count <= 0 {
		delete(j.groups, from)
	}
	j.add(s, c)
	j.showLoss(&s, c)
	if taken := j.groups[to]; taken != nil {
		taken.wall, taken.walled = taken.wall+wall, taken.walled+walled
		g.wall, g.walled = g.wall-wall, g.walled-walled
	}
}

// regroup gives what a claim says of its exchange to another finding.
func (c *clientClock) regroup(of *rule.Claim, from, to rule.Key) {
	item := c.item(of.Occ.Exchange)
	if item == nil {
		return
	}
	for i := range item.slices {
		if s := &item.slices[i]; s.group == from && s.start == of.Occ.Start {
			s.group = to
		}
	}
}

// leave takes a claim from the sums of a group.
func (g *group) leave(s rule.Subject, c *rule.Claim) {
	cost := &c.Occ.Cost
	g.count -= 1 + c.Also
	g.moments.Forget()
	g.cost.Expected -= cost.Expected
	g.cost.High = max(g.cost.Expected, g.cost.High-cost.High)
	g.cost.Low = max(0, min(g.cost.Low-cost.Low, g.cost.Expected))
	g.within = max(0, g.within-cost.Expected)
	if c.Occ.Exchange >= 0 && !c.Occ.Again {
		g.affected--
		g.time -= s.Took
	}
	g.worst = 0
	if len(g.occurrences) > 0 {
		g.worst = g.occurrences[0].Cost.Expected
	}
}
