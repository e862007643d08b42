package sender

import (
	"sort"
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// Credited is a wait for flow control of HTTP/2 that a frame of DATA ended.
type Credited struct {
	exchange.Freed
	Known time.Duration // when its sender knew that it may send more
}

// Credited are such waits that r ended, if it was sent for the first time.
func (p *Path) Credited(r *reassembly.Record) []Credited {
	c := p.Conn
	if c.HTTP2 == nil || r.Len == 0 || r.Kind.Retransmitted() {
		return nil
	}
	octets := exchange.Range{From: r.Seq, To: r.Seq + int64(r.Len)}
	var out []Credited
	for _, f := range c.HTTP2.Freed[r.Dir].Within(octets) {
		if known, ok := p.heard(r, &f); ok {
			out = append(out, Credited{f, known})
		}
	}
	return out
}

// heard is when the sender of r knew of what made room for f. It was flow control that held f back
// if f left at once when that could be known, or when the sender's host had acknowledged it; and,
// until that was known, if there had been no room at all: the sender had more to send then. False
// if it was not.
func (p *Path) heard(r *reassembly.Record, f *exchange.Freed) (time.Duration, bool) {
	once := p.AtOnce(r.Dir)
	known := f.By.Time + p.Conn.Far(r.Dir)
	if f.Since.Time > known+once || r.Time < known-once {
		return 0, false // the sender was not waiting then
	}
	if r.Time <= known+once {
		return r.Time, true
	}
	if acked := ackOf(p.Conn, f.By, r); acked > 0 && r.Time-acked <= once {
		return r.Time, true
	}
	return known, f.Full
}

// ackOf is when the peer of the segment at m first acknowledged it, before r; 0 if it did not.
func ackOf(c *reassembly.Conn, m capture.Mark, r *reassembly.Record) time.Duration {
	end := int64(-1)
	from := sort.Search(len(c.Records), func(i int) bool { return c.Records[i].Time >= m.Time })
	for i := from; i < len(c.Records); i++ {
		switch s := &c.Records[i]; {
		case s.Frame == r.Frame:
			return 0
		case s.Frame == m.Frame:
			end = s.Seq + int64(s.Len)
		case end >= 0 && s.Dir == r.Dir && s.Flags&capture.ACK != 0 && s.Ack >= end:
			return s.Time
		}
	}
	return 0
}
