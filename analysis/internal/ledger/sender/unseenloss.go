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
	// Skipped is the segment that shows that more had been sent than has passed; no frame if none.
	Skipped capture.Mark
}

// UnseenLoss reports whether r, which looks like new data, is the second copy of a segment that was
// lost before it passed the capture point. since is when the wait for it began; turn tells that r
// is the first of its sender after the other side spoke.
//
// What proves it: another segment of the sender had shown a later sequence number, or a packet is
// missing by its identification. An acknowledgment may also be missing; so without data before it
// in the same message, the capture must show the one that was due, or that the peer repeated its
// data for want of one, which then was with the lost segment. The wait must last as long as a
// timer.
func (s *State) UnseenLoss(
	r *reassembly.Record, since time.Duration, turn bool,
) (UnseenLoss, bool) {
	if !s.lostUnseen(r, since, turn) {
		return UnseenLoss{}, false
	}
	l := UnseenLoss{From: max(since, s.since.unsent), Skipped: s.since.skipped}
	if turn {
		l.From = max(l.From, since+s.far())
	}
	heard := max(l.From, s.known.by.Time+s.far())
	switch wait := r.Time - heard; {
	case wait >= s.path.timeoutSoonest(1):
		l.Kind = reassembly.TimeoutRetransmission
		if most := oneTimer(s.path.Timeout(), wait); s.since.missing < 2 && !s.hadSkipped(r) {
			// Only one copy is missing, so one timer has run: what is longer is not its doing.
			l.From = max(l.From, r.Time-(heard-l.From)-most)
		}
	case !turn && wait >= s.path.probeSoonest() && s.path.Conn.RTTMin() > 0:
		l.Kind = reassembly.TailLossProbe
	default:
		return UnseenLoss{}, false
	}
	// Of two that are missing one may have been an acknowledgment, unless two timers have run.
	l.Twice = s.since.missing > 1 && (!turn || r.Time-l.From >= s.path.timeoutSoonest(2))
	return l, true
}

// hadSkipped reports whether a segment before r had shown that more had been sent than has passed.
func (s *State) hadSkipped(r *reassembly.Record) bool {
	return Seen(s.since.skipped) && s.since.skipped.Time < r.Time
}

// lostUnseen reports whether it is proven that a segment of the sender never passed the capture
// point which r may be the second copy of.
func (s *State) lostUnseen(r *reassembly.Record, since time.Duration, turn bool) bool {
	c := s.path.Conn
	if r.Kind != reassembly.Plain || r.Len == 0 || c.Half[0].Missing+c.Half[1].Missing > 0 {
		return false
	}
	return s.hadSkipped(r) ||
		s.since.missing > 0 && (!turn || s.acknowledgedTurn(r, since) || s.repeatedTurn(r, since))
}

// timerRoom is what the timer of a host may be longer than the least: its estimate of the round
// trip is a mean and four deviations (RFC 6298 §2.3), which a few delayed acknowledgments of 40 ms
// make.
const timerRoom = 50 * time.Millisecond

// oneTimer is the most that one retransmission timer of the given least value can have made of a
// wait. Stacks that keep to RFC 6298 §2.4 wait a second at least.
func oneTimer(least, wait time.Duration) time.Duration {
	for _, t := range [...]time.Duration{least, max(rtoMinRFC, least)} {
		if most := t*firesUntil/100 + timerRoom; wait <= most && wait >= timerSoonest(t) {
			return most
		}
	}
	return least*firesUntil/100 + timerRoom
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
