package judge

import (
	"time"

	"tcpwhy/analysis/internal/grade"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// single is what of the claim's cost was one wait. A receive window that is too small holds its
// sender once in each round trip; of several occurrences in one, it is the mean.
func single(s *rule.Subject, c *rule.Claim) time.Duration {
	cost := c.Occ.Cost.Expected / time.Duration(1+c.Also)
	if c.Window.Room && s.Rtt > 0 {
		return min(cost, s.Rtt)
	}
	return cost
}

// serviceOf is the key of a finding at a service, for any client.
func serviceOf(k rule.Key) rule.Key {
	return rule.Key{Rule: k.Rule, Cause: k.Cause, Pair: report.Pair{Server: k.Pair.Server}}
}

// services are the sums of all findings at each service: what each of many clients met once came
// back all the same.
func (j *Judge) services() map[rule.Key]grade.Sum {
	all := map[rule.Key]grade.Sum{}
	for k, g := range j.groups {
		if o := j.joined(k, g); o != nil {
			k.Cause = j.named[k.Rule].Joins[k.Cause]
		}
		s := all[serviceOf(k)]
		s.Cost += g.cost.Expected
		s.Worst = max(s.Worst, g.worst)
		all[serviceOf(k)] = s
	}
	return all
}

// severity grades a group within the limits that its occurrences set.
func (g *group) severity(all *pairTotals, s grade.Sum) report.Severity {
	graded := min(max(g.graded(all, s), g.least), g.most)
	if g.confidence == report.ConfidenceLow {
		graded = min(graded, report.Low) // nothing is promised of it
	}
	if g.count == 1 {
		return min(graded, g.alone)
	}
	return graded
}

const (
	// sureRange is how many times the least that a fix saves the most may be at high confidence, if
	// that is worth noticing: a wider range says little of what a fix would save.
	sureRange   = 3
	worthARange = time.Millisecond
)

// sure is how sure the finding is: one whose range is wide promises less. That data was lost does
// not depend on what it cost, nor do proofs.
func (g *group) sure() report.Confidence {
	c, sure := g.cost, g.heard.grade(g.confidence)
	if sure == report.ConfidenceHigh && !g.correctness &&
		c.High >= worthARange && c.High > sureRange*c.Low {
		return report.ConfidenceMedium
	}
	return sure
}

// graded grades a group: lost data outranks time.
func (g *group) graded(all *pairTotals, s grade.Sum) report.Severity {
	if g.correctness {
		exchanges := 0
		if all != nil {
			exchanges = all.Exchanges
		}
		return grade.OfLost(g.affected, exchanges, g.unsafe)
	}
	if all == nil || all.Exchanges == 0 || g.count == 0 || g.cost.Expected <= 0 {
		return report.Info
	}
	i := g.impact(s)
	i.Whole = all.Time
	return i.Severity()
}

// impact is what the fault did; at the service it came to what s says.
func (g *group) impact(s grade.Sum) grade.Impact {
	return grade.Impact{
		Cost:     g.cost.Expected,
		Back:     s.CameBack(g.cost.Expected),
		Worst:    g.worst,
		Affected: g.affected,
		Took:     g.time,
		Rtt:      g.rtt,
	}
}
