package judge

import (
	"slices"
	"time"

	"tcpwhy/analysis/report"
)

// maxStretches is how many stretches are kept of a set. Beyond it those count as one between which the
// least lies: what is measured errs on the high side, and is never more than from the first to the
// last.
const maxStretches = 1024

// timeSet is a set of moments: what went on several times at once is in it once.
type timeSet struct {
	all []report.Interval
}

// add adds a stretch.
func (s *timeSet) add(i report.Interval) {
	if i.To <= i.From {
		return
	}
	if n := len(s.all); n > 0 && s.all[n-1].From <= i.From && i.From <= s.all[n-1].To {
		s.all[n-1].To = max(s.all[n-1].To, i.To)
		return
	}
	if s.all = append(s.all, i); len(s.all) >= 2*maxStretches {
		s.thin()
	}
}

// thin makes the set one of no more than maxStretches stretches.
func (s *timeSet) thin() {
	s.all = report.Union(s.all)
	if len(s.all) <= maxStretches {
		return
	}
	gaps := make([]time.Duration, len(s.all)-1)
	for i := range gaps {
		gaps[i] = s.all[i+1].From - s.all[i].To
	}
	slices.Sort(gaps)
	least, out := gaps[len(s.all)-maxStretches], s.all[:1]
	for _, i := range s.all[1:] {
		if last := &out[len(out)-1]; i.From-last.To < least {
			last.To = i.To
		} else {
			out = append(out, i)
		}
	}
	s.all = out
}

// fill adds so much of a stretch as is not in the set yet, the latest first, as far as there is so
// much.
func (s *timeSet) fill(within report.Interval, cost time.Duration) {
	var in []report.Interval
	for _, i := range s.all {
		i.From, i.To = max(i.From, within.From), min(i.To, within.To)
		if i.To > i.From {
			in = append(in, i)
		}
	}
	for _, i := range spread(in, within, cost+uncovered(slices.Clone(in), nil)) {
		s.add(i)
	}
}

// measure is how long the set is in all.
func (s *timeSet) measure() (total time.Duration) {
	s.all = report.Union(s.all)
	for _, i := range s.all {
		total += i.To - i.From
	}
	return total
}

// within is how much of the set is in another, too.
func (s *timeSet) within(o *timeSet) time.Duration {
	return s.measure() - uncovered(slices.Clone(s.all), slices.Clone(o.all))
}
