package capture

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"
)

// Joined is the account of two parts of a capture that were read apart, whose times count from the
// same Start, and where the inputs of each stand in it: all are in the order of their
// first frames, then of what else was recorded, whatever they are called. What is known of
// interfaces, comments and secrets is in no account of parts.
func Joined(a, b *Stats) (s *Stats, places [2][]int) {
	s = &Stats{
		Start: a.Start, End: max(a.End, b.End), Gaps: bothSilent(a, b),
		Frames: a.Frames + b.Frames, Bytes: a.Bytes + b.Bytes,
		Backsteps: a.Backsteps + b.Backsteps, MaxBack: max(a.MaxBack, b.MaxBack),
		Reordered: a.Reordered + b.Reordered,
		ClockSets: a.ClockSets + b.ClockSets, MaxSet: max(a.MaxSet, b.MaxSet),
		Snapped: a.Snapped + b.Snapped, Offloaded: a.Offloaded + b.Offloaded,
		FragmentsLost: a.FragmentsLost + b.FragmentsLost,
		UnknownLinks:  sums(a.UnknownLinks, b.UnknownLinks), Tunnels: sums(a.Tunnels, b.Tunnels),
		UDP: mostFrames(a.UDP, b.UDP),
	}
	if a.Start.IsZero() { // it has no frame
		s.Start = b.Start
	}
	for o := range s.Count {
		s.Count[o] = a.Count[o] + b.Count[o]
	}
	places = s.takeInputs(a, b)
	for i, of := range [2]*Stats{a, b} {
		if of.FirstSet.Number() == 0 {
			continue
		}
		first := of.FirstSet.In(places[i])
		if s.FirstSet.Number() == 0 || first < s.FirstSet {
			s.FirstSet = first
		}
	}
	return s, places
}

// takeInputs gives s the inputs of both, in order, and says where those of each are.
func (s *Stats) takeInputs(a, b *Stats) (places [2][]int) {
	type placed struct {
		*Input
		of, at int
	}
	var all []placed
	for of, part := range [2]*Stats{a, b} {
		places[of] = make([]int, len(part.Inputs))
		for i := range part.Inputs {
			all = append(all, placed{&part.Inputs[i], of, i})
		}
	}
	slices.SortStableFunc(all, func(a, b placed) int { return a.Input.compare(b.Input) })
	for i, p := range all {
		in := *p.Input
		in.Comments = nil
		s.Inputs = append(s.Inputs, in)
		places[p.of][p.at] = i
	}
	return places
}

// compare puts inputs into the order in which they stand in the account of parts. Those that are
// equal are the same recording, or nothing that was recorded.
func (in *Input) compare(o *Input) int {
	return cmp.Or(cmp.Compare(in.First, o.First),
		cmp.Compare(in.Latest, o.Latest), cmp.Compare(in.Frames, o.Frames),
		cmp.Compare(in.Octets, o.Octets), cmp.Compare(in.Name, o.Name),
		cmp.Compare(in.Format, o.Format),
		cmp.Compare(in.Compression, o.Compression), cmp.Compare(in.Error, o.Error),
		cmp.Compare(in.KernelDrops, o.KernelDrops))
}

// recorded is what tells a recording from others, whatever it is called.
type recorded struct {
	frames, octets uint64
	first, latest  int64
}

func (in *Input) recorded() recorded {
	return recorded{in.Frames, in.Octets, in.First, in.Latest}
}

// SameRecording finds an input of each of two accounts that is the same recording; nil if there is
// none.
func SameRecording(a, b *Stats) (in, again *Input) {
	known := make(map[recorded]*Input, len(a.Inputs))
	for i := range a.Inputs {
		known[a.Inputs[i].recorded()] = &a.Inputs[i]
	}
	for i := range b.Inputs {
		again = &b.Inputs[i]
		if in = known[again.recorded()]; in != nil && in.Same(again) {
			return in, again
		}
	}
	return nil, nil
}

// Same reports whether two inputs are the same recording, whatever they are called: their frames
// are as many, of as many octets, and the first and the latest came at the same nanosecond.
func (in *Input) Same(o *Input) bool {
	return in.Frames > 0 && in.recorded() == o.recorded()
}

// bothSilent are the stretches, of those that are long enough, of which neither part has a frame.
func bothSilent(a, b *Stats) (gaps []Gap) {
	some, others := a.silent(), b.silent()
	for len(some) > 0 && len(others) > 0 {
		x, y := some[0], others[0]
		both := Gap{max(x.From, y.From), min(x.To, y.To)}
		if both.To < math.MaxInt64 && both.To-both.From > GapFrom {
			gaps = append(gaps, both)
		}
		if x.To < y.To {
			some = some[1:]
		} else {
			others = others[1:]
		}
	}
	return gaps
}

// silent are the gaps of a part, and what is behind its end.
func (s *Stats) silent() []Gap {
	return append(slices.Clone(s.Gaps), Gap{s.End, time.Duration(math.MaxInt64)})
}

// sums are the sums of two counts; nil if there are none.
func sums(a, b map[string]uint64) map[string]uint64 {
	if len(a)+len(b) == 0 {
		return nil
	}
	all := maps.Clone(a)
	if all == nil {
		all = map[string]uint64{}
	}
	for k, n := range b {
		all[k] += n
	}
	return all
}

// mostFrames is the port that most datagrams of one of two parts have.
func mostFrames(a, b PortCount) PortCount {
	if a.Frames > b.Frames || a.Frames == b.Frames && a.Port < b.Port {
		return a
	}
	return b
}
