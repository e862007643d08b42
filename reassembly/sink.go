// Package reassembly rebuilds TCP connections and HTTP exchanges from segments.
//
// It knows TCP (RFC 9293), and holds no opinion: what was slow, and why, is for its caller. What is
// said on a connection is for readers behind the contract of package exchange; readers.go names
// them.
//
// The work is in two halves so that several workers can share it. A Table, used by the one
// goroutine that reads the capture, assigns each segment to a connection and decides when a
// connection is over. A Tracker, one for each worker, applies segments to the connections that the
// worker owns, and tells a Sink what became of them.
package reassembly

import "tcpwhy/reassembly/exchange"

// Sink is told of each connection's progress by the Tracker that owns the connection, from that
// Tracker's goroutine. All calls for one connection come in the order of the capture, and depend on
// nothing but that connection's segments, so that the number of workers changes nothing.
type Sink interface {
	// Began is called as soon as an exchange has begun, Over as soon as nothing more will be added
	// to it, each during the segment that made it so. Judgements that compare connections need to
	// know at once. Exchanges begin in the order of their Index; those without a Stream of their
	// own are over in that order, too, the others each by itself.
	Began(c *Conn, x *exchange.Exchange)
	Over(c *Conn, x *exchange.Exchange)
	// Exchange is called once for every exchange, after Over, when it is settled: late copies of
	// its segments, acknowledgments and resets that belong to it are in c.Records (or the
	// connection or the capture has ended). The order is that of Over, except that exchanges with a
	// Stream of their own wait for no other. Afterwards the records before x.FirstRecord may be
	// released, unless other exchanges began before; those of x itself stay until the next one has
	// been handed on.
	Exchange(c *Conn, x *exchange.Exchange)
	// Release is called before the first n of c.Records are released, whatever the reason: the
	// history grew too long in the middle of an exchange, or the exchanges it belongs to have all
	// been handed on.
	Release(c *Conn, n int)
	// Closed is called once, last, when the connection will get no more segments. ended tells that
	// it is over only because the capture is. c.Records are used for other connections afterwards;
	// nothing may keep them.
	Closed(c *Conn, ended bool)
}
