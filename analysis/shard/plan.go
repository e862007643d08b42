package shard

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"tcpwhy/analysis/internal/plain"
	"tcpwhy/capture"
)

// ErrPlan says that octets are not what a step of this version gave.
var ErrPlan = errors.New("the octets are no piece of this analysis")

// Plan is what has to be known of the whole capture: which connections belong together, from when
// on times count, and what each of its parts is told of the others.
type Plan struct {
	shards int
	known  capture.Known
	roots  map[uint64]uint64 // of keys that belong together with others: the key of all of them
	bad    int
}

// planned is what a plan is written as.
type planned struct {
	Shards int
	Known  capture.Known
	Roots  map[uint64]uint64
	Bad    int
}

// NewPlan makes the plan of a capture that consists of the recordings of which there are indexes,
// in any order, with numbers from 0 on; one that comes twice counts once.
func NewPlan(indexes [][]byte, shards int) (*Plan, error) {
	all := make([]*index, len(indexes))
	inputs := 0
	for _, octets := range indexes {
		x := &index{}
		if err := read(octets, x); err != nil {
			return nil, err
		}
		if x.Input < 0 || x.Input >= len(all) {
			return nil, ErrPlan
		}
		if all[x.Input] == nil {
			inputs++
		}
		all[x.Input] = x
	}
	all = all[:inputs]
	if shards < 1 || slices.Contains(all, nil) {
		return nil, ErrPlan
	}
	p := &Plan{shards: shards}
	p.tell(all)
	p.roots = together(all)
	return p, nil
}

// Bad is how many of the recordings cannot be read.
func (p *Plan) Bad() int { return p.bad }

// Joined is how many keys, mostly of connections, are not free to go to any shard.
func (p *Plan) Joined() int { return len(p.roots) }

// tell finds out what is to be known of the whole.
func (p *Plan) tell(all []*index) {
	k := &p.known
	var order []*index
	start := int64(0)
	for _, x := range all {
		if x.Bad {
			p.bad++
		}
		if x.Start != 0 && (start == 0 || x.Start < start) {
			start = x.Start
		}
		order = append(order, x)
	}
	if start != 0 {
		k.Start = time.Unix(0, start).UTC()
	}
	slices.SortStableFunc(order, func(a, b *index) int { return cmp.Compare(a.First, b.First) })
	k.First, k.Ends = make([]int, len(all)), make([]time.Duration, len(all))
	for _, x := range order {
		k.First[x.Input] = len(k.Interfaces)
		for _, i := range x.Interfaces {
			i.Input = x.Input
			k.Interfaces = append(k.Interfaces, i)
		}
	}
	whole := &capture.Stats{}
	for _, x := range all {
		if x.Start == 0 {
			continue
		}
		k.Ends[x.Input] = time.Duration(x.End - start)
		whole, _ = capture.Joined(whole, x.since(start))
		for _, s := range x.Secrets {
			k.Secrets = append(k.Secrets, capture.Secret{
				Order: capture.Order{Latest: time.Duration(s.Latest - start), Input: x.Input},
				Log:   s.Log,
			})
		}
	}
	slices.SortStableFunc(k.Secrets, func(a, b capture.Secret) int {
		return cmp.Or(cmp.Compare(a.Latest, b.Latest), cmp.Compare(a.Input, b.Input))
	})
	k.End, k.Gaps = whole.End, whole.Gaps
}

// since is the account of a recording whose times count from another moment: its end and its gaps.
func (x *index) since(start int64) *capture.Stats {
	by := time.Duration(x.Start - start)
	st := &capture.Stats{
		Start: time.Unix(0, start).UTC(), End: time.Duration(x.End - start), Frames: 1,
	}
	if by > capture.GapFrom {
		st.Gaps = append(st.Gaps, capture.Gap{From: 0, To: by})
	}
	for _, g := range x.Gaps {
		st.Gaps = append(st.Gaps, capture.Gap{From: g.From + by, To: g.To + by})
	}
	return st
}

