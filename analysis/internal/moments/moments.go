// Package moments keeps when something happened, again and again, in little room, and says of a
// fault when it began and ended, and whether it came at regular intervals: against the moments at
// which it could have happened.
package moments

import (
	"cmp"
	"math"
	"slices"
	"time"
)

const (
	// maxCells is how many cells are kept of one thing; where it has more, they become twice as
	// wide.
	maxCells = 256
	// unit is the width of the narrowest cells.
	unit = time.Millisecond
)

// Moments are when something happened: a count in each cell of time in which it did. Its zero value
// has none. What it holds depends on no order, and those of parts become one by Merge.
type Moments struct {
	cells       []cell // in order
	wide        uint8  // cells are unit << wide wide
	first, last time.Duration
	unknown     bool // some are not known
}

// cell is a stretch of time, by its number, in which it happened n times.
type cell struct{ at, n uint32 }

// Width is how wide cells are.
func (m *Moments) width() time.Duration { return unit << m.wide }

// Size is how many cells there are.
func (m *Moments) Size() int { return len(m.cells) }

// Add takes note of a moment; one before the capture counts as its beginning.
func (m *Moments) Add(t time.Duration) {
	if m.unknown {
		return
	}
	t = max(t, 0)
	if len(m.cells) == 0 || t < m.first {
		m.first = t
	}
	m.last = max(m.last, t)
	for t>>m.wide/unit > math.MaxUint32 {
		m.widen()
	}
	m.count(cell{uint32(t >> m.wide / unit), 1})
	for len(m.cells) > maxCells {
		m.widen()
	}
}

// count adds to a cell.
func (m *Moments) count(c cell) {
	i := len(m.cells)
	if i > 0 && m.cells[i-1].at >= c.at { // seldom: most come in order
		i, _ = slices.BinarySearchFunc(m.cells, c.at,
			func(k cell, at uint32) int { return cmp.Compare(k.at, at) })
	}
	if i < len(m.cells) && m.cells[i].at == c.at {
		m.cells[i].n += c.n
		return
	}
	m.cells = slices.Insert(m.cells, i, c)
}

// widen makes one cell of every two neighbours.
func (m *Moments) widen() {
	out := m.cells[:0]
	for _, c := range m.cells {
		c.at /= 2
		if n := len(out); n > 0 && out[n-1].at == c.at {
			out[n-1].n += c.n
		} else {
			out = append(out, c)
		}
	}
	m.cells = out
	m.wide++
}

// Forget makes of m moments that are not known: it says nothing any more.
func (m *Moments) Forget() { *m = Moments{unknown: true} }

// Merge takes in all that o has.
func (m *Moments) Merge(o *Moments) {
	switch {
	case m.unknown || o.unknown:
		m.Forget()
		return
	case len(o.cells) == 0:
		return
	case len(m.cells) == 0:
		*m = o.Clone()
		return
	}
	m.first, m.last = min(m.first, o.first), max(m.last, o.last)
	for m.wide < o.wide {
		m.widen()
	}
	for _, c := range o.at(m.wide) {
		m.count(c)
	}
	for len(m.cells) > maxCells {
		m.widen()
	}
}

// at is the cells at a width, which is theirs or more.
func (m *Moments) at(wide uint8) []cell {
	c := m.Clone()
	for c.wide < wide {
		c.widen()
	}
	return c.cells
}

// Clone shares nothing with m.
func (m *Moments) Clone() Moments {
	c := *m
	c.cells = slices.Clone(m.cells)
	return c
}
