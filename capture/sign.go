package capture

import (
	"tcpwhy/capture/internal/decode"
	"tcpwhy/capture/internal/flow"
	"tcpwhy/capture/internal/frame"
)

// sign is what a TCP segment tells of when it was sent, beside its stamp.
type sign struct {
	key            flow.Key // no connection: it is none
	seq, end, ack  uint32
	stamp, echo    uint32 // of its timestamps option, valid with stamped
	id             uint16 // IP identification; 0: none
	acks, stamped  bool
	carries, known bool
}

// answer is what two segments say of their order.
type answer uint8

const (
	unsure answer = iota
	yes
	no
)

// signOf reads a frame, by way of seg.
func signOf(d *decode.Decoder, f *frame.Frame, seg *Segment) (s sign) {
	if f.Bad || d.Decode(f, seg) != decode.Segment {
		return s
	}
	s = sign{
		key: d.Ends().Key(seg.Src.Port(), seg.Dst.Port()), known: true,
		seq: seg.Seq, end: seg.Seq + seg.Len, ack: seg.Ack, acks: seg.Flags.Has(ACK),
		stamped: seg.Options.Has(HasTS), stamp: seg.TSVal, echo: seg.TSEcr,
		id: seg.IPID,
	}
	for _, flag := range [...]TCPFlags{SYN, FIN} {
		if seg.Flags.Has(flag) {
			s.end++
		}
	}
	s.carries = s.end != s.seq
	return s
}

// before reports whether a was sent before b.
func (a *sign) before(b *sign) answer {
	switch {
	case !a.known || !b.known || a.key.Conn != b.key.Conn:
		return unsure
	case a.key.Dir == b.key.Dir:
		return a.sameSender(b)
	}
	// What acknowledges exactly what the other carries was sent because of it.
	switch {
	case b.acks && a.carries && b.ack == a.end && !(a.acks && a.ack == b.end && b.carries):
		return yes
	case a.acks && b.carries && a.ack == b.end && !(b.acks && b.ack == a.end && a.carries):
		return no
	}
	return unsure
}

// sameSender compares two segments of one sender: by its clock, by what it had received, by its
// count of datagrams, and by new data, in this order. Data alone would not tell from an older one
// that is sent again.
func (a *sign) sameSender(b *sign) answer {
	if a.stamped && b.stamped && a.stamp != b.stamp {
		return earlier(a.stamp, b.stamp)
	}
	if a.acks && b.acks && a.ack != b.ack {
		return earlier(a.ack, b.ack)
	}
	if a.id != 0 && b.id != 0 && a.id != b.id {
		return earlier(uint32(a.id)<<16, uint32(b.id)<<16)
	}
	if a.carries && b.carries && a.seq != b.seq {
		return earlier(a.seq, b.seq)
	}
	return unsure
}

// earlier compares two numbers that wrap (RFC 9293 §3.4).
func earlier(a, b uint32) answer {
	if int32(b-a) > 0 {
		return yes
	}
	return no
}
