package ledger

import (
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// shutWithin is how soon after its request a client shuts its direction that has nothing more to
// say: the next call of the same program. Who closes later gave up waiting, or cannot be told from
// one that did.
const shutWithin = 3 * time.Millisecond

// Leave is how a client went before it had any of what it had asked for, or all of it.
type Leave struct {
	At    capture.Mark  // its FIN or RST, whichever was first
	After time.Duration // since the last octet of its request
	Acked bool          // the server had acknowledged the whole request by then
	// Latest carried the last octets of the response that had come by then; no frame if none had.
	Latest capture.Mark
	// Open: all that the server had sent was acknowledged, and it might have sent more.
	Open bool
}

// Left is how the client of x gave it up: it closed first, after the whole request and before it
// could know of any response, and does not wait for one. Its RST says so. Its FIN alone may be that
// of a client which has only finished sending, unless it comes later than that of one. False if it
// did not, or if that is not known; a stream that was reset had been over before.
func Left(s *Connection, x *exchange.Exchange) (Leave, bool) {
	c, up := s.Conn, &s.Conn.Half[reassembly.FromClient]
	// whether a turn is whole is not known of one that a RST ends
	if x.Request == nil || x.Reset != nil || !x.Request.Complete && !(x.Turn && up.RstSeen) ||
		x.Turn && !asksByTurn(c, x) || !Whole(c) ||
		c.FirstClose != reassembly.FromClient || !Seen(c.FirstCloseAt) ||
		!up.RstSeen && !hungUp(s, x) {
		return Leave{}, false
	}
	left := c.FirstCloseAt
	answered := x.Response != nil &&
		x.Response.Start.Time-c.Far(reassembly.FromClient) <= left.Time
	return Leave{
		At:    left,
		After: left.Time - x.Request.End.Time,
		Acked: ackedBefore(c, x.Request, left),
	}, left.Time >= x.Request.End.Time && !answered
}

// LeftWithin is how the client of x gave it up in the middle of the response: it closed first, and
// did not read on. Who shuts its direction and reads on acknowledges what still comes. False if it
// did not, or if that is not known.
func LeftWithin(s *Connection, x *exchange.Exchange) (Leave, bool) {
	c, m := s.Conn, x.Response
	if x.Turn || x.Stream != 0 || x.Outcome != exchange.Aborted || m == nil || m.Complete ||
		x.Request == nil || !x.Request.Complete || !Whole(c) ||
		c.FirstClose != reassembly.FromClient || !Seen(c.FirstCloseAt) {
		return Leave{}, false
	}
	l := Leave{At: c.FirstCloseAt, After: c.FirstCloseAt.Time - x.Request.End.Time, Acked: true}
	sent, had, room := int64(0), int64(-1), int64(0)
	for r := range Segments(c, m.Start.Time, l.At.Time) {
		switch {
		case r.Dir == reassembly.FromServer && r.Len > 0:
			l.Latest, sent = r.Mark(), max(sent, r.End())
		case r.Dir == reassembly.FromClient && r.Flags&capture.ACK != 0:
			had, room = max(had, r.Ack), int64(r.Window)
		}
	}
	for r := range Segments(c, l.At.Time, report.EndOfTime) {
		acks := r.Dir == reassembly.FromClient && r.Flags&(capture.ACK|capture.RST) == capture.ACK
		if acks && had >= 0 && r.Ack > had {
			return Leave{}, false // it reads on
		}
	}
	l.Open = had >= sent && room > 0
	return l, Seen(l.Latest)
}

// ackedBefore reports whether the server acknowledged a whole request before a moment.
func ackedBefore(c *reassembly.Conn, m *exchange.Message, at capture.Mark) bool {
	_, acked := AckedAt(c, m, at)
	return acked
}

// AckedAt is the segment by which the server acknowledged a whole request, before a moment; false
// if none did.
func AckedAt(c *reassembly.Conn, m *exchange.Message, before capture.Mark) (capture.Mark, bool) {
	for r := range Segments(c, m.End.Time, before.Time) {
		if r.Dir == reassembly.FromServer && r.Flags&capture.ACK != 0 && r.Ack >= m.To {
			return r.Mark(), true
		}
	}
	return capture.Mark{}, false
}

// hungUp reports whether the client's FIN came later than that of a client which has only finished
// sending, and nothing came in answer to the request but the server's own close, if that.
func hungUp(s *Connection, x *exchange.Exchange) bool {
	return x.Outcome == exchange.Aborted && x.Response == nil && !s.Conn.MidStream &&
		s.Conn.Half[reassembly.FromClient].FinSeen && ShutLater(s, x)
}

// asksByTurn reports whether a turn without any answer is a request whose client waited for one: it
// is HTTP within TLS by what the client offered, or the turns before it were answered; and its
// client did not close as one does who has said a last word.
func asksByTurn(c *reassembly.Conn, x *exchange.Exchange) bool {
	return c.TLS != nil && x.Response == nil && x.Request.BodyBytes > mostFarewell &&
		(c.TLS.ALPN == "h2" || c.TLS.ALPN == "http/1.1" || x.Index > 0) &&
		c.FirstCloseAt.Time-x.Request.End.Time >= reassembly.LeftAfter(c)
}

// ShutLater reports whether the client's FIN left later after its request than one that belongs to
// it, by the capture's clock or by the client's own.
func ShutLater(s *Connection, x *exchange.Exchange) bool {
	c := s.Conn
	up := &c.Half[reassembly.FromClient]
	after := up.Fin.Time - x.Request.End.Time
	request, fin := RecordOf(c, x.Request.End), RecordOf(c, up.Fin)
	if request != nil && fin != nil && request.Trait.Has(reassembly.HasTS) &&
		fin.Trait.Has(reassembly.HasTS) {
		ticks := time.Duration(int32(fin.TSVal - request.TSVal))
		after = max(after, (ticks-1)*s.Sender(reassembly.FromClient).StampTick())
	}
	return after > min(shutWithin, c.RTTMin()+time.Millisecond)
}
