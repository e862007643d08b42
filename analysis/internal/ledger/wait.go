package ledger

import (
	"cmp"
	"slices"
	"time"

	"tcpwhy/analysis/internal/ledger/picture"
	"tcpwhy/analysis/internal/ledger/sender"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

const (
	maxWaits = 64                // waits kept per exchange; beyond it the shortest go
	minWait  = picture.ShortWait // shorter waits are only counted
)

// Wait is one wait inside an exchange: the time between two progress events, or a part of it that
// has one label.
type Wait struct {
	Label    report.Label
	From, To time.Duration
	Dir      reassembly.Dir // whose segment ended the wait
	Before   capture.Mark   // the progress event before it; no frame if there was none
	Prev     reassembly.Dir // whose that was
	End      capture.Mark   // the segment that ended it; no frame if none did
	// of a corked end: the hold before, which had not been recognised yet; 0: none
	Earlier time.Duration
	// what released that segment, or its first copy that was lost; no frame if unknown
	Cause capture.Mark
	// what was sent again without need while it lasted; no frame if nothing was
	Again  capture.Mark
	Octets uint32          // of the segment that ended it
	Kind   reassembly.Kind // of that segment
	// needless retransmissions were not a timer's, but due to the order in which segments came
	ByOrder bool
	Unseen  bool // what was lost had not passed the capture point
	Faint   bool // that it was lost, only packets tell that are missing, and may be others'
	// the identifications by which alone that is known; without a stride if anything else tells
	Gap IDGap
	// the cause acknowledged nothing new, or a full window at once: it told of room in that
	Room bool
	// even with the cause the receiver's program had left unread what had come long before
	Unread bool
	// nothing got through: why the sender, or who waited for it, heard nothing. Again is the first
	// copy by which it repeated what it had sent
	Unheard sender.Deafness
	// of a host that stood still, which is Dir's, from Before, its last segment, to End, its first:
	// by how much its own clock went on, and whether that stood, too
	Ticked     time.Duration
	ClockStood bool
	// the segment that ended it was not held up on the way: next to its sender, or by its timestamp
	LeftThen bool
}

// Length is how long the wait was.
func (s *Wait) Length() time.Duration { return s.To - s.From }

// LongWaits are the waits of an exchange that are long enough to be looked at one by one.
type LongWaits struct {
	Waits    []Wait        // in order of time
	shortest time.Duration // the least length of a wait that is kept from now on; 0: any
}

// reset is the room of l, empty.
func (l *LongWaits) reset() LongWaits { return LongWaits{Waits: l.Waits[:0]} }

// keep adds a wait, if it is long enough.
func (l *LongWaits) keep(s Wait) {
	if s.Length() < max(minWait, l.shortest) {
		return
	}
	if cap(l.Waits) == 0 {
		l.Waits = make([]Wait, 0, 4) // as many as a short exchange has
	}
	l.Waits = append(l.Waits, s)
	if len(l.Waits) < 2*maxWaits {
		return
	}
	slices.SortStableFunc(l.Waits,
		func(a, b Wait) int { return cmp.Compare(b.Length(), a.Length()) })
	l.Waits = l.Waits[:maxWaits]
	l.shortest = l.Waits[maxWaits-1].Length() + 1
	slices.SortStableFunc(l.Waits, func(a, b Wait) int { return cmp.Compare(a.From, b.From) })
}

// WaitsWith are the waits that have one of the labels.
func (l *LongWaits) WaitsWith(labels ...report.Label) []Wait {
	var out []Wait
	for _, s := range l.Waits {
		if slices.Contains(labels, s.Label) {
			out = append(out, s)
		}
	}
	return out
}

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

// Pause is the label of a pause that the application of dir's sender made inside a message.
func Pause(dir reassembly.Dir) report.Label {
	if dir == reassembly.FromClient {
		return report.ReqApp
	}
	return report.AppPaced
}
