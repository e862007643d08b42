package sender

import (
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// acknowledgedTurn reports whether the capture shows that the sender had acknowledged what the peer
// sent before r, and after since: then a missing packet of its was no acknowledgment.
func (s *State) acknowledgedTurn(r *reassembly.Record, since time.Duration) bool {
	c := s.path.Conn
	asked := s.path.Of(s.dir.Peer()).stream.sent
	for i := len(c.Records) - 1; i >= 0; i-- {
		a := &c.Records[i]
		if a.Time >= r.Time {
			continue
		}
		if a.Time < since {
			return false
		}
		if a.Dir == r.Dir && a.PureAck() && a.Ack >= asked {
			return true
		}
	}
	return false
}

// repeatedTurn reports whether the peer had repeated what it said last, before r and after since,
// though it had arrived: no acknowledgment of it came back in time, though a host must not delay
// one for as long (RFC 9293 §3.8.6.3).
func (s *State) repeatedTurn(r *reassembly.Record, since time.Duration) bool {
	c := s.path.Conn
	for i := len(c.Records) - 1; i >= 0; i-- {
		a := &c.Records[i]
		switch {
		case a.Time >= r.Time:
		case a.Time < since:
			return false
		case a.Dir != r.Dir && a.Len > 0 && a.Kind == reassembly.SpuriousRetransmission:
			return true
		}
	}
	return false
}

// NotArrived is until when nobody can tell whether what r answers had reached the sender: until
// that acknowledged it, if the other side had lost patience before, since the given moment, and
// sent it again, though it did arrive. The path was late then, or an acknowledgment got lost; the
// wait is not known to be the responder's own. Next to the responder it is known, and the result is
// 0.
func (s *State) NotArrived(r *reassembly.Record, since time.Duration) (acked time.Duration) {
	c := s.path.Conn
	asked := s.path.Of(s.dir.Peer())
	if !Seen(asked.since.needless) || s.far() < nearHost || s.since.missing > 0 {
		return 0 // known, or a packet that never came may have told it
	}
	again := false
	for i := s.hand.n - c.Released; i >= 0 && c.Records[i].Time >= since; i-- {
		switch a := &c.Records[i]; {
		case a.Dir == r.Dir && a.Flags&capture.ACK != 0 && a.Ack >= asked.stream.sent:
			acked, again = a.Time, false
		case a.Dir != r.Dir && a.Kind == reassembly.SpuriousRetransmission && a.Len > 0:
			again = true
		}
	}
	if !again {
		return 0
	}
	return acked
}

// A host acknowledges what has come, each second full segment at once (RFC 9293 §3.8.6.3). While it
// acknowledges only a part of what the other side has sent, long after a round trip, the rest is
// still on its way: it cannot answer yet, however long that takes.

// arrivalsLeast is from how many such acknowledgments on the pace is known at which what was sent
// arrives: two intervals, so that one does not tell of itself.
const arrivalsLeast = 3

// arrivalsHeld is by how many full segments' time the first acknowledgment must be late for what it
// covers to have been held up: each second segment is acknowledged at once, and one may be lost.
const arrivalsHeld = 4

// Arriving is time in which what the peer of a sender had sent last was still on its way to it. The
// zero value is none.
type Arriving struct {
	Held  time.Duration // until when it was held up
	Until time.Duration // until when it came, one segment after the other, at the path's rate
}

// Arriving is until when what the peer of s had sent last, by the given moment, was on its way to
// s, as far as the acknowledgments of s show; zero if they do not, or s answered before it had
// come. r is the answer, the record in hand.
func (s *State) Arriving(r *reassembly.Record, since time.Duration) (v Arriving) {
	asker := s.path.Of(s.dir.Peer())
	asked := asker.stream.sent
	if r.Ack < asked || s.far() < nearHost {
		return v // next to s it shows when all had come
	}
	parts, whole := s.partlyAcknowledged(asker.known.ack, asked, since)
	if parts.n == 0 || parts.last.Time <= since+s.far()+queueLeast {
		return v
	}
	v.Held, v.Until = parts.last.Time, parts.last.Time
	if parts.n < arrivalsLeast {
		return v
	}
	per := float64(parts.last.Time-parts.first.Time) / float64(parts.last.Ack-parts.first.Ack)
	one := time.Duration(per * float64(asker.mss()))
	v.Held = parts.first.Time - arrivalsHeld*one
	v.Until += time.Duration(per * float64(asked-parts.last.Ack))
	if whole > 0 {
		v.Until = min(v.Until, whole)
	}
	return v
}

// partlyAcked are acknowledgments of a part of what was sent.
type partlyAcked struct {
	first, last *reassembly.Record
	n           int // each of something new
}

// partlyAcknowledged looks at the acknowledgments of s before the record in hand and after the
// given moment: those of a part of what lies between the two offsets, and when one of the whole
// passed; 0: none did.
func (s *State) partlyAcknowledged(known, asked int64, since time.Duration) (
	p partlyAcked, whole time.Duration,
) {
	c := s.path.Conn
	for i := s.hand.n - 1 - c.Released; i >= 0 && c.Records[i].Time > since; i-- {
		a := &c.Records[i]
		switch {
		case a.Dir != s.dir || !acknowledges(a) || a.Ack <= known:
		case a.Ack >= asked:
			whole = a.Time
		case p.first == nil || a.Ack < p.first.Ack:
			p.first = a
			p.n++
			if p.last == nil {
				p.last = a
			}
		case a.Ack == p.first.Ack:
			p.first = a // the first of several tells when it came
			if p.n == 1 {
				p.last = a
			}
		}
	}
	return p, whole
}

// owesAck reports whether r is the first of its sender's that acknowledges something: an
// acknowledgment by itself may have been sent before it.
func (s *State) owesAck(r *reassembly.Record) bool {
	c := s.path.Conn
	for i := len(c.Records) - 1; i >= 0; i-- {
		if a := &c.Records[i]; a.Dir == r.Dir && a.Time < r.Time {
			return a.Ack < r.Ack
		}
	}
	return true
}
