package sender

import (
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// Release is what the sender learned just before it sent the record in hand.
func (s *State) Release() *Release { return &s.hand.release }

// HeldUp is by how much longer than the least the record in hand was under way; 0 if that does not
// show.
func (s *State) HeldUp() time.Duration { return s.hand.late }

// LatestOpening is the latest segment that moved the receive window's edge since the sender last
// sent something new; no frame if none did.
func (s *State) LatestOpening() capture.Mark { return s.since.opening }

// Needless is the first segment that was sent again without need since the sender last sent
// something new; no frame if none was.
func (s *State) Needless() capture.Mark { return s.since.needless }

// TakeGap reports, once, whether octets were acknowledged that the capture never showed.
func (s *State) TakeGap() bool {
	gap := s.stream.gap
	s.stream.gap = false
	return gap
}

// Outstanding reports whether something was not acknowledged, as far as the sender knew, before
// anything could release the record in hand.
func (s *State) Outstanding() bool { return s.prior.ack < s.stream.before }

// WindowClosed reports whether a window of zero was offered since the sender last sent something
// new, or asked for room.
func (s *State) WindowClosed() bool { return s.since.closed || s.since.probed }

// Room is the first segment that made room for a full one in a receive window that had none when
// the sender last sent something new; no frame if none did. full tells that it had none, and that r
// left when some was made, or filled what little there was, to the octet, as a kernel's probe does.
// unread tells that even then the receiver's program had left octets unread.
func (s *State) Room(r *reassembly.Record) (made capture.Mark, unread, full bool) {
	room := s.known.edge - s.stream.before
	return s.since.room, s.since.unread, s.since.full &&
		(Seen(s.since.room) || room > 0 && room == int64(r.Len))
}

// WindowCut reports whether a loss has shrunk the congestion window.
func (s *State) WindowCut() bool { return s.growth.cut }

// SlowStart reports whether slow start has not ended.
func (s *State) SlowStart() bool { return s.growth.slow }

// NeedlessByOrder reports whether the latest needless retransmission was no timer's doing, but due
// to the order in which segments came.
func (s *State) NeedlessByOrder() bool { return s.growth.byOrder }

// Segments come as fast as the path carries them if they are no further apart than so many percent
// of what one takes at the best rate, and a few ticks of the capture's clock (reasoning: half as
// much again is jitter, twice as much is a wait).
const (
	serialPercent = 150
	serialTicks   = 4
)

// BackToBack reports whether r, which came gap after the one before, followed as fast as the path,
// or the sender's host, can carry segments.
func (s *State) BackToBack(r *reassembly.Record, gap time.Duration) bool {
	if gap <= s.path.AtOnce(s.dir) && gap <= kernelReaction {
		return true
	}
	per := s.rates.segments.perSegment()
	mss := int64(s.mss())
	if per == 0 || mss == 0 || s.known.ack >= s.stream.before {
		return false // after a pause nothing tells how fast the path is
	}
	if s.windowSetsRate(float64(mss) / per.Seconds()) {
		return false // it came at the window's pace
	}
	segments := time.Duration((int64(r.Len) + mss - 1) / mss)
	return gap <= per*segments*serialPercent/100+serialTicks*s.path.tick
}

// WindowBound reports whether r could not have been sent before the receive window moved, and was
// sent as soon as it did.
func (s *State) WindowBound(r *reassembly.Record) bool {
	if !s.path.Conn.Scaled() || s.prior.edge == 0 || !Seen(s.hand.release.Opening) ||
		r.Seq < s.stream.before {
		return false
	}
	room := s.prior.edge - s.stream.before
	if s.since.full && s.hand.release.Room {
		return room < int64(r.Len) // it may have waited for more than a segment's room
	}
	return room < min(int64(r.Len), int64(s.mss()))
}

// HalfTrip is half of the least round trip: what lasts less is no wait for an answer (reasoning).
func (p *Path) HalfTrip() time.Duration { return p.Conn.RTTMin() / 2 }

// NoteWindowWait takes note of a wait of gap before r for the receive window: of each that is as
// long as one for an answer, or, where they are spread over round trips again and again, of one in
// each.
func (s *State) NoteWindowWait(r *reassembly.Record, gap time.Duration) {
	b := &s.offered
	switch {
	case gap >= s.path.HalfTrip():
	case r.Time-b.at < s.path.Conn.RTTMin():
		return
	default:
		b.spread++
	}
	b.at = r.Time
	if gap >= s.path.HalfTrip() || b.spread >= timesToRank {
		b.hold(max(s.known.edge-s.known.ack, s.stream.before-s.prior.ack))
	}
}

// Paces reports whether r, which came gap after the one before, came at the pace that its sender
// keeps, and takes note of that.
func (s *State) Paces(r *reassembly.Record, gap time.Duration) bool {
	if !s.last.full || !r.Trait.Has(reassembly.Full) || !s.Outstanding() {
		return false
	}
	paced := s.own.pacing.explains(gap)
	s.own.pacing.add(gap, !Seen(s.hand.release.Ack))
	return paced
}

// AwaitedAck reports whether an acknowledgment released the record in hand, while a congestion
// window's worth may have been in flight: the segment before was full, or as much was in flight as
// the window had, as a program that writes records or chunks with TCP_NODELAY fills it with
// segments of any size.
func (s *State) AwaitedAck() bool {
	return s.last.any() && s.Outstanding() && Seen(s.hand.release.Ack) &&
		(s.last.full || s.prior.cwnd > 0 && s.inFlight() >= s.prior.cwnd)
}

// inFlight is how many packets were in flight before anything could release the record in hand.
func (s *State) inFlight() int64 { return s.flying.sent - s.prior.acked }

// WroteAll reports whether nothing was in flight before the record in hand, or the write before it
// had ended: then no window and no Nagle held it back.
func (s *State) WroteAll() bool { return !s.Outstanding() || s.last.any() && !s.last.full }

// roomParts: acknowledgments have made room if not more than one of so many parts of what was in
// flight before still is (reasoning: no window is that far below what it was without a loss).
const roomParts = 2

// HadRoom reports whether acknowledgments had made room for r, and nothing was sent: there was
// nothing to send.
func (s *State) HadRoom(r *reassembly.Record) bool {
	return s.prior.ack > s.stream.before-s.growth.peak/roomParts &&
		s.prior.edge-s.stream.before >= int64(r.Len)
}
