package compare

import (
	"math"
	"slices"
	"sort"
	"time"

	"tcpwhy/analysis/report"
)

// bin is durations of which only is known between what they lie: a single one, or a cell of a
// histogram.
type bin struct {
	low, middle, high time.Duration
	n                 int
}

// sample is durations in order.
type sample []bin

// sampleOf is all that d tells: of few, each; of many, the cells of its histogram. The least and
// the most duration narrow the first and the last cell.
func sampleOf(d *report.Durations) (s sample) {
	for _, t := range slices.Sorted(slices.Values(d.Few)) { // a file may have them in disorder
		s = append(s, bin{t, t, t, 1})
	}
	for i, n := range d.Cells {
		if n <= 0 {
			continue
		}
		low := max(report.CellStart(d.First+i), d.Least)
		high := d.Most
		if next := report.CellStart(d.First + i + 1); next > low {
			high = min(high, next)
		}
		high = max(high, low)
		s = append(s, bin{low, low + (high-low)/2, high, n})
	}
	return s
}

// size is how many durations it has.
func (s sample) size() (n int) {
	for _, b := range s {
		n += b.n
	}
	return n
}

// edge is one of the three durations of a bin.
type edge func(bin) time.Duration

func low(b bin) time.Duration    { return b.low }
func middle(b bin) time.Duration { return b.middle }
func high(b bin) time.Duration   { return b.high }

// differences are all those between one of after and one of before, each taken at an edge of its
// bin. None is stored: they are counted.
type differences struct {
	before, after         sample
	beforeEdge, afterEdge edge
}

// upTo is how many of them do not exceed d.
func (d *differences) upTo(most time.Duration) (n uint64) {
	var passed uint64 // of after, which are small enough for this one of before
	k := 0
	for _, b := range d.before { // in order, so that more of after is small enough each time
		limit := d.beforeEdge(b) + most
		for k < len(d.after) && d.afterEdge(d.after[k]) <= limit {
			passed += uint64(d.after[k].n)
			k++
		}
		n += passed * uint64(b.n)
	}
	return n
}

// ranked is the difference of that rank, counted from 1, the least first.
func (d *differences) ranked(rank uint64) time.Duration {
	least := d.afterEdge(d.after[0]) - d.beforeEdge(d.before[len(d.before)-1])
	most := d.afterEdge(d.after[len(d.after)-1]) - d.beforeEdge(d.before[0])
	at := sort.Search(int(most-least), func(i int) bool {
		return d.upTo(least+time.Duration(i)) >= rank
	})
	return least + time.Duration(at)
}

// leastInterval is how many there must be on each side at least. Below four on both, or three and
// five, no interval of 95 % exists at all (Mann-Whitney: 2/70 with four and four).
const leastInterval = 3

// level is that of intervals and tests.
const level = 0.05

// shiftOf is how much longer those of after took than those of before: the median of all
// differences (Hodges and Lehmann), and the interval that belongs to the test of Mann and Whitney,
// which covers a shift in 95 % of all cases whatever the distribution. Where a duration is known by
// its cell only, the interval is as wide as it has to be wherever in the cell that was. Nil if
// there are too few for an interval.
func shiftOf(before, after sample) *Shift {
	m, n := before.size(), after.size()
	if m < leastInterval || n < leastInterval {
		return nil
	}
	rank := intervalRank(m, n)
	if rank == 0 {
		return nil
	}
	pairs := uint64(m) * uint64(n)
	mid := differences{before, after, middle, middle}
	s := &Shift{
		Estimate: (mid.ranked((pairs+1)/2) + mid.ranked(pairs/2+1)) / 2,
		Low:      (&differences{before, after, high, low}).ranked(rank),
		High:     (&differences{before, after, low, high}).ranked(pairs + 1 - rank),
	}
	s.P = mannWhitney(before, after)
	return s
}

// mostExact is up to how many on each side the distribution of Mann and Whitney's U is counted out.
const mostExact = 12

// intervalRank is the rank of the difference at which an interval of 95 % begins, of m and n
// durations; 0 if there is no such interval.
func intervalRank(m, n int) uint64 {
	if m <= mostExact && n <= mostExact {
		ways := waysOf(m, n)
		all, below := 0.0, 0.0
		for _, w := range ways {
			all += w
		}
		for u, w := range ways {
			if below += w; below/all > level/2 {
				return uint64(u)
			}
		}
	}
	mean, deviation := moments(m, n)
	return uint64(max(0, math.Floor(mean+0.5-normalQuantile*deviation)))
}

// normalQuantile is that of the standard normal distribution at 0.975.
const normalQuantile = 1.959964