// sets are keys that belong together.
type sets map[uint64]uint64

// root is the key that stands for all that belong to a key.
func (s sets) root(key uint64) uint64 {
	root := key
	for {
		up, known := s[root]
		if !known || up == root {
			break
		}
		root = up
	}
	for key != root { // shorter next time
		key, s[key] = s[key], root
	}
	return root
}

// join makes two keys belong together: the lesser of both roots stands for them, so that nothing
// depends on the order.
func (s sets) join(a, b uint64) {
	x, y := s.root(a), s.root(b)
	root := min(x, y)
	s[a], s[b], s[x], s[y] = root, root, root, root
}

// together finds out which keys belong together.
func together(all []*index) sets {
	s := sets{}
	special := map[uint64]bool{} // addresses that were looked up, hosts with QUIC between them
	for _, x := range all {
		for _, k := range x.Named {
			special[k] = true
		}
		for _, k := range x.Beside {
			special[k] = true
		}
		for _, j := range x.Joins {
			s.join(j[0], j[1])
		}
	}
	syns := map[uint64]uint64{}
	for _, x := range all {
		for _, c := range x.Conns {
			for _, k := range [...]uint64{c.Hosts, c.Ends[0], c.Ends[1]} {
				if special[k] {
					s.join(c.Key, k)
				}
			}
		}
		for _, y := range x.SYNs {
			if first, known := syns[y.Of]; known && first != y.Conn {
				s.join(first, y.Conn)
			} else {
				syns[y.Of] = y.Conn
			}
		}
	}
	s.copies(all)
	for key := range s {
		s.root(key)
	}
	return s
}

// copies joins what recordings show of which some show the same: which of them do is learned over
// all of their connections.
func (s sets) copies(all []*index) {
	type showing struct {
		of          *index
		first, last int64
	}
	latest := map[uint64]showing{} // of a connection: the recording that shows it longest
	shows := map[int]bool{}
	files := make([]uint64, len(all))
	order := slices.Clone(all)
	slices.SortStableFunc(order, func(a, b *index) int { return cmp.Compare(a.Start, b.Start) })
	for _, x := range order {
		files[x.Input] = keyOf(keyFile, []byte{
			byte(x.Input), byte(x.Input >> 8), byte(x.Input >> 16),
		})
		shows[x.Input] = shows[x.Input] || x.Copies
		for _, c := range x.Conns {
			before, known := latest[c.Key]
			if known && x.Start < before.of.End {
				shows[x.Input], shows[before.of.Input] = true, true
				s.join(files[x.Input], files[before.of.Input])
			}
			if !known || before.of.End < x.End {
				latest[c.Key] = showing{x, c.First, c.Last}
			}
		}
	}
	for _, x := range all {
		if !shows[x.Input] {
			continue
		}
		for _, c := range x.Conns {
			s.join(files[x.Input], c.Key)
		}
	}
}

// shardOf is the shard of a segment.
func (p *Plan) shardOf(seg *capture.Segment) int {
	conn, hosts := connOf(seg)
	key := conn
	if seg.Kind == capture.Datagram {
		key = hosts
		if aboutNames(seg) {
			key = addressKey(asks(seg))
		}
	}
	if root, known := p.roots[key]; known {
		key = root
	}
	return int(key >> 8 % uint64(p.shards))
}

// AppendBinary implements encoding.BinaryAppender.
func (p *Plan) AppendBinary(b []byte) ([]byte, error) {
	return plain.Append(b, &planned{p.shards, p.known, p.roots, p.bad})
}

// UnmarshalBinary implements encoding.BinaryUnmarshaler.
func (p *Plan) UnmarshalBinary(octets []byte) error {
	var w planned
	if err := read(octets, &w); err != nil {
		return err
	}
	if w.Shards < 1 || len(w.Known.First) != len(w.Known.Ends) {
		return ErrPlan
	}
	*p = Plan{w.Shards, w.Known, w.Roots, w.Bad}
	return nil
}
