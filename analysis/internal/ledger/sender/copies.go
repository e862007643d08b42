package sender

import (
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// Deliver books r, which has been learned of, as it reaches the receiver. filled is the hole at the
// receiver's edge that it filled, nil if it filled none. progress tells that it is time to judge
// what led to r: the receiver has more in order, or what it needs next was lost with this copy, or
// just before it.
func (s *State) Deliver(r *reassembly.Record) (filled *Hole, progress bool) {
	if r.Len == 0 {
		return nil, false
	}
	s.stream.begins = s.path.Conn.Half[s.dir].HasISN
	filled, forward := s.stream.deliver(r, s.hand.n)
	return filled, forward || s.stream.doomed(r) || s.leapt(r)
}

// leapt reports whether r, just delivered, is the first that follows what the receiver needs next,
// which was lost before it passed the capture point and is going to be sent again, or is late. That
// one left with it, so that what led to r led to it.
func (s *State) leapt(r *reassembly.Record) bool {
	return s.stream.leapt(r) && (s.stream.repaired(s.stream.before) || s.comesLate(s.stream.before))
}

// comesLate reports whether the octet at the given offset comes later, overtaken on the way.
func (s *State) comesLate(offset int64) bool {
	c := s.path.Conn
	from := s.hand.n - c.Released
	for i := from; i < len(c.Records) && i < from+maxRepairs; i++ {
		r := &c.Records[i]
		if r.Dir == s.dir && r.Kind == reassembly.OutOfOrder && r.Seq <= offset &&
			r.Seq+int64(r.Len) > offset {
			return true
		}
	}
	return false
}

// Outrun is the copy of r's octets that comes after r though it was sent before, by what its sender
// wrote on it (timestamps, RFC 7323 §3; identifications of IP): r repaired no loss. Of a segment
// that was overtaken by others it is the copy that its sender then sent without need. False if
// there is none.
func (s *State) Outrun(r *reassembly.Record) (capture.Mark, bool) {
	c := s.path.Conn
	first := r.Kind == reassembly.OutOfOrder || r.Kind == reassembly.Plain
	if !r.Trait.Has(reassembly.Unseen) && !first || r.Len == 0 {
		return capture.Mark{}, false
	}
	from := s.hand.n - c.Released
	for i := from + 1; i < len(c.Records) && i < from+maxRepairs; i++ {
		o := &c.Records[i]
		if o.Dir != r.Dir || o.Kind != reassembly.SpuriousRetransmission || o.Seq > r.Seq ||
			o.Seq+int64(o.Len) <= r.Seq {
			continue
		}
		if first || o.Trait.Has(reassembly.Outrun) ||
			o.Trait.Has(reassembly.HasTS) && int32(o.TSVal-r.TSVal) < 0 {
			return o.Mark(), true
		}
	}
	return capture.Mark{}, false
}

// HeldUpByCopies is by how much r was held up on the way at the least, by copies of it that came
// right behind it: each had left when a timer had run out. 0 if there are none.
func (s *State) HeldUpByCopies(r *reassembly.Record) time.Duration {
	c := s.path.Conn
	copies, last := 0, r.Time
	from := s.hand.n - c.Released
	for i := from + 1; i < len(c.Records) && i < from+maxRepairs; i++ {
		o := &c.Records[i]
		if o.Time-r.Time >= c.RTTMin() {
			break
		}
		if o.Dir == r.Dir && o.Kind == reassembly.SpuriousRetransmission && o.Seq <= r.Seq &&
			o.End() > r.Seq {
			copies, last = copies+1, o.Time
		}
	}
	if copies == 0 {
		return 0
	}
	return max(0, s.path.timersSoonest(copies, false)-(last-r.Time))
}

// NextNeedless is the next segment that the sender repeats without need; no frame if there is none
// near.
func (s *State) NextNeedless() capture.Mark {
	c := s.path.Conn
	from := s.hand.n - c.Released
	for i := from; i < len(c.Records) && i < from+maxOutstanding; i++ {
		if r := &c.Records[i]; r.Dir == s.dir && r.Len > 0 &&
			r.Kind == reassembly.SpuriousRetransmission {
			return r.Mark()
		}
	}
	return capture.Mark{}
}

// NoteNeedless takes note of r, data that was sent again though it had arrived.
func (s *State) NoteNeedless(r *reassembly.Record) {
	if !s.lastAgain(r) {
		s.growth.repeat(r, s.byOrder(r), s.stream.sent)
	}
	if !Seen(s.since.needless) {
		s.since.needless = r.Mark()
	}
}

// lastAgain reports whether r repeats the last of several segments that are outstanding: a tail
// loss probe, which leaves the congestion window as it is unless it shows a loss (RFC 8985 §7.4). A
// timeout repeats the first.
func (s *State) lastAgain(r *reassembly.Record) bool {
	return r.Seq > s.known.ack && r.Seq+int64(r.Len) == s.stream.sent
}

// byOrder reports whether the sender repeated r, which had arrived, because of duplicate or
// selective acknowledgments, and not because a timer had run out: segments had come in another
// order. Without having heard of one it had only its timer.
func (s *State) byOrder(r *reassembly.Record) bool {
	return s.last.any() && s.heardDuplicate(s.knownBy(r)) &&
		s.waited(r) < min(s.path.probeSoonest(), s.path.timeoutSoonest())
}

// heardDuplicate reports whether the sender knew, by what had passed the capture point at the given
// moment, of a duplicate or selective acknowledgment behind its latest new one.
func (s *State) heardDuplicate(known time.Duration) bool {
	c := s.path.Conn
	latest := int64(-1)
	for i := s.hand.n - c.Released; i >= 0; i-- {
		a := &c.Records[i]
		if a.Dir == s.dir || a.Time > known || a.Flags&capture.ACK == 0 {
			continue
		}
		if a.Ack < latest {
			return false
		}
		if latest = a.Ack; a.SACK > 0 || a.Kind == reassembly.DuplicateAck {
			return true
		}
	}
	return false
}

// What a host sends may be lost for seconds while what it is sent arrives. Then the other side
// repeats by its timer, twice as long each time (RFC 6298 §5.5), what has arrived and has been
// acknowledged: it hears nothing.

// unheardCopies is how many copies, a timer and more apart, show that: one may be that of a timer
// which an acknowledgment crossed, or was too late for.
const unheardCopies = 2

// Unheard is time in which no acknowledgment reached a sender. The zero value is none.
type Unheard struct {
	Until time.Duration // when it last repeated what had arrived
	Again capture.Mark  // the first such copy
}

// Unheard is the time from the given moment, and before the record in hand, in which the sender
// heard nothing; zero if that is not sure.
func (s *State) Unheard(since time.Duration) (u Unheard) {
	c, timer := s.path.Conn, s.path.timeoutSoonest()
	var first *reassembly.Record
	copies := 0
	for i := s.hand.n - 1 - c.Released; i >= 0 && c.Records[i].Time > since; i-- {
		r := &c.Records[i]
		if r.Dir != s.dir || r.Len == 0 {
			continue
		}
		again := r.Kind == reassembly.SpuriousRetransmission
		if !again && first == nil {
			continue // it went on
		}
		if !again || first != nil && first.Time-r.Time < timer ||
			!s.silentBefore(i, timer, r.End()) {
			break
		}
		if first == nil {
			u.Until = s.heardAfter(i)
		}
		first = r
		copies++
	}
	if copies < unheardCopies || !s.passedBefore(first) {
		return Unheard{}
	}
	u.Again = first.Mark()
	if r := s.path.record(s.hand.n); r.Dir == s.dir && s.lacks(r) {
		u.Until = r.Time
	}
	return u
}

// lacks reports whether r acknowledges less than the peer had sent two round trips before, which a
// kernel acknowledges with whatever it sends: its sender had heard nothing by then.
func (s *State) lacks(r *reassembly.Record) bool {
	c := s.path.Conn
	for i := range c.Records {
		o := &c.Records[i]
		if o.Time > r.Time-2*c.RTTMin() {
			break
		}
		if o.Dir != s.dir && o.Len > 0 && o.End() > r.Ack {
			return true
		}
	}
	return false
}

// heardAfter is until when the sender heard nothing after the i-th record that is held, a copy of
// its: the moment of that, or, next to it, when something came.
func (s *State) heardAfter(i int) time.Duration {
	c := s.path.Conn
	until := c.Records[i].Time
	if s.far() >= nearHost {
		return until
	}
	for i++; i < len(c.Records) && i <= s.hand.n-c.Released; i++ {
		if r := &c.Records[i]; r.Dir != s.dir {
			return r.Time
		}
	}
	return until
}

// passedBefore reports whether an octet of r, a copy, had passed before, as far as records are
// held: else the capture began later, and lacks what may have come of the first.
func (s *State) passedBefore(r *reassembly.Record) bool {
	c := s.path.Conn
	for i := range c.Records {
		o := &c.Records[i]
		if o.Time >= r.Time {
			break
		}
		if o.Dir == r.Dir && o.Len > 0 && o.Seq < r.End() && o.End() > r.Seq {
			return true
		}
	}
	return c.Released > 0
}

// silentBefore reports whether no acknowledgment of what ends at the given offset can have reached
// the sender in the time of a timer before the i-th record that is held, a copy of that: nothing
// came, or what did was on its way by then, so that it was lost or held up further on.
func (s *State) silentBefore(i int, timer time.Duration, end int64) bool {
	c := s.path.Conn
	at := c.Records[i].Time
	if s.AckedBy(at-timer) >= end {
		return true
	}
	for i--; i >= 0 && c.Records[i].Time > at-timer; i-- {
		if c.Records[i].Dir != s.dir {
			return false
		}
	}
	return true
}
