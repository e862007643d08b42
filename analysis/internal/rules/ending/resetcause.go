package ending

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// leastWay is which part of the least time to a host and back, in percent, is sure to pass: the
// least that was seen of it is not the least that there can be (reasoning).
const leastWay = 90

// closedWith reports whether the client closed with the whole response at hand, before it could
// know of a RST of the given moment.
func closedWith(s *ledger.Connection, x *exchange.Exchange, rst time.Duration) bool {
	m, up := x.Response, &s.Conn.Half[reassembly.FromClient]
	far := s.Conn.Far(reassembly.FromClient) * leastWay / 100
	return m.Complete && up.FinSeen && up.Fin.Time >= m.End.Time+far && up.Fin.Time < rst+far
}

// timeToRead is how long after its acknowledgment a program that waits for the response has surely
// read it (reasoning: twice what it takes to react).
const timeToRead = 2 * reactionTime

// firstReset is the sender of the first RST; false if there was none.
func firstReset(c *reassembly.Conn) (reassembly.Dir, bool) {
	a, b := &c.Half[0], &c.Half[1]
	switch {
	case a.RstSeen && (!b.RstSeen || a.Rst.Time <= b.Rst.Time):
		return reassembly.FromClient, true
	case b.RstSeen:
		return reassembly.FromServer, true
	}
	return 0, false
}

// resetCause tells the causes apart; "" if the reset did no harm.
func resetCause(s *ledger.Connection, x *exchange.Exchange, dir reassembly.Dir) string {
	c := s.Conn
	done := x.Outcome == exchange.Complete || x.Outcome == exchange.Upgraded
	switch {
	case x.Outcome == exchange.Incomplete || foreignReset(c, dir):
		return "" // nothing is known to have ended, or it was neither end's doing
	case dir == reassembly.FromClient || clientLeft(s, x):
		if done || x.Response == nil || x.Response.Facts.Has(exchange.Undelivered) {
			return "" // what kept the response from it has its own finding
		}
		if x.Turn && !saidMore(c) {
			return "" // it may have been whole
		}
		if dir == reassembly.FromClient && outOfNothing(c) {
			return "" // no close of a program sends that: who made it, nothing shows
		}
		return clientAbortCause
	case requestUnread(c, x):
		return unreadRequestCause
	case !done:
		return abortCause(s, x)
	case x.Request != nil && resetInFlight(s):
		return inFlightCause(s, x)
	}
	return ""
}

// inFlightCause is the cause of a RST with which the server's program threw away a response that
// was on its way. Where nothing shows whether a body was read, that it was not is the usual
// reading: programs leave bodies unread by the way, and set SO_LINGER to zero on purpose.
func inFlightCause(s *ledger.Connection, x *exchange.Exchange) string {
	read := unreadAtReset(s.Conn, x)
	if read == allRead || x.Turn && !closedInSteps(s.Conn) {
		return lingerZeroCause
	}
	return unreadRequestCause
}

// closedInSteps reports whether the server shut its direction before its program's RST, which then
// says that data lay unread: SO_LINGER of zero alone sends no FIN.
func closedInSteps(c *reassembly.Conn) bool {
	h := &c.Half[reassembly.FromServer]
	return h.FinSeen && h.Fin.Time <= h.Rst.Time && h.RstActive
}

// abortCause is the cause of a RST by which the server ended x before it was done; "" if it did no
// harm.
func abortCause(s *ledger.Connection, x *exchange.Exchange) string {
	c := s.Conn
	h := &c.Half[reassembly.FromServer]
	unanswered, later := x.Response == nil, x.Index > 0 || c.MidStream
	switch {
	case unanswered && x.Index == 0 && c.MidStream && !h.RstActive:
		return "" // the socket had gone before: when, and why, the capture does not show
	case unanswered && x.Turn && later && !longIdle(s, x) && ledger.Unheard(c) > maxAlert:
		// what the server had just said answers it, before it was all sent
		return unreadRequestCause
	case unanswered && later && !h.FinSeen && c.Half[reassembly.FromClient].Una <= x.Request.From &&
		longIdle(s, x):
		return idleResetCause
	case h.FinSeen && h.Fin.Time <= h.Rst.Time:
		// closed in order, before the end or as the request came: the RST answers what came later
		return ""
	}
	if x.Response != nil && x.Response.Framing == exchange.ByClose && h.RstActive && !x.Turn &&
		unreadAtReset(c, x) == allRead {
		return lingerZeroCause // all of it may have been sent: only the close was to end it
	}
	return serverAbortCause
}

