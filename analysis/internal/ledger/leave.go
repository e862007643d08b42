package ledger

import (
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// shutWithin is how soon after its request a client shuts its direction that has nothing more to
// say: the next call of the same program. Who closes later gave up waiting, or cannot be told from
// one that did.
const shutWithin = 3 * time.Millisecond

// Leave is how a client went before it had any of what it had asked for.
type Leave struct {
	At    capture.Mark  // its FIN or RST, whichever was first
	After time.Duration // since the last octet of its request
	Acked bool          // the server had acknowledged the whole request by then
}

// Left is how the client of x gave it up: it closed first, after the whole request and before it
// could know of any response, and does not wait for one. Its RST says so. Its FIN alone may be that
// of a client which has only finished sending, unless it comes later than that of one. False if it
// did not, or if that is not known.
func Left(s *Connection, x *exchange.Exchange) (Leave, bool) {
	c, up := s.Conn, &s.Conn.Half[reassembly.FromClient]
	// whether a turn is whole is not known of one that a RST ends
	if x.Request == nil || !x.Request.Complete && !(x.Turn && up.RstSeen) ||
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

// ackedBefore reports whether the server acknowledged a whole request before a moment.
func ackedBefore(c *reassembly.Conn, m *exchange.Message, at capture.Mark) bool {
	for r := range Segments(c, m.End.Time, at.Time) {
		if r.Dir == reassembly.FromServer && r.Flags&capture.ACK != 0 && r.Ack >= m.To {
			return true
		}
	}
	return false
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
