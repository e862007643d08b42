package ledger

import (
	"time"

	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const (
	// a side that goes on with a handshake at all does so within a round trip and its own time
	silenceTrips = 3
	silenceLeast = time.Second
)

// Silence is from how long on a side that was to act, and did not, has stopped answering.
func Silence(c *reassembly.Conn) time.Duration {
	return max(silenceLeast, silenceTrips*c.RTTMin())
}

// NextInTLS is the side that was to act next in a TLS handshake that did not come to its end, and
// the last segment that had brought it on, of either side; nil if there is none. The client is,
// behind the server's whole flight, or its wish for another ClientHello (RFC 8446 §2, RFC 5246
// §7.3); else the server is, also in the middle of its flight.
func NextInTLS(c *reassembly.Conn) (reassembly.Dir, *reassembly.Record) {
	t := c.TLS
	until := c.End.Time
	if Seen(c.FirstCloseAt) {
		until = c.FirstCloseAt.Time
	}
	if _, a := FirstAlert(c); a != nil { // a word about the end brings nothing on
		until = min(until, a.At.Time-1)
	}
	for r := range SegmentsBack(c, 0, until) {
		if r.Len == 0 || !r.Trait.Has(reassembly.Advances) {
			continue
		}
		asked := t.HelloRetry && !Seen(t.ServerHello)
		if r.Dir == reassembly.FromServer && (Seen(t.ServerDone) || asked) {
			return reassembly.FromClient, r
		}
		return reassembly.FromServer, r
	}
	return reassembly.FromServer, nil
}

// silentFor is for how long the side that was to act had not when dir left, or an alert came: not
// positive if the other one was.
func silentFor(c *reassembly.Conn, next reassembly.Dir, at time.Duration) time.Duration {
	to, last := NextInTLS(c)
	if to != next || last == nil {
		return 0
	}
	return at - last.Time
}

// FinishUnanswered reports whether the client was done with the handshake of TLS 1.3, asked, and
// gave up as nothing came: not even the tickets with which servers answer its Finished at once.
// Nothing shows then that the server has accepted that.
func FinishUnanswered(s *Connection, x *exchange.Exchange) bool {
	t := s.Conn.TLS
	if t == nil || t.Version != "TLS 1.3" || !Seen(t.ClientFinished) || t.ServerSpoke || !x.Turn ||
		x.Index > 0 || x.Response != nil || x.Request == nil || t.Unread {
		return false
	}
	l, left := Left(s, x)
	return left && l.Acked && l.After >= Silence(s.Conn)
}
