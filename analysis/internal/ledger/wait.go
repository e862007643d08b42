package ledger

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

// Wait is one wait inside an exchange: the time between two progress events, or a part of it that
// has one label.
type Wait struct {
	Label    report.Label
	From, To time.Duration
	Dir      reassembly.Dir // whose segment ended the wait
	Before   capture.Mark   // the progress event before it; no frame if there was none
	Prev     reassembly.Dir // whose that was
	End      capture.Mark   // the segment that ended it
	// of a corked end: the hold before, which had not been recognised yet; 0: none
	Earlier time.Duration
	// what released that segment, or its first copy that was lost; no frame if unknown
	Cause capture.Mark
	// what was sent again without need while it lasted; no frame if nothing was
	Again  capture.Mark
	Octets uint32 // of the segment that ended it
	Kind   reassembly.Kind
	// needless retransmissions were not a timer's, but due to the order in which segments came
	Hasty  bool
	Unseen bool // what was lost had not passed the capture point
	// the cause acknowledged nothing new, or a full window at once: it told of room in that
	Moved bool
}

// Length is how long the wait was.
func (s *Wait) Length() time.Duration { return s.To - s.From }

// keep adds a wait to those that rules look at.
func (j *Exchange) keep(s Wait) {
	s.From = max(s.From, j.From)
	if j.over {
		s.To = min(s.To, j.Until)
	}
	if s.Length() < max(minSlice, j.shortest) {
		return
	}
	if cap(j.Waits) == 0 {
		j.Waits = make([]Wait, 0, 4) // as many as a short exchange has
	}
	j.Waits = append(j.Waits, s)
	if len(j.Waits) < 2*maxSlices {
		return
	}
	slices.SortStableFunc(
		j.Waits,
		func(a, b Wait) int { return cmp.Compare(b.Length(), a.Length()) },
	)
	j.Waits = j.Waits[:maxSlices]
	j.shortest = j.Waits[maxSlices-1].Length() + 1
	slices.SortStableFunc(j.Waits, func(a, b Wait) int { return cmp.Compare(a.From, b.From) })
}

// With are the waits of the exchange that have one of the labels.
func (j *Exchange) With(labels ...report.Label) []Wait {
	var out []Wait
	for _, s := range j.Waits {
		if slices.Contains(labels, s.Label) {
			out = append(out, s)
		}
	}
	return out
}

// Sum is the time of the exchange under the labels.
func (j *Exchange) Sum(labels ...report.Label) time.Duration {
	var t time.Duration
	for _, l := range labels {
		t += j.Times[l]
	}
	return t
}

// Noticeable is the least wait worth a finding of its own.
const Noticeable = 20 * time.Millisecond

// LongestWait is the longest of waits.
func LongestWait(waits []Wait) Wait {
	var out Wait
	for _, w := range waits {
		if w.Length() > out.Length() {
			out = w
		}
	}
	return out
}
