package sender

import (
	"time"

	"tcpwhy/reassembly"
)

const (
	// limitTrips is for how many round trips in a row the same amount must be in flight before it
	// counts as a limit of the sender's own. A congestion window past slow start grows by half a
	// segment in each at least (RFC 9438 §4.3, RFC 5681 §3.1), so by three in as many, and in slow
	// start by far more.
	limitTrips = 6
	// loneTrips is the same of a single segment, which no congestion window is without a timeout.
	loneTrips = 3
	// limitParts: amounts in flight are the same if they differ by one of so many parts, or by a
	// segment (reasoning: a kernel counts its buffers, not octets, and a write wakes up early).
	limitParts = 8
)

// Limit says whether a wait was due to a limit of the sender's own on what it keeps in flight.
type Limit uint8

// What is known of such a limit when a wait has ended.
const (
	NoLimit      Limit = iota // it was not, or something else explains it
	PerhapsLimit              // if the same amount turns out to be in flight again and again
	NowLimit                  // it was, and so were those in a row that perhaps were
	SureLimit                 // it was
)

// sendLimit follows how much a sender has in flight when it stops and goes on with an
// acknowledgment, though both windows have room: a send buffer of fixed size, a stack that keeps
// one segment in flight, or a program that counts what is not acknowledged. In octets.
type sendLimit struct {
	first int64 // in flight in the first round trip of the stretch in hand
	most  int64 // the most in it
	trip  int64 // offset at which the latest of its round trips began
	trips int   // how many it has
	known int64 // what the connection has shown as its sender's limit; 0: nothing
	// pauses in the message in hand that nothing ended but its sender, though there was room
	pauses int
}

// ownPauses is how many such pauses in a message show that its program writes by a clock or as its
// own source gives: one may lie behind a header section. Writes at a distance that divides the
// round trip would otherwise seem to leave with acknowledgments.
const ownPauses = 2

// beginMessage forgets what belongs to a message.
func (l *sendLimit) beginMessage() { l.trips, l.pauses = 0, 0 }

// Limits tells whether r, which came gap after the one before, waited for a limit of the sender's
// own, and takes note of it.
func (s *State) Limits(r *reassembly.Record, gap time.Duration) Limit {
	l := &s.own.limit
	if !s.stoppedShort(r) {
		if gap >= s.path.HalfTrip() {
			l.trips = 0
		}
		if s.Outstanding() && !Seen(s.hand.release.Ack) && gap >= s.path.Conn.RTTMin()/limitParts {
			l.pauses++
		}
		return NoLimit
	}
	if l.pauses >= ownPauses {
		return NoLimit
	}
	flight, mss := s.last.end-s.last.ack, int64(s.mss())
	if l.known > 0 {
		if flight <= l.known+slackOf(l.known, mss) {
			return l.again(flight, mss)
		}
		l.known = 0
	}
	if s.growth.cut || s.growth.needless {
		l.trips = 0 // a window that a loss has shrunk may stay small, as loss after loss keeps it
		return NoLimit
	}
	l.add(flight, mss, s.rounds.now.From)
	need := limitTrips
	if flight <= mss && s.grown() {
		need = loneTrips
	}
	if l.trips < need {
		return PerhapsLimit
	}
	l.known = l.most
	return NowLimit
}

// stoppedShort reports whether r left because of an acknowledgment, while the receive window had
// room for another segment, the path was not full, and nothing had been lost.
func (s *State) stoppedShort(r *reassembly.Record) bool {
	return s.last.any() && r.Seq == s.stream.before && s.Outstanding() &&
		Seen(s.hand.release.Ack) && len(s.stream.holes) == 0 && !s.since.closed &&
		s.prior.edge-s.stream.before >= int64(max(s.mss(), r.Len)) && !s.PipeFull()
}

// slackOf is by how much amounts in flight may differ that are the same.
func slackOf(octets, mss int64) int64 {
	if octets <= mss {
		return 0
	}
	return max(mss, octets/limitParts)
}

// oneIsLone reports whether one of a and b is a single segment, and the other more: those differ by
// no more than a segment, and are still not the same. An acknowledgment that the capture lacks
// makes one seem two.
func oneIsLone(a, b, mss int64) bool { return a <= mss != (b <= mss) }

// again tells whether the limit that is known made the sender wait with so much in flight.
func (l *sendLimit) again(flight, mss int64) Limit {
	if flight < l.known-slackOf(l.known, mss) || oneIsLone(l.known, flight, mss) {
		return NoLimit
	}
	return SureLimit
}

// add takes note of a wait with so much in flight, in the round that began at an offset.
func (l *sendLimit) add(flight, mss, round int64) {
	switch {
	case l.trips > 0 && flight < l.most-slackOf(l.most, mss):
		return // it was not the whole of it
	case l.trips == 0 || flight-l.first >= mss && flight > mss || oneIsLone(l.first, flight, mss):
		l.first, l.most, l.trip, l.trips = flight, flight, round, 1
		return
	}
	l.most = max(l.most, flight)
	if l.trip != round {
		l.trip, l.trips = round, l.trips+1
	}
}

// Going reports whether a stretch of such waits is in hand.
func (s *State) Going() bool { return s.own.limit.trips > 1 }

// OwnLimit is how much the sender keeps in flight at most by a limit of its own; 0: none is known.
func (s *State) OwnLimit() int64 { return s.own.limit.known }
