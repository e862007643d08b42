package judge

import (
	"slices"
	"sort"
	"time"

	"tcpwhy/analysis/report"
)

// maxStretches is how many stretches are kept of a set. Beyond it those count as one between which
// the least lies: what is measured errs on the high side, and is never more than from the first to
// the last.
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
	shut := len(
		s.all,
	) - maxStretches // so many gaps, of which some may be as large as those that stay
	widest := gaps[shut-1]
	equal := shut - sort.Search(shut, func(i int) bool { return gaps[i] >= widest })
	out := s.all[:1]
	for _, i := range s.all[1:] {
		last := &out[len(out)-1]
		switch gap := i.From - last.To; {
		case gap == widest && equal > 0:
			equal--
			last.To = i.To
		case gap < widest:
			last.To = i.To
		default:
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

// uncovered is the measure of what lies in some interval of lost and in none of cover.
func uncovered(lost, cover []report.Interval) time.Duration {
	lost, cover = report.Union(lost), report.Union(cover)
	var total time.Duration
	for _, l := range lost {
		total += l.To - l.From
		for len(cover) > 0 && cover[0].To <= l.From {
			cover = cover[1:]
		}
		for _, k := range cover {
			if k.From >= l.To {
				break
			}
			total -= min(k.To, l.To) - max(k.From, l.From)
		}
	}
	return total
}

// spread is lost with as much more of an exchange's time, the latest, as its claims cost besides:
// slices that overlap stand for time elsewhere in it.
func spread(lost []report.Interval, within report.Interval,
	cost time.Duration) []report.Interval {
	lost = report.Union(lost)
	left, end := cost-uncovered(lost, nil), within.To
	for i := len(lost) - 1; i >= -1 && left > 0; i-- {
		from := within.From
		if i >= 0 {
			from = lost[i].To
		}
		if gap := min(left, end-max(from, end-left)); gap > 0 {
			lost, left = append(lost, report.Interval{From: end - gap, To: end}), left-gap
		}
		if i >= 0 {
			end = min(end, lost[i].From)
		}
	}
	return lost
}

// lostTime is when time was lost.
type lostTime struct {
	at   timeSet
	cost time.Duration // of what is in it, one by one
}

// add adds what was lost in a stretch.
func (l *lostTime) add(i report.Interval, cost time.Duration) {
	l.at.add(i)
	l.cost += cost
}

// byClock is what was lost by the clock, of so much where it is added up. What is not known to
// stand anywhere counts in full.
func (l *lostTime) byClock(sum time.Duration) time.Duration {
	return max(0, min(l.at.measure()+max(0, sum-l.cost), sum))
}

// join is what either lost.
func (l *lostTime) join(o *lostTime) lostTime {
	all := lostTime{timeSet{slices.Clone(l.at.all)}, l.cost + o.cost}
	for _, i := range o.at.all {
		all.at.add(i)
	}
	return all
}

// shareOut makes times, by the clock, add up to the whole. Of what they have too much each gives
// its part. What they lack was nothing to carry for a connection: what exchanges waited for
// meanwhile, one by one, they get in its place, none more than all of that.
func shareOut(times, oneByOne *[report.LabelCount]time.Duration, whole time.Duration) {
	var sum, slack time.Duration
	for l := range times {
		times[l] = max(0, min(times[l], oneByOne[l]))
		sum, slack = sum+times[l], slack+oneByOne[l]-times[l]
	}
	left, most := whole, 0
	for l := range times {
		if sum > whole {
			times[l] = share(times[l], whole, sum)
		} else {
			times[l] += share(oneByOne[l]-times[l], whole-sum, slack)
		}
		if left -= times[l]; oneByOne[l]-times[l] > oneByOne[most]-times[most] {
			most = l
		}
	}
	times[most] += left
}

// share is what of a part is left if no more than most is left of the whole.
func share(part, most, whole time.Duration) time.Duration {
	if whole <= most {
		return part
	}
	return time.Duration(float64(part) * float64(most) / float64(whole))
}
