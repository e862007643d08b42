package sender

import (
	"time"

	"tcpwhy/reassembly"
)

// nagleTails counts what happened to the small end of a message behind full segments that were not
// acknowledged. Nagle's algorithm as RFC 896 has it holds it until all is acknowledged; in
// Minshall's form, as on Linux, it goes with them.
type nagleTails struct {
	prompt int // left with something unacknowledged
	// left as soon as the ACK of everything was known, though the congestion window had room; those
	// for which that is certain count twice
	held int
	// the same, where the window may have been full, each time with another number of octets before
	// it
	sizes int
	last  int64 // of those
	// a full segment waited for the acknowledgment of a single one, though no loss had shrunk the
	// window to that: this sender keeps one segment in flight, or begins with one, whatever follows
	alone bool
}

const (
	tailsHeld = 2 // holds with room in the window that prove the classic algorithm
	tailsAll  = 4 // holds, with room and without, that prove it
)

// classic reports whether Nagle's algorithm as RFC 896 has it is what holds ends of messages. A
// window that were full just where the full segments of a message end, again and again and however
// many they are, would be a strange one.
func (t *nagleTails) classic() bool {
	return t.prompt == 0 && !t.alone && (t.held >= tailsHeld || t.held+t.sizes >= tailsAll)
}

// add takes in a tail that left when all was acknowledged, behind so many octets of segments of mss
// octets.
func (t *nagleTails) add(octets, mss int64, roomy, sure bool) {
	switch {
	case roomy && sure:
		t.held += tailsHeld
	case roomy:
		t.held++
	case octets >= ackEvery*mss && octets != t.last:
		t.sizes, t.last = t.sizes+1, octets
	}
}

// heldTail looks whether r, which is small and follows others of its sender, is the end of a
// message that left when all before it was acknowledged, and counts what happened. The result is
// the hold, if those before have told that it is one.
func (s *State) heldTail(r *reassembly.Record, since time.Duration) *Hold {
	if len(s.stream.holes) > 0 || !s.last.any() || r.Seq != s.stream.sent {
		return nil
	}
	tails, mss := &s.nagle.tails, int64(s.mss())
	if int64(r.Len) > mss {
		tails.prompt++ // it left together with full ones
		return nil
	}
	if !s.last.full || s.last.end != r.Seq {
		return nil
	}
	if s.known.ack < s.stream.sent {
		if s.waited(r) < s.path.probeSoonest() {
			tails.prompt++ // and no tail loss probe
		}
		return nil
	}
	if !s.tailReleased(r) {
		return nil
	}
	sure := s.madeRoom(r) || s.behindOne(s.stream.sent) && s.grown()
	tails.add(s.stream.sent-s.prior.ack, mss, sure || s.roomy(int64(r.Len), mss), sure)
	if !tails.classic() {
		return nil
	}
	return s.tailHold(r, since)
}

// tailReleased reports whether the ACK of everything released r, and no window.
func (s *State) tailReleased(r *reassembly.Record) bool {
	after := s.knownBy(r) - s.known.by.Time
	return s.prior.ack < s.stream.sent && s.known.pure &&
		after <= s.path.AtOnce(s.dir)+s.jitters() &&
		!s.bound(r) && !s.growth.cut && !s.growth.needless
}

// tailHold is the hold of r behind the last full segment.
func (s *State) tailHold(r *reassembly.Record, since time.Duration) *Hold {
	h := &Hold{
		Dir:    r.Dir,
		Tail:   true,
		Pure:   true,
		First:  s.last.Mark,
		Ack:    s.known.by,
		Second: r.Mark(),
		Size:   [2]uint32{uint32(min(s.stream.sent-s.prior.ack, 1<<31)), r.Len},
		From:   max(since, s.last.Time),
		To:     r.Time,
	}
	s.endedBy(h, s.known.by.Time-s.last.Time, s.known.ack-s.known.former)
	return h
}

// roomy reports whether the congestion window had room for n octets more behind what was
// outstanding: as much has been in flight, or the first window of the connection was as large and
// has been acknowledged in earlier messages, which opens it by a segment at least (RFC 5681 §3.1).
// Behind a single segment it has: neither an initial window nor one that idleness has cut back is
// less than two (RFC 5681 §3.1 and §4.1), but with very old stacks.
func (s *State) roomy(n, mss int64) bool {
	outstanding, initial := s.stream.sent-s.prior.ack, s.rounds.initial
	return s.behindOne(s.stream.sent) || s.growth.idle.Since == 0 &&
		(outstanding+n <= s.growth.peak ||
			initial > 0 && len(s.rounds.list) <= 1 && outstanding+n <= initial+mss)
}

// behindOne reports whether of what had been sent up to end no more than one segment was
// outstanding before anything could release the record in hand, though no loss had shrunk the
// congestion window: one of a segment takes a retransmission timeout (RFC 5681 §3.1), but for the
// initial window of very old stacks.
func (s *State) behindOne(end int64) bool {
	return !s.growth.cut && !s.growth.needless && end-s.prior.ack <= int64(s.mss())
}

// grown reports whether the congestion window must have room for two segments: a round of the
// connection was acknowledged (RFC 5681 §3.1), and no idle period has cut the window back since.
func (s *State) grown() bool { return s.rounds.initial > 0 && s.growth.idle.Since == 0 }

// waitedAlone reports whether a full segment in hand waited for the acknowledgment of a single one,
// whatever the congestion window had room for.
func (s *State) waitedAlone() bool {
	return s.Outstanding() && Seen(s.hand.release.Ack) && s.last.full &&
		s.behindOne(s.stream.before)
}

// EndsBehindOne reports whether r is the small end of a message that waited for the acknowledgment
// of a single full segment: no congestion window is that small, so that Nagle's algorithm as RFC
// 896 has it is the more likely reason, but nothing proves it.
func (s *State) EndsBehindOne(r *reassembly.Record) bool {
	return s.last.full && endsSmall(r) && s.behindOne(s.stream.before) && !s.nagle.tails.alone
}

// clearlyBefore is how many times later than "at once" reaches the acknowledgment of everything
// must have come behind one that had made room (reasoning: a multiple of any tolerance).
const clearlyBefore = 10

// madeRoom reports whether an acknowledgment had made room for r clearly before the one of
// everything, and nothing was sent. That r left just then would be a coincidence.
func (s *State) madeRoom(r *reassembly.Record) bool {
	return s.prior.ack-s.last.ack >= int64(r.Len) &&
		s.known.by.Time-s.known.partly >= clearlyBefore*s.path.AtOnce(s.dir)+s.jitters()
}
