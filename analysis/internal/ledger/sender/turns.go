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

// nearHost is how near the capture point is to a host at least whose segments come in the order in
// which things happened there (reasoning: a millisecond is what a busy kernel takes).
const nearHost = time.Millisecond

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
