package judge

import (
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// Prolong says that what was booked as a claim lasted longer, and cost more, than was known then.
// In the end all is as if it had been booked so.
func (j *Judge) Prolong(was, is *rule.Referred) {
	g := j.groups[rule.Key{Rule: was.Rule, Cause: was.Cause, Pair: was.Pair}]
	if g == nil || j.From > 0 && was.Occ.End <= j.From {
		return
	}
	from, to := was.Occ.Cost, is.Occ.Cost
	before := min(from.Expected, within(&was.Subject, &was.Claim))
	after := min(to.Expected, within(&is.Subject, &is.Claim))
	g.cost.Expected += to.Expected - from.Expected
	g.cost.High += to.High - from.High
	g.within += after - before
	g.worst = max(g.worst, single(&is.Subject, &is.Claim))
	g.counted = g.counted || is.Known && to.Expected > 0 && !isDoubtful(is.Claim)
	if isDoubtful(is.Claim) {
		g.doubted += to.Expected - from.Expected
	}
	if is.Occ.Exchange >= 0 && !is.Occ.Again {
		g.time += is.Took - was.Took
	}
	listed := was.Claim
	g.drop(&listed)
	g.keep(&is.Claim, j.limits.MaxOccurrences, j.named[is.Rule])
	g.late.add(report.Interval{
		From: was.Occ.Start + from.Expected, To: is.Occ.Start + to.Expected,
	})
	j.Lose(is.Occ.Start, after-before)
}
