package moments

import (
	"math"
	"slices"
	"time"

	"tcpwhy/analysis/report"
)

const (
	// leastCells is in how many cells a fault must have shown, and could have shown before it began
	// or after it ended, at the least: of fewer nothing is said.
	leastCells = 5
	// leastTenth is which part of all cells those before and after must be, each, and of the time
	// from the first to the last of all: one in ten.
	leastTenth = 10
	// densePercent is in how many percent of the cells in between, or of what happened there, a
	// fault shows that was there all the time.
	densePercent = 80
	// leastDense is of how much that must be so within fewer cells.
	leastDense = 8
	// byChance is how likely it may be that a fault which comes at random moments kept to that part
	// of the time.
	byChance = 0.001
)

// Tell says what is regular about a fault that could have shown at the moments of occasions.
func Tell(faults, occasions *Moments) (w report.When) {
	if faults.unknown || occasions.unknown || len(faults.cells) == 0 || len(occasions.cells) == 0 {
		return w
	}
	s := spreadOf(faults, occasions)
	if s.began() {
		w.Began = faults.first
	}
	if s.ended() {
		w.Ended = faults.last
	}
	w.Every = every(faults, occasions)
	return w
}

// spread is how the cells of a fault lie among those in which it could have shown.
type spread struct {
	before, after side // cells of occasions on either side
	all           side // cells of occasions
	shown         int  // cells with the fault
	times         int  // that it was there
	runs          int  // stretches of cells with it
	dense         bool // it was there nearly all the time between the first and the last
}

// side is a part of the time.
type side struct{ cells, first, last int }

// add takes in the next cell.
func (s *side) add(at uint32) {
	if s.cells == 0 {
		s.first = int(at)
	}
	s.cells, s.last = s.cells+1, int(at)
}

// spreadOf looks at both in cells of one width.
func spreadOf(faults, occasions *Moments) (s spread) {
	wide := max(faults.wide, occasions.wide)
	f, o := faults.at(wide), occasions.at(wide)
	first, last := f[0].at, f[len(f)-1].at
	within, met, in := 0, 0, false
	for _, c := range o {
		i, shows := slices.BinarySearchFunc(f, c.at, func(k cell, at uint32) int {
			return int(int64(k.at) - int64(at))
		})
		s.all.add(c.at)
		switch {
		case c.at < first:
			s.before.add(c.at)
		case c.at > last:
			s.after.add(c.at)
		default:
			within, met = within+1, met+int(c.n)
		}
		if shows {
			s.shown, s.times = s.shown+1, s.times+int(min(f[i].n, c.n))
		}
		if shows && !in {
			s.runs++
		}
		in = shows
	}
	s.dense = s.shown >= leastCells && s.shown*100 >= within*densePercent ||
		s.times >= leastDense && s.times*100 >= met*densePercent
	return s
}

func (s *spread) began() bool { return s.apart(&s.before) }
func (s *spread) ended() bool { return s.apart(&s.after) }

// apart reports whether the cells on one side are no chance: a fault that was there all the time
// otherwise was not there; one that came and went would hardly have kept out of them.
func (s *spread) apart(out *side) bool {
	if out.cells < leastCells || out.cells*leastTenth < s.all.cells || s.runs == 0 ||
		(out.last-out.first)*leastTenth < s.all.last-s.all.first {
		return false
	}
	all := float64(s.all.cells)
	alone := math.Pow(1-float64(out.cells)/all, float64(s.runs))
	return s.dense || s.shown >= leastCells && min(alone, s.together()) < byChance
}

// together is how likely it is that stretches which come at random lie within a part of the time
// that is as short as the one from the first to the last (the range of as many uniform variables).
func (s *spread) together() float64 {
	out := float64(s.before.cells + s.after.cells)
	within, n := 1-out/float64(s.all.cells), float64(s.runs)
	return n*math.Pow(within, n-1) - (n-1)*math.Pow(within, n)
}

const (
	// leastIntervals is how many intervals show that they are regular. Of as many that are as
	// chance has it, one set in 500,000 lies within a tenth of its median (each does with
	// probability 0.07); where a fault meets every request of a client that asks at regular
	// intervals with a probability of one half, one in a thousand has it at each second one.
	leastIntervals = 5
	// intervalVaries is by how many percent an interval may differ from the median: what happens by
	// the clock shows at the next request.
	intervalVaries = 10
	// shortestInterval is below what no person calls a fault regular.
	shortestInterval = time.Second
	// finest is how many cells an interval has at the least.
	finest = 2 * 100 / intervalVaries
	// episode is which part of the longest gap ends a stretch of the fault, and of an interval such
	// a stretch may last: a third.
	episode = 3
)

// every is the time between one stretch of a fault and the next, if they are regular, and it could
// have shown between them.
func every(faults, occasions *Moments) time.Duration {
	starts, longest := episodes(faults)
	if len(starts) <= leastIntervals {
		return 0
	}
	gaps := make([]time.Duration, len(starts)-1)
	for i := range gaps {
		gaps[i] = starts[i+1] - starts[i]
	}
	sorted := slices.Sorted(slices.Values(gaps))
	period := sorted[(len(sorted)-1)/2]
	if period < shortestInterval || period < finest*faults.width() || longest*episode > period {
		return 0
	}
	n, double := 0, 0
	for _, g := range gaps {
		switch {
		case near(g, period):
			n++
		case near(g, 2*period):
			n, double = n+2, double+1
		default:
			return 0
		}
	}
	if 4*double > len(gaps) || !between(faults, occasions, starts, period) {
		return 0
	}
	return (starts[len(starts)-1] - starts[0]) / time.Duration(n)
}

// near reports whether an interval is another, but for what it may differ.
func near(a, b time.Duration) bool { return max(a-b, b-a)*100 <= b*intervalVaries }

// episodes are the beginnings of the stretches in which a fault shows, and how long the longest is:
// gaps between them are at least a third of the longest gap.
func episodes(faults *Moments) (starts []time.Duration, longest time.Duration) {
	w := faults.width()
	var gap time.Duration
	for i := 1; i < len(faults.cells); i++ {
		gap = max(gap, time.Duration(faults.cells[i].at-faults.cells[i-1].at)*w)
	}
	var last time.Duration
	for i, c := range faults.cells {
		at := time.Duration(c.at) * w
		if i == 0 || (at-last)*episode > gap {
			starts = append(starts, at)
		}
		last = at
		longest = max(longest, at-starts[len(starts)-1])
	}
	return starts, longest
}

// between reports whether something happened between the stretches of a fault, in three intervals
// of four, without it: else it is what could show it that is regular.
func between(faults, occasions *Moments, starts []time.Duration, period time.Duration) bool {
	w := occasions.width()
	if episode*w > period {
		return false
	}
	f := faults.Clone()
	for f.wide < occasions.wide {
		f.widen()
	}
	shows := map[time.Duration]bool{}
	for _, c := range f.cells {
		shows[time.Duration(c.at)*f.width()/w] = true
	}
	met, i := 0, 0
	for k := range len(starts) - 1 {
		from, to := starts[k]+period/(2*episode), starts[k+1]-period/(2*episode)
		for i < len(occasions.cells) && time.Duration(occasions.cells[i].at)*w < from {
			i++
		}
		for ; i < len(occasions.cells); i++ {
			at := time.Duration(occasions.cells[i].at)
			if (at+1)*w > to {
				break
			}
			if !shows[at] {
				met++
				break
			}
		}
	}
	return 4*met >= 3*(len(starts)-1)
}
