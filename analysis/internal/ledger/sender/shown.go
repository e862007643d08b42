package sender

import (
	"time"

	"tcpwhy/reassembly"
)

// SentTo is the offset after the highest octet that was sent.
func (s *State) SentTo() int64 { return s.stream.sent }

// InOrder is the offset up to which the receiver has everything.
func (s *State) InOrder() int64 { return s.stream.frontier() }

// AckedBy is the highest acknowledgment of what was sent that had passed by the given moment: the
// offset after what it covers. Of records that have been released it counts all.
func (s *State) AckedBy(at time.Duration) int64 {
	acked := s.stream.released
	c := s.path.Conn
	for i := range c.Records {
		r := &c.Records[i]
		if r.Time > at {
			break
		}
		if r.Dir != s.dir && acknowledges(r) {
			acked = max(acked, r.Ack)
		}
	}
	return acked
}

// UnheardUntil is the latest moment after the given one, and before the record in hand, at which no
// acknowledgment had reached the sender for longer than its timer: it repeated what one had covered
// that had passed so long before. It is the moment given if there was none.
func (s *State) UnheardUntil(since time.Duration) time.Duration {
	c := s.path.Conn
	for i := s.hand.n - 1 - c.Released; i >= 0 && c.Records[i].Time > since; i-- {
		r := &c.Records[i]
		if r.Dir != s.dir || r.Len == 0 || r.Kind != reassembly.SpuriousRetransmission {
			continue
		}
		if s.AckedBy(r.Time-s.path.Timeout()) >= r.End() {
			return r.Time
		}
		break // one look at all the records is enough
	}
	return since
}

// Rounds are the first rounds of the message in hand. They are valid until the next message.
func (s *State) Rounds() []Round { return s.rounds.list }

// FirstRound is how many octets the first round of the connection had; 0: not known.
func (s *State) FirstRound() int64 { return s.rounds.initial }

// MostInFlight is the most octets that were in flight so far.
func (s *State) MostInFlight() int64 { return s.growth.most }

// WindowRoom is how many octets more the receive window has room for than have been acknowledged,
// as far as the sender knows; 0 if that is not known.
func (s *State) WindowRoom() int64 {
	if !s.path.Conn.Scaled() {
		return 0
	}
	return max(0, s.known.edge-s.known.ack)
}

// PathRate is how many octets a second the path carries from this sender, as far as segments and
// acknowledgments show it; 0: not known, as where it is what the receive window lets through.
// average is the rate at which the whole message passed.
func (s *State) PathRate(average float64) float64 {
	if s.own.pacing.seen && !s.growth.cut && s.queue.most < max(queueLeast,
		s.path.Conn.RTTMin()/queueParts) {
		return 0 // what shows is the sender's pace: a path that carries less has a queue by then
	}
	rate := s.rates.perSecond(int64(s.mss()), average)
	most := float64(levelMost)
	if s.own.pacing.seen {
		most *= startupGain
	}
	if s.windowSetsRate(rate) && !s.windowSetsRate(rate*levelLeast/most) {
		return 0
	}
	return rate
}

// PacesItself reports whether the sender has shown a pace of its own.
func (s *State) PacesItself() bool { return s.own.pacing.seen }

// ReceiveWindow is what the receive window was when it kept the sender back during the message in
// hand.
func (s *State) ReceiveWindow() ReceiveWindow { return s.offered }

// Queue is the most by which round trips grew during the message in hand.
func (s *State) Queue() time.Duration { return s.queue.most }

// Idle is the idle period before the message in hand.
func (s *State) Idle() Idle { return s.growth.idle }

// SegmentCounts are the segments of the message in hand.
func (s *State) SegmentCounts() SegmentCounts { return s.segments }

// StampTick is by how much the clock goes on at a time by which the sender stamps what it sends
// (RFC 7323 §3); 0: not known.
func (s *State) StampTick() time.Duration { return s.stamps.tick }

// StampedBy reports whether that was known by the given moment, so that what was sent from then on
// tells by how much the path held it up.
func (s *State) StampedBy(at time.Duration) bool {
	return s.stamps.tick > 0 && s.stamps.known <= at
}

// LostUnseen reports whether what the sender lost last had not passed the capture point.
func (s *State) LostUnseen() bool { return s.growth.unseen }

// FullPassed reports whether a full segment of the sender arrived, at the first attempt.
func (s *State) FullPassed() bool { return s.full.passed }

// LateAcks is by how much the peer's acknowledgments of small segments came later than prompt ones,
// where only a timer can have made them late.
func (s *State) LateAcks() []time.Duration { return s.lateAcks }

// Nagle is what the sender has shown of Nagle's algorithm.
func (s *State) Nagle() *Nagle { return &s.nagle }
