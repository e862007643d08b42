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
	level
	// fallen is the level to which it fell without a loss, and stayed: no congestion window does
	// (RFC 5681 §3.1), but a kernel that counts the memory that it has taken lets fewer octets out
	// once they come in other pieces.
	fallen fallenTo
	known  int64 // what the connection has shown as its sender's limit; 0: nothing
	// pauses in the message in hand that nothing ended but its sender, though there was room
	pauses int
}

// level is a stretch of round trips in which about as much was in flight, in octets.
type level struct {
	first int64 // in the first of them
	most  int64 // the most in any
	trip  int64 // offset at which the latest began
	trips int   // how many there are
}

// fallenTo is one that is lower than before.
type fallenTo struct {
	level
	peak  int64 // the most in the round trip in hand
	round int64 // offset at which that began
}

// ownPauses is how many such pauses in a message show that its program writes by a clock or as its
// own source gives: one may lie behind a header section. Writes at a distance that divides the
// round trip would otherwise seem to leave with acknowledgments.
const ownPauses = 2

// beginMessage forgets what belongs to a message.
func (l *sendLimit) beginMessage() {
	l.forget()
	l.pauses = 0
}

// forget ends the stretches in hand.
func (l *sendLimit) forget() { l.trips, l.fallen = 0, fallenTo{} }

// NothingToSend takes note that the sender had sent all that there was: how much it had in flight
// then shows what it was asked for, and no limit.
func (s *State) NothingToSend() { s.own.limit.forget() }

// Limits tells whether r, which came gap after the one before, waited for a limit of the sender's
// own, and takes note of it.
func (s *State) Limits(r *reassembly.Record, gap time.Duration) Limit {
	l := &s.own.limit
	if !s.stoppedShort(r) {
		if gap >= s.path.HalfTrip() {
			l.forget()
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
		l.forget() // a window that a loss has shrunk may stay small, as loss after loss keeps it
		return NoLimit
	}
	l.add(flight, mss, s.rounds.now.From)
	if s.own.pacing.seen {
		// to measure the least round trip some keep little in flight for a while
		// (net/ipv4/tcp_bbr.c, bbr_update_min_rtt)
		l.fallen = fallenTo{}
	}
	need := limitTrips
	if flight <= mss && s.grown() {
		need = loneTrips
	}
	switch {
	case l.trips >= need:
		l.known = l.most
	case l.fallen.trips >= limitTrips:
		l.known = l.fallen.most
	default:
		return PerhapsLimit
	}
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
	if l.trips > 0 && flight < l.most-slackOf(l.most, mss) {
		l.fallen.add(flight, mss, round) // it was not the whole of it, or is now
		return
	}
	if !l.level.add(flight, mss, round) {
		l.fallen = fallenTo{}
	}
}

// add takes note of a wait with so much in flight, not clearly less than before. It reports whether
// it goes on with the stretch; else that begins anew.
func (l *level) add(flight, mss, round int64) bool {
	if l.trips == 0 || flight-l.first >= mss && flight > mss || oneIsLone(l.first, flight, mss) {
		l.first, l.most, l.trip, l.trips = flight, flight, round, 1
		return false
	}
	l.most = max(l.most, flight)
	if l.trip != round {
		l.trip, l.trips = round, l.trips+1
	}
	return true
}

// add takes note of a wait with so much in flight: the most of each round trip counts.
func (l *fallenTo) add(flight, mss, round int64) {
	if l.round == round {
		l.peak = max(l.peak, flight)
		return
	}
	peak, began := l.peak, l.round
	l.peak, l.round = flight, round
	if peak == 0 {
		return
	}
	if l.trips > 0 && peak < l.most-slackOf(l.most, mss) {
		l.trips = 0
	}
	l.level.add(peak, mss, began)
}

// Going reports whether a stretch of such waits is in hand.
func (s *State) Going() bool {
	return s.own.limit.trips > 1 || s.own.limit.fallen.trips > 0
}

// OwnLimit is how much the sender keeps in flight at most by a limit of its own; 0: none is known.
func (s *State) OwnLimit() int64 { return s.own.limit.known }
