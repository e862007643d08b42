package analysis

import (
	"cmp"
	"slices"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

const (
	maxSlices = 64               // waits kept per exchange; beyond it the shortest go
	minSlice  = time.Millisecond // shorter waits are only counted in the ledger
)

// slice is one wait inside an exchange: the time between two progress events, or a part of it that
// has one label.
type slice struct {
	label    report.Label
	from, to time.Duration
	dir      reassembly.Dir // whose segment ended the wait
	before   capture.Mark   // the progress event before it; no frame if there was none
	prev     reassembly.Dir // whose that was
	end      capture.Mark   // the segment that ended it
	// of a corked end: the hold before, which had not been recognised yet; 0: none
	earlier time.Duration
	// what released that segment, or its first copy that was lost; no frame if unknown
	cause capture.Mark
	// what was sent again without need while it lasted; no frame if nothing was
	again  capture.Mark
	octets uint32 // of the segment that ended it
	kind   reassembly.Kind
	// needless retransmissions were not a timer's, but due to the order in which segments came
	hasty  bool
	unseen bool // what was lost had not passed the capture point
	// the cause acknowledged nothing new, or a full window at once: it told of room in that
	moved bool
}

// length is how long the wait was.
func (s *slice) length() time.Duration { return s.to - s.from }

// keep adds a wait to those that rules look at.
func (j *job) keep(s slice) {
	s.from = max(s.from, j.from)
	if j.over {
		s.to = min(s.to, j.until)
	}
	if s.length() < max(minSlice, j.shortest) {
		return
	}
	if cap(j.slices) == 0 {
		j.slices = make([]slice, 0, 4) // as many as a short exchange has
	}
	j.slices = append(j.slices, s)
	if len(j.slices) < 2*maxSlices {
		return
	}
	slices.SortStableFunc(
		j.slices,
		func(a, b slice) int { return cmp.Compare(b.length(), a.length()) },
	)
	j.slices = j.slices[:maxSlices]
	j.shortest = j.slices[maxSlices-1].length() + 1
	slices.SortStableFunc(j.slices, func(a, b slice) int { return cmp.Compare(a.from, b.from) })
}

// with are the waits of the exchange that have one of the labels.
func (j *job) with(labels ...report.Label) []slice {
	var out []slice
	for _, s := range j.slices {
		if slices.Contains(labels, s.label) {
			out = append(out, s)
		}
	}
	return out
}

// sum is the time of the exchange under the labels.
func (j *job) sum(labels ...report.Label) time.Duration {
	var t time.Duration
	for _, l := range labels {
		t += j.times[l]
	}
	return t
}
