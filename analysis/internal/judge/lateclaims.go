package judge

import (
	"slices"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// maxLate is how many stretches of time are kept of a finding's late claims.
const maxLate = 256

// lateClaims are what claims cost by the clock on the wall that became known after their exchange
// had been judged, as others had to be seen first. Those that went on at the same time count once.
type lateClaims struct {
	lost    []report.Interval
	settled time.Duration // the measure of stretches that are kept no longer
	cost    time.Duration // of all of them, one by one
}

// late takes in a claim that is booked after its exchange was judged. What else the client waited
// for meanwhile is not known by then.
func (j *Judge) late(s *rule.Subject, c *rule.Claim) {
	cost := c.Occ.Cost.Expected
	g := j.groups[rule.Key{Rule: c.Rule, Cause: c.Cause, Pair: s.Pair}]
	if g != nil && cost > 0 {
		g.late.add(report.Interval{From: c.Occ.Start, To: c.Occ.Start + cost})
	}
}

// add adds the stretch of a claim.
func (l *lateClaims) add(lost report.Interval) {
	l.cost += lost.To - lost.From
	l.lost = append(l.lost, lost)
	if len(l.lost) < maxLate {
		return
	}
	l.lost = report.Union(l.lost)
	if n := len(l.lost) / 2; n >= maxLate/2-1 { // most lie apart: the earlier ones are over
		l.settled += uncovered(l.lost[:n], nil)
		l.lost = append(l.lost[:0], l.lost[n:]...)
	}
}

// wall is what all of them cost together.
func (l *lateClaims) wall() time.Duration {
	return l.settled + uncovered(slices.Clone(l.lost), nil)
}

// with are those of both.
func (l *lateClaims) with(o *lateClaims) lateClaims {
	all := lateClaims{settled: l.settled + o.settled, cost: l.cost + o.cost}
	all.lost = slices.Concat(l.lost, o.lost)
	return all
}

// period books what is claimed of a busy period of a connection that exchanges shared: what held up
// all of them counts once, by the clock.
func (j *Judge) period(m *member, job *rule.Judged) {
	id := m.find(job.Index)
	if id < 0 || job.Until <= j.From && j.From > 0 {
		return
	}
	claims := job.Claims[:0]
	for _, c := range job.Claims {
		if j.Enabled(c.Rule) {
			c.Occ.Exchange = id
			claims = append(claims, c)
		}
	}
	claims = inPart(claims, j.From)
	for i := range claims {
		j.bookOf(m.Of(job), &claims[i], m)
	}
	lost := combined(job, promised(claims))
	j.countLost(job.Until, lost)
	j.Total.shared.lost.ofClaims(promised(claims), lost)
}
