package policing

import (
	"cmp"
	"math"
	"slices"
	"time"

	"tcpwhy/analysis/internal/ledger"
)

const (
	// A rate is looked for from leastTimes of the mean to mostTimes of it in steps of coarse, then
	// in finer ones around the bestFew: between two losses the tokens must be right to a segment,
	// of which there may be thousands.
	leastTimes, mostTimes = 0.6, 25
	coarse, fine, finest  = 1.02, 1.002, 1.0002
	bestFew               = 3
	// nearPercent is within how many percent of all runs of losses two buckets explain as many.
	nearPercent = 2
	// alike is within what logarithm two buckets tell as much (reasoning: e² to one). neighbours are
	// rates that differ by no more than this. A rate is loose if such far beyond explain all that
	// this one does, and tell so many percent as much: what a bucket tells, more than which segments
	// are lost, comes from how regular the sender is (reasoning).
	alike        = 2
	alikePercent = 60
	neighbours   = 1.15
	// shallowSegments is how many segments may come at once out of a queue: interrupts and network
	// cards hand over two or three together.
	shallowSegments = 4
)

// Fit is the token bucket that explains the arrivals, which are in order of time, best; false if
// none explains them.
func Fit(all []ledger.Arrival) (best Bucket, ok bool) {
	f := newFitting(all)
	if f.runs < leastRuns || f.span <= 0 {
		return best, false
	}
	mean := float64(f.passed) / f.span.Seconds()
	for r := mean * leastTimes; r <= mean*mostTimes; r *= coarse {
		f.try(r)
	}
	for _, r := range f.slopes() {
		f.try(r)
	}
	if f.best()[0].Met < f.runs/2 {
		return best, false // finer steps do not help
	}
	for _, step := range [...][2]float64{{coarse, fine}, {fine, finest}} {
		for _, b := range f.few() {
			for r := b.Rate / step[0]; r <= b.Rate*step[0]; r *= step[1] {
				f.try(r)
			}
		}
	}
	best = f.choose()
	return best, best.explains()
}

// Runs is how many runs of losses there are: with nothing that passed in between.
func Runs(all []ledger.Arrival) (n int) {
	before := false
	for i := range all {
		if all[i].Lost && !before {
			n++
		}
		before = all[i].Lost
	}
	return n
}

// fitting is arrivals on their way to a bucket.
type fitting struct {
	all    []ledger.Arrival
	runs   int
	passed int64 // octets
	span   time.Duration
	full   float64 // octets of the largest segment that was lost
	// most losses were not seen: what is left when a segment has passed tells whether the next one
	// may be lost
	behind bool
	tried  []Bucket

	// when each had come: the tokens, and how many were used since the bucket was fullest
	left, used []float64
	depths     []float64
}

func newFitting(all []ledger.Arrival) *fitting {
	f := &fitting{
		all:  all,
		runs: Runs(all),
		left: make([]float64, len(all)),
		used: make([]float64, len(all)),
	}
	unseen := 0
	for i := range all {
		a := &all[i]
		if a.Unseen {
			unseen++
		}
		if a.Lost {
			f.full = max(f.full, float64(a.Octets))
		} else {
			f.passed += int64(a.Octets)
		}
	}
	f.behind = unseen > f.runs/2
	if len(all) > 0 {
		f.span = all[len(all)-1].At - all[0].At
	}
	return f
}

// try adds the bucket with the rate.
func (f *fitting) try(rate float64) {
	b := Bucket{Rate: rate}
	b.Depth, b.spare = f.depth(rate)
	f.replay(&b)
	f.tried = append(f.tried, b)
}

// best are those that explain nearly as much as any, what tells most first.
func (f *fitting) best() []Bucket {
	most := math.MinInt
	for i := range f.tried {
		most = max(most, f.tried[i].explained())
	}
	as := make([]Bucket, 0, len(f.tried))
	for i := range f.tried {
		if f.tried[i].explained() >= most-max(1, f.runs*nearPercent/100) {
			as = append(as, f.tried[i])
		}
	}
	slices.SortFunc(as, func(a, b Bucket) int {
		return cmp.Or(cmp.Compare(b.tells(), a.tells()), cmp.Compare(a.Rate, b.Rate))
	})
	return as
}

