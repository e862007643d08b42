package sender

import (
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// UnseenLoss is the loss of a segment before it passed the capture point, repaired by one that
// looks like new data.
type UnseenLoss struct {
	// From is the earliest moment at which the first copy can have been sent, as the capture point
	// would have seen it.
	From time.Duration
	// Kind is that of the repair: TimeoutRetransmission or TailLossProbe.
	Kind reassembly.Kind
	// Twice says that a repair was lost, too.
	Twice bool
	// Faint says that only identifications tell, and what they count is not known, or no timers
	// last just as long.
	Faint bool
	// Gap is what is missing by identifications; without a stride if something else tells.
	Gap IDGap
	// Skipped is the segment that shows that more had been sent than has passed; no frame if none.
	Skipped capture.Mark
}

// UnseenLoss reports whether r, which looks like new data, is the second copy of a segment that was
// lost before it passed the capture point. since is when the wait for it began; turn tells that r
// is the first of its sender after the other side spoke.
//
// What proves it: another segment of the sender had shown a later sequence number, or packets are
// missing by their identification, where that counts packets of the connection. An acknowledgment
// may also be missing; so where one was due before r, the capture must show it, or that the peer
// repeated its data for want of one, which then was with the lost segment. The wait must last as
// long as timers.
func (s *State) UnseenLoss(
	r *reassembly.Record, since time.Duration, turn bool,
) (UnseenLoss, bool) {
	c := s.path.Conn
	if r.Kind != reassembly.Plain || r.Len == 0 || c.Half[0].Missing+c.Half[1].Missing > 0 {
		return UnseenLoss{}, false
	}
	if s.since.missing == 0 && !s.hadSkipped(r) {
		return UnseenLoss{}, false
	}
	l := UnseenLoss{From: max(since, s.since.unsent), Skipped: s.since.skipped}
	if turn {
		l.From = max(l.From, since+s.far())
	}
	if s.hadSkipped(r) {
		// Of two that are missing one may have been an acknowledgment, unless two timers have run.
		l.Twice = s.since.missing > 1 && (!turn || r.Time-l.From >= s.path.timersSoonest(2, turn))
		return l, l.repairedBy(s, r, turn)
	}
	owed := turn || s.owesAck(r)
	if owed && !s.acknowledgedTurn(r, since) && !s.repeatedTurn(r, since) {
		return UnseenLoss{}, false
	}
	return l, l.repairedBy(s, r, turn) && l.counted(s, r, turn)
}

// repairedBy tells by which timer r repairs the loss; false if none was due.
func (l *UnseenLoss) repairedBy(s *State, r *reassembly.Record, turn bool) bool {
	heard := max(l.From, s.known.by.Time+s.far())
	switch wait := r.Time - heard; {
	case wait >= s.path.timeoutSoonest():
		l.Kind = reassembly.TimeoutRetransmission
	case !turn && wait >= s.path.probeSoonest() && s.path.Conn.RTTMin() > 0:
		l.Kind = reassembly.TailLossProbe
	default:
		return false
	}
	return true
}

// counted tells how many copies were lost before r by the packets that are missing: at most as many
// as had the time, and what is longer than their timers is none of their doing. False if nothing is
// known by that.
func (l *UnseenLoss) counted(s *State, r *reassembly.Record, turn bool) bool {
	heard := max(l.From, s.known.by.Time+s.far())
	wait := r.Time - heard
	n := 1
	for n < s.since.missing && wait >= s.path.timersSoonest(n+1, turn) {
		n++
	}
	most, fits := s.path.timersLast(n, turn, wait)
	if l.Kind == reassembly.TailLossProbe {
		most, fits = wait, wait <= timerLatest(probeTrips*s.path.Conn.RTTMin()+probeTicks)
	}
	switch s.missingCopies(n, wait, fits) {
	case noCopies:
		return false
	case perhapsCopies:
		l.Faint = true
	}
	l.Twice, l.Gap = n > 1, s.since.gap
	l.From = max(l.From, r.Time-(heard-l.From)-most)
	return true
}

// hadSkipped reports whether a segment before r had shown that more had been sent than has passed.
func (s *State) hadSkipped(r *reassembly.Record) bool {
	return Seen(s.since.skipped) && s.since.skipped.Time < r.Time
}

// NoteUnseenLoss takes note of a loss that UnseenLoss told of.
func (s *State) NoteUnseenLoss() {
	s.growth.unseen = true
	s.growth.lose(s.stream.sent)
}

// NoteLoss takes note of a loss that r repaired.
func (s *State) NoteLoss(r *reassembly.Record) {
	s.growth.unseen = r.Trait.Has(reassembly.Unseen)
}
