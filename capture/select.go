package capture

import (
	"errors"
	"io"
	"net/netip"
	"time"
)

// FrameSet is a set of frames of a capture, one bit each.
type FrameSet struct{ inputs [][]uint64 }

// Add adds a frame.
func (s *FrameSet) Add(id FrameID) {
	for id.Input() >= len(s.inputs) {
		s.inputs = append(s.inputs, nil)
	}
	bits, at := &s.inputs[id.Input()], int(id.Number()/64)
	if at >= len(*bits) {
		*bits = append(*bits, make([]uint64, max(at+1-len(*bits), len(*bits)/2))...)
	}
	(*bits)[at] |= 1 << (id.Number() % 64)
}

// Has reports whether a frame is in the set. A nil set has all frames.
func (s *FrameSet) Has(id FrameID) bool {
	if s == nil {
		return true
	}
	if id.Input() >= len(s.inputs) {
		return false
	}
	bits, at := s.inputs[id.Input()], id.Number()/64
	return at < uint64(len(bits)) && bits[at]&(1<<(id.Number()%64)) != 0
}

// Stretch is what two ends said to each other in some time of a capture.
type Stretch struct {
	A, B     netip.AddrPort
	From, To time.Duration // since the first frame; both belong to it
}

// pair are two ends, in whichever direction.
type pair struct{ a, b netip.AddrPort }

// between is the pair of two ends.
func between(a, b netip.AddrPort) pair {
	if b.Compare(a) < 0 {
		a, b = b, a
	}
	return pair{a, b}
}

// chooser chooses the frames of stretches.
type chooser struct {
	stretches map[pair][]Stretch
	hosts     map[pair]bool // without ports
}

// Choose reads a capture and gives the frames of some stretches of it, copies of them and fragments
// between the same hosts included.
func Choose(c Config, stretches []Stretch) (*FrameSet, error) {
	by := chooser{map[pair][]Stretch{}, map[pair]bool{}}
	for _, s := range stretches {
		ends := between(s.A, s.B)
		by.stretches[ends] = append(by.stretches[ends], s)
		by.hosts[hosts(s.A.Addr(), s.B.Addr())] = true
	}
	return scan(c, by.wants)
}

// Unfiltered reads a capture and gives the frames that its filter does not leave out; nil, which
// are all frames, where there is no filter.
func Unfiltered(c Config) (*FrameSet, error) {
	if c.Filter == nil {
		return nil, nil
	}
	return scan(c, func(_ *source, _ *Segment, o Outcome) bool { return o != OutcomeFiltered })
}

// scan reads a capture and gives the frames that are wanted.
func scan(c Config, wants func(*source, *Segment, Outcome) bool) (*FrameSet, error) {
	s, err := openInputs(c)
	if err != nil {
		return nil, err
	}
	s.sorter = newSorter(&s.stats, c.Filter)
	set := &FrameSet{}
	for seg := (Segment{}); ; {
		f, outcome, err := s.nextFrame(&seg)
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return set, errors.Join(err, s.Close())
		}
		if wants(s, &seg, outcome) {
			set.Add(NewFrameID(int(f.Input), f.Number))
		}
	}
}

// hosts are two ends without their ports.
func hosts(a, b netip.Addr) pair {
	return between(netip.AddrPortFrom(a, 0), netip.AddrPortFrom(b, 0))
}

// wants reports whether a frame belongs to a stretch.
func (c *chooser) wants(s *source, seg *Segment, outcome Outcome) bool {
	switch outcome {
	case OutcomeSegment, OutcomeICMP, OutcomeDuplicate:
		for _, one := range c.stretches[between(seg.Src, seg.Dst)] {
			if one.From <= seg.Time && seg.Time <= one.To {
				return true
			}
		}
	case OutcomeFragment:
		return c.hosts[hosts(s.sorter.decoder.Addrs())]
	}
	return false
}
