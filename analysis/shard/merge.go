package shard

import (
	"cmp"
	"container/heap"
	"encoding/binary"
	"io"
	"slices"

	"tcpwhy/capture"
)

// merge gives the sightings of blocks of many inputs in the order of the capture.
type merge struct {
	runs []*run
	out  capture.Sighting
}

// run is what is left of the blocks of one input, in order.
type run struct {
	blocks [][]byte // those behind the one in hand
	rest   []byte   // of the one in hand
	seen   capture.Sighting
}

// newMerge begins with the first sighting of each input.
func newMerge(blocks [][]byte) (*merge, error) {
	type numbered struct {
		input, number uint64
		rest          []byte
	}
	all := make([]numbered, 0, len(blocks))
	for _, b := range blocks {
		input, n := binary.Uvarint(b)
		number, m := binary.Uvarint(b[max(0, n):])
		if n <= 0 || m <= 0 {
			return nil, ErrPlan
		}
		all = append(all, numbered{input, number, b[n+m:]})
	}
	slices.SortFunc(all, func(a, b numbered) int {
		return cmp.Or(cmp.Compare(a.input, b.input), cmp.Compare(a.number, b.number))
	})
	m := &merge{}
	for i, b := range all {
		switch {
		case i > 0 && all[i-1].input == b.input && all[i-1].number == b.number: // it came twice
		case i > 0 && all[i-1].input == b.input:
			r := m.runs[len(m.runs)-1]
			r.blocks = append(r.blocks, b.rest)
		default:
			m.runs = append(m.runs, &run{rest: b.rest})
		}
	}
	for _, r := range m.runs {
		if err := r.step(); err != nil {
			return nil, ErrPlan // a block has a sighting at least
		}
	}
	heap.Init(m)
	return m, nil
}

// step takes the next sighting of the run in hand; io.EOF if there is none.
func (r *run) step() (err error) {
	if len(r.rest) == 0 {
		if len(r.blocks) == 0 {
			return io.EOF
		}
		r.rest, r.blocks = r.blocks[0], r.blocks[1:]
	}
	r.rest, err = r.seen.Decode(r.rest)
	return err
}

// next gives the next sighting, the caller's until the next call.
func (m *merge) next() (*capture.Sighting, error) {
	if len(m.runs) == 0 {
		return nil, io.EOF
	}
	r := m.runs[0]
	m.out = r.seen
	switch err := r.step(); err {
	case nil:
		heap.Fix(m, 0)
	case io.EOF:
		heap.Pop(m)
	default:
		return nil, err
	}
	return &m.out, nil
}

// Len, Less, Swap, Push and Pop implement heap.Interface.
func (m *merge) Len() int           { return len(m.runs) }
func (m *merge) Less(i, k int) bool { return compareOrder(&m.runs[i].seen, &m.runs[k].seen) < 0 }
func (m *merge) Swap(i, k int)      { m.runs[i], m.runs[k] = m.runs[k], m.runs[i] }
func (m *merge) Push(x any)         { m.runs = append(m.runs, x.(*run)) }
func (m *merge) Pop() any {
	last := m.runs[len(m.runs)-1]
	m.runs = m.runs[:len(m.runs)-1]
	return last
}
