package report

import (
	"math"
	"slices"
	"time"
)

const (
	// exactDurations is up to how many durations are kept themselves: of few, a quantile to 5 %
	// would not be one that occurred.
	exactDurations = 32
	// cellUnit is where the second cell of a histogram begins; each begins a tenth later than the
	// one before, so that a quantile is off by half a cell at most, 5 %.
	cellUnit = 10 * time.Microsecond
	// MaxCells is how many cells a histogram has at most: they reach to half an hour.
	MaxCells = 200
)

// Durations is how long something took, again and again: exact while there are few, a histogram of
// cells that grow by a tenth each beyond that. Sets of them become one by Merge, in any order and
// in any parts, with the same outcome.
type Durations struct {
	N     int
	Sum   time.Duration
	Least time.Duration // of all; 0 without any
	Most  time.Duration
	Few   []time.Duration // all of them, sorted; nil beyond exactDurations
	// Cells counts by cell, from cell First on; nil as long as Few has them.
	First int
	Cells []int
}

// Add takes in one duration; one below nothing counts as nothing.
func (d *Durations) Add(t time.Duration) {
	t = max(t, 0)
	if d.N == 0 || t < d.Least {
		d.Least = t
	}
	d.N, d.Sum, d.Most = d.N+1, d.Sum+t, max(d.Most, t)
	if d.N <= exactDurations {
		i, _ := slices.BinarySearch(d.Few, t)
		d.Few = slices.Insert(d.Few, i, t)
		return
	}
	d.spread()
	d.count(cellOf(t), 1)
}

// spread counts the durations that were kept themselves.
func (d *Durations) spread() {
	for _, t := range d.Few {
		d.count(cellOf(t), 1)
	}
	d.Few = nil
}

// cellStarts are the least durations of the cells, in whole nanoseconds, so that every machine has
// the same; the first has all that is shorter, too.
var cellStarts = func() (starts [MaxCells]time.Duration) {
	for i, t := 0, cellUnit; i < MaxCells; i, t = i+1, t+t/10 {
		starts[i] = t
	}
	return starts
}()

// cellOf is the cell of a duration.
func cellOf(t time.Duration) int {
	i, same := slices.BinarySearch(cellStarts[:], t)
	if !same {
		i--
	}
	return max(i, 0)
}

// CellStart is the least duration of a cell; 0 of the first.
func CellStart(cell int) time.Duration {
	if cell <= 0 {
		return 0
	}
	return cellStarts[min(cell, MaxCells-1)]
}

// count adds n to a cell.
func (d *Durations) count(cell, n int) {
	if len(d.Cells) == 0 {
		d.First = cell
	}
	if cell < d.First {
		d.Cells = slices.Insert(d.Cells, 0, make([]int, d.First-cell)...)
		d.First = cell
	}
	for len(d.Cells) <= cell-d.First {
		d.Cells = append(d.Cells, 0)
	}
	d.Cells[cell-d.First] += n
}

// Sound reports whether its figures can be those of durations.
func (d *Durations) Sound() bool {
	counted := len(d.Few)
	for _, n := range d.Cells {
		if n < 0 || n > d.N {
			return false
		}
		counted += n
	}
	few := d.N <= exactDurations
	return d.N >= 0 && counted == d.N && few == (len(d.Cells) == 0) && (few || len(d.Few) == 0) &&
		0 <= d.Least && d.Least <= d.Most && d.Sum >= 0 && slices.IsSorted(d.Few) &&
		d.First >= 0 && len(d.Cells) <= MaxCells-min(d.First, MaxCells)
}

// Merge takes in all that o has.
func (d *Durations) Merge(o *Durations) {
	if o.N == 0 {
		return
	}
	if d.N == 0 || o.Least < d.Least {
		d.Least = o.Least
	}
	few := d.N+o.N <= exactDurations
	d.N, d.Sum, d.Most = d.N+o.N, d.Sum+o.Sum, max(d.Most, o.Most)
	if few {
		d.Few = slices.Concat(d.Few, o.Few)
		slices.Sort(d.Few)
		return
	}
	d.spread()
	for _, t := range o.Few {
		d.count(cellOf(t), 1)
	}
	for i, n := range o.Cells {
		if n > 0 {
			d.count(o.First+i, n)
		}
	}
}

// Quantile is the least duration that a share q of all do not exceed (0 to 1): the nearest rank,
// exact of few, else the middle of its cell. 0 without any.
func (d *Durations) Quantile(q float64) time.Duration {
	rank := max(1, int(math.Ceil(q*float64(d.N))))
	switch {
	case d.N == 0:
		return 0
	case len(d.Few) > 0:
		return d.Few[min(rank, len(d.Few))-1]
	case rank >= d.N:
		return d.Most
	}
	for i, n := range d.Cells {
		if rank -= n; rank <= 0 {
			return d.middle(d.First + i)
		}
	}
	return d.Most
}

// middle is the middle of a cell, within what occurred.
func (d *Durations) middle(cell int) time.Duration {
	middle := cellStarts[min(cell, MaxCells-1)]
	return min(max(middle+middle/20, d.Least), d.Most)
}

// Median is the quantile of a half.
func (d *Durations) Median() time.Duration { return d.Quantile(0.5) }

// Clone shares nothing with d.
func (d *Durations) Clone() Durations {
	c := *d
	c.Few, c.Cells = slices.Clone(d.Few), slices.Clone(d.Cells)
	return c
}