// moments are the mean and the standard deviation of U where both sides are alike, without ties.
func moments(m, n int) (mean, deviation float64) {
	a, b := float64(m), float64(n)
	return a * b / 2, math.Sqrt(a * b * (a + b + 1) / 12)
}

// waysOf is in how many orders of m and n durations U has each of its values.
func waysOf(m, n int) []float64 {
	// ways[j][u]: with j of the one side among those looked at so far
	ways := make([][]float64, m+1)
	for j := range ways {
		ways[j] = make([]float64, m*n+1)
	}
	ways[0][0] = 1
	for i := 1; i <= m+n; i++ { // the i-th in order is of the one side, behind i-j of the other
		for j := min(i, m); j >= max(1, i-n); j-- {
			others := i - j
			for u := m * n; u >= others; u-- {
				if i-1 >= j { // it may also be of the other side
					ways[j][u] += ways[j-1][u-others]
				} else {
					ways[j][u] = ways[j-1][u-others]
				}
			}
		}
		if i > n {
			clear(ways[i-n-1])
		}
	}
	return ways[m]
}

// mannWhitney is how likely a difference as large as this comes of chance alone, to either side.
// Equal ones count half.
func mannWhitney(before, after sample) float64 {
	m, n := before.size(), after.size()
	u, ties := 0.0, 0.0 // u: pairs of which after is longer
	less, k := 0, 0     // of after
	for _, b := range before {
		for k < len(after) && after[k].middle < b.middle {
			less += after[k].n
			k++
		}
		same := 0
		for i := k; i < len(after) && after[i].middle == b.middle; i++ {
			same += after[i].n
		}
		u += float64(b.n) * (float64(n-less-same) + float64(same)/2)
	}
	for _, t := range tied(before, after) {
		ties += t*t*t - t
	}
	mean, deviation := moments(m, n)
	far := math.Abs(u - mean)
	if ties == 0 && m <= mostExact && n <= mostExact {
		return exactTail(m, n, mean-far)
	}
	all := float64(m + n)
	deviation *= math.Sqrt(max(0, 1-ties/(all*all*all-all)))
	if deviation == 0 {
		return 1
	}
	return min(1, math.Erfc(max(0, far-0.5)/deviation/math.Sqrt2))
}

// tied is how many durations are the same, for each that there is.
func tied(before, after sample) (counts []float64) {
	all := map[time.Duration]float64{}
	for _, s := range []sample{before, after} {
		for _, b := range s {
			all[b.middle] += float64(b.n)
		}
	}
	for _, n := range all {
		counts = append(counts, n)
	}
	slices.Sort(counts) // so that sums are the same each time
	return counts
}

// exactTail is twice the probability of a U that does not exceed this one.
func exactTail(m, n int, most float64) float64 {
	all, tail := 0.0, 0.0
	for u, w := range waysOf(m, n) {
		all += w
		if float64(u) <= most {
			tail += w
		}
	}
	return min(1, 2*tail/all)
}

// quantile is one with the interval that order statistics give it; Low and High are not valid
// unless Sure.
func quantile(s sample, q float64) Quantile {
	n := s.size()
	at := func(rank int, e edge) time.Duration {
		for _, b := range s {
			if rank -= b.n; rank <= 0 {
				return e(b)
			}
		}
		return e(s[len(s)-1])
	}
	out := Quantile{Value: at(max(1, int(math.Ceil(q*float64(n)))), middle)}
	spread := normalQuantile * math.Sqrt(float64(n)*q*(1-q))
	lowest, highest := math.Floor(float64(n)*q-spread), math.Ceil(float64(n)*q+spread)+1
	if n >= leastTailInterval && lowest >= 1 && highest <= float64(n) {
		out.Sure = true
		out.Low, out.High = at(int(lowest), low), at(int(highest), high)
	}
	return out
}

// meansDiffer is how likely means differ as much by chance, to either side, if it is chance which
// duration was on which side: the test by permutation, as a normal distribution.
func meansDiffer(before, after sample) float64 {
	m, n := float64(before.size()), float64(after.size())
	sum := func(s sample, of func(float64) float64) (total float64) {
		for _, b := range s {
			total += float64(b.n) * of(b.middle.Seconds())
		}
		return total
	}
	itself := func(x float64) float64 { return x }
	first, second := sum(before, itself), sum(after, itself)
	mean := (first + second) / (m + n)
	apart := func(x float64) float64 { return (x - mean) * (x - mean) }
	variance := (sum(before, apart) + sum(after, apart)) / (m + n - 1)
	if variance <= 0 {
		return 1
	}
	deviation := math.Sqrt(variance * (1/m + 1/n))
	return math.Erfc(math.Abs(second/n-first/m) / deviation / math.Sqrt2)
}