// few are the best few that are apart.
func (f *fitting) few() (out []Bucket) {
	for _, b := range f.best() {
		if len(out) < bestFew && !slices.ContainsFunc(out, func(o Bucket) bool {
			return o.Rate <= b.Rate*coarse && b.Rate <= o.Rate*coarse
		}) {
			out = append(out, b)
		}
	}
	return out
}

// choose is the best one: of its neighbours that tell as much, the one in the middle.
func (f *fitting) choose() Bucket {
	best := f.best()
	tells := best[0].tells()
	out := middle(told(best, tells-alike), best[0].Rate)
	shallow, far := out.Depth, false
	for _, b := range told(best, min(tells-alike, tells*alikePercent/100)) {
		shallow = min(shallow, b.Depth)
		if b.Rate > out.Rate*neighbours || b.Rate < out.Rate/neighbours {
			far, out.Least = true, min(out.Least, b.Rate)
		}
	}
	out.Loose = out.Loose || far
	out.Shallow = f.behind && shallow < shallowSegments*f.full
	return out
}

// told are those of best, which are in order of that, that tell so much at least; always the first.
func told(best []Bucket, least float64) []Bucket {
	n := len(best)
	for n > 1 && best[n-1].tells() < least {
		n--
	}
	return best[:n]
}

// middle is the one in the middle of those that are neighbours of the rate.
func middle(all []Bucket, top float64) Bucket {
	near := slices.DeleteFunc(slices.Clone(all), func(b Bucket) bool {
		return b.Rate > top*neighbours || b.Rate < top/neighbours
	})
	slices.SortFunc(near, func(a, b Bucket) int { return cmp.Compare(a.Rate, b.Rate) })
	least, most := near[0].Rate, near[len(near)-1].Rate
	i, _ := slices.BinarySearchFunc(near, math.Sqrt(least*most),
		func(b Bucket, r float64) int { return cmp.Compare(b.Rate, r) })
	out := near[min(i, len(near)-1)]
	out.Least, out.Most, out.Loose = least, most, most > least*neighbours || len(near) < len(all)
	return out
}

const (
	// anchors are between how many losses, evenly spread, the mean rates are tried; farSegments are
	// how many segments two neighbours lie apart of which the rates are, and farRates how many of
	// those.
	anchors  = 8
	farRates = 24
)

var farSegments = [...]float64{50, 400}

// slopes are rates at which segments passed from one loss to another: where the bucket was never
// full in between, that is its rate.
func (f *fitting) slopes() (out []float64) {
	lost := f.losses()
	for i := range anchors {
		for j := range i {
			a, b := lost[j*(len(lost)-1)/(anchors-1)], lost[i*(len(lost)-1)/(anchors-1)]
			if b.at > a.at {
				out = append(out, a.rateTo(b))
			}
		}
	}
	for _, far := range farSegments {
		var all []float64
		for i, j := 0, 0; i < len(lost); i++ {
			for j < len(lost) && lost[j].passed < lost[i].passed+far*f.full {
				j++
			}
			if j < len(lost) && lost[j].at > lost[i].at {
				all = append(all, lost[i].rateTo(lost[j]))
			}
		}
		slices.Sort(all)
		for k := range min(farRates, len(all)) {
			out = append(out, all[k*(len(all)-1)/(farRates-1)])
		}
	}
	return out
}

// point is a loss, and how many octets had passed by then.
type point struct {
	at     time.Duration
	passed float64
}

// rateTo is how many octets a second passed until another.
func (p point) rateTo(o point) float64 { return (o.passed - p.passed) / (o.at - p.at).Seconds() }

// losses are all losses in order.
func (f *fitting) losses() (out []point) {
	sum := 0.0
	for i := range f.all {
		if a := &f.all[i]; a.Lost {
			out = append(out, point{a.At, sum})
		} else {
			sum += float64(a.Octets)
		}
	}
	return out
}
