package sender

import (
	"time"

	"tcpwhy/reassembly"
)

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

// Arriving is until when what the peer of s had sent last, by the given moment, was on its way to s,
// as far as the acknowledgments of s show; zero if they do not, or s answered before it had come. r
// is the answer, the record in hand.
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

// partlyAcknowledged looks at the acknowledgments of s before the record in hand and after the given
// moment: those of a part of what lies between the two offsets, and when one of the whole passed; 0:
// none did.
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