// longIdle reports whether the server reset a connection that had been idle for as long as an idle
// timer lets one be, at the least, or that the capture shows nothing before x of.
func longIdle(s *ledger.Connection, x *exchange.Exchange) bool {
	e := &s.Ending
	if x != e.Failed || !ledger.Seen(e.Prior) {
		return true
	}
	idle := s.Conn.Half[reassembly.FromServer].Rst.Time - e.Prior.Time
	return idle >= shortestIdle || rule.SameTimeout(idle, shortestIdle)
}

// resetInFlight reports whether the server's program reset the connection with data on the way.
// What had not been acknowledged for as long as a retransmission timer would have been sent again:
// then the capture lacks the acknowledgment.
func resetInFlight(s *ledger.Connection) bool {
	h := &s.Conn.Half[reassembly.FromServer]
	return unacked(s) > 0 && h.RstActive && h.Rst.Time-h.LastData.Time < s.Timeout()
}

// saidMore reports whether the server went on sending when the connection had been reset: where
// messages are not visible, that alone shows that its response was not whole.
func saidMore(c *reassembly.Conn) bool {
	dir, ok := firstReset(c)
	return ok && c.Half[reassembly.FromServer].LastData.Time > c.Half[dir].Rst.Time
}

// outOfNothing reports whether the client's RST has no ACK, as one that answers a segment for a
// socket that is gone, though nothing had ended that socket: no FIN, and nothing unusual before it.
func outOfNothing(c *reassembly.Conn) bool {
	h := &c.Half[reassembly.FromClient]
	return !h.RstActive && !(h.FinSeen && h.Fin.Time <= h.Rst.Time)
}

// clientLeft reports whether the client had closed before the server reset: the RST only says that
// nobody listens. A FIN may be that of a client which has only finished sending, if it came with
// the request; but where messages are not visible, as in TLS, it is not known that it still waited
// for anything.
func clientLeft(s *ledger.Connection, x *exchange.Exchange) bool {
	c := s.Conn
	return ledger.Seen(c.FirstCloseAt) && c.FirstClose == reassembly.FromClient &&
		(c.ClosedByRST || x.Turn || x.Request != nil && ledger.ShutLater(s, x))
}

// endOfHandshake is how many octets the client's end of a handshake with early data has at most:
// EndOfEarlyData (RFC 8446 §4.5), ChangeCipherSpec and Finished with SHA-384, in records of their
// own.
const endOfHandshake = (5 + 4 + 1 + 16) + 6 + (5 + 4 + 48 + 1 + 16)

// requestUnread reports whether the server closed without having read the whole request, or with
// more in its socket.
func requestUnread(c *reassembly.Conn, x *exchange.Exchange) bool {
	switch {
	case x.Request == nil || x.Response == nil:
		return false
	case x.Turn && x.Index == 0 && c.TLS != nil && ledger.Seen(c.TLS.EarlyAt):
		return ledger.Unheard(
			c,
		) > endOfHandshake+maxAlert // answered before the client had said that
	case x.Turn:
		return ledger.Unheard(c) > maxAlert
	case !x.Request.Complete:
		return true
	}
	// The rest of the request arrived, but after the server had answered and closed.
	closed := c.Half[reassembly.FromServer].Rst
	if h := &c.Half[reassembly.FromServer]; h.FinSeen && h.Fin.Time < closed.Time {
		closed = h.Fin
	}
	return x.Request.End.Time > closed.Time-c.Far(reassembly.FromServer) &&
		x.Request.End.Time > x.Response.Start.Time
}

// notAcked is how many octets of the server's the client had not acknowledged when the connection
// was reset, by whichever side.
func notAcked(s *ledger.Connection) int64 {
	if dir, ok := firstReset(s.Conn); ok && dir == reassembly.FromClient {
		server := s.Sender(reassembly.FromServer)
		return max(0, server.SentTo()-server.AckedBy(s.Conn.Half[dir].Rst.Time))
	}
	return unacked(s)
}

// unacked is how many octets of the server's the client had not acknowledged when the connection
// ended, as far as the server could know when it sent its RST.
func unacked(s *ledger.Connection) int64 {
	c := s.Conn
	h := &c.Half[reassembly.FromServer]
	if h.Rst.Time-h.LastData.Time > s.Timeout() {
		return 0 // it would have been sent again: the capture lacks the acknowledgment
	}
	server := s.Sender(reassembly.FromServer)
	return max(0, server.SentTo()-server.AckedBy(h.Rst.Time-c.Far(reassembly.FromServer)))
}
