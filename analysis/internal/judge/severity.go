package judge

import (
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// impact is what a fault did, as far as that says how grave it is: between one client and one
// service, or in one exchange.
type impact struct {
	cost     time.Duration // of all occurrences, expected
	back     time.Duration // the part of it that came back: see sum.cameBack
	worst    time.Duration // of the costliest wait
	affected int           // exchanges
	took     time.Duration // what those lasted
	rtt      time.Duration
	whole    time.Duration // what all exchanges between the two lasted
}

// The bounds of severity. An impact is what a typical affected exchange loses, a share is that of
// all time between the pair. Three moments are a person's (Nielsen, Usability Engineering, 1993,
// chapter 5): up to a tenth of a second a system seems to react at once, from one second on the
// flow of thought is interrupted, after ten the attention is gone.
const (
	highImpact = 100 * time.Millisecond
	// So many percent of a round trip, or of the time of an affected exchange, are as much on paths
	// and of exchanges that are short, but never less than highLeast.
	highTrip     = 90
	highExchange = 30
	highLeast    = 5 * time.Millisecond
	highShare    = 0.10
	// mediumTrip is in percent of a round trip.
	mediumImpact = 20 * time.Millisecond
	mediumTrip   = 50
	mediumShare  = 0.02
	// A single occurrence of lowWorst is worth a word, however rare.
	lowImpact = time.Millisecond
	lowWorst  = 20 * time.Millisecond
	lowShare  = 0.01

	// What happened once is grave if it interrupted somebody, and counts as half so grave if it was
	// most of all time.
	onceNoticed     = 100 * time.Millisecond
	onceInterrupts  = time.Second
	onceGivesUp     = 10 * time.Second
	onceMostOfShare = 0.50

	// criticalShare is of how many percent of the exchanges data must be lost, or in danger.
	criticalShare = 1
)

// severity grades time that was lost: by what came back, or by a single occurrence that was grave
// all by itself. It is the one place where time is graded.
func (i *impact) severity() report.Severity { return max(i.ofRecurring(), i.once()) }

// ofRecurring grades what came back. What lasts one round trip is as much as a tenth of a second,
// though one is never as long as the next.
func (i *impact) ofRecurring() report.Severity {
	n := time.Duration(max(i.affected, 1))
	each, share := i.back/n, i.share(i.back)
	grave := max(i.rtt*highTrip/100, i.took/n*highExchange/100)
	switch {
	case each >= min(highImpact, grave) && each >= highLeast && share >= highShare:
		return report.High
	case each >= max(mediumImpact, i.rtt*mediumTrip/100) && share >= mediumShare:
		return report.Medium
	case i.cost/n >= lowImpact && i.share(i.cost) >= lowShare || i.worst >= lowWorst:
		return report.Low
	}
	return report.Info
}

// once grades the costliest wait as if it were the only one: nothing says that it will come
// again, so only its own length counts, and a share of the time that hardly leaves room for others.
func (i *impact) once() report.Severity {
	share := i.share(i.worst)
	switch {
	case i.worst >= onceGivesUp, i.worst >= onceInterrupts && share >= highShare:
		return report.High
	case i.worst >= onceInterrupts && share >= mediumShare,
		i.worst >= onceNoticed && share >= onceMostOfShare:
		return report.Medium
	}
	return report.Info
}

// share is the part of all time between the pair.
func (i *impact) share(d time.Duration) float64 { return float64(d) / float64(max(i.whole, 1)) }

// single is what of the claim's cost was one wait. A receive window that is too small holds its
// sender once in each round trip; of several occurrences in one, it is the mean.
func single(s *rule.Subject, c *rule.Claim) time.Duration {
	cost := c.Occ.Cost.Expected / time.Duration(1+c.Also)
	if c.Window.Room && s.Rtt > 0 {
		return min(cost, s.Rtt)
	}
	return cost
}

// sum is what a fault cost at a service, whoever the client was.
type sum struct{ cost, worst time.Duration }

// cameBack is the part of the cost that came back. A single occurrence says nothing of the next:
// the costliest one counts as much as all others together, at most.
func (s sum) cameBack(cost time.Duration) time.Duration {
	if s.cost <= 0 {
		return 0
	}
	part := 2 * float64(s.cost-s.worst) / float64(s.cost)
	return time.Duration(min(1, max(0, part)) * float64(cost))
}

// serviceOf is the key of a finding at a service, for any client.
func serviceOf(k rule.Key) rule.Key {
	return rule.Key{Rule: k.Rule, Cause: k.Cause, Pair: report.Pair{Server: k.Pair.Server}}
}

// services are the sums of all findings at each service: what each of many clients met once came
// back all the same.
func (j *Judge) services() map[rule.Key]sum {
	all := map[rule.Key]sum{}
	for k, g := range j.groups {
		if o := j.joined(k, g); o != nil {
			k.Cause = j.named[k.Rule].Joins[k.Cause]
		}
		s := all[serviceOf(k)]
		s.cost += g.cost.Expected
		s.worst = max(s.worst, g.worst)
		all[serviceOf(k)] = s
	}
	return all
}

// severity grades a group within the limits that its occurrences set.
func (g *group) severity(all *pairTotals, s sum) report.Severity {
	graded := min(max(g.graded(all, s), g.least), g.most)
	if g.confidence == report.ConfidenceLow {
		graded = min(graded, report.Low) // nothing is promised of it
	}
	if g.count == 1 {
		return min(graded, g.alone)
	}
	return graded
}

// graded grades a group: lost data outranks time.
func (g *group) graded(all *pairTotals, s sum) report.Severity {
	if g.correctness {
		often := all != nil && all.Exchanges > 0 && g.affected*100 >= all.Exchanges*criticalShare
		if g.unsafe || often {
			return report.Critical
		}
		return report.High
	}
	if all == nil || all.Exchanges == 0 || g.count == 0 || g.cost.Expected <= 0 {
		return report.Info
	}
	i := impact{
		cost:     g.cost.Expected,
		back:     s.cameBack(g.cost.Expected),
		worst:    g.worst,
		affected: g.affected,
		took:     g.time,
		rtt:      g.rtt,
		whole:    all.Time,
	}
	return i.severity()
}
