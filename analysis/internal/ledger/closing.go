package ledger

import (
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// Ending is what a connection's state keeps for the rules about failures and closes.
type Ending struct {
	Failed   *exchange.Exchange // the first exchange that did not end well
	FailedAt time.Duration      // when that was over
	// end of the exchange before that one; no frame if it was the first
	Prior capture.Mark
	// from then, or from the end of the set-up, until the request began
	Idle       time.Duration
	Pipelined  bool         // its request began before the exchange before it was over
	Announced  CloseNotice  // the close that was announced before it
	Latest     capture.Mark // end of the latest exchange that ended well
	Notice     CloseNotice  // the latest announcement
	Unanswered int          // exchanges that got no response
	Unsafe     bool         // one of those was not idempotent
	Answered   int          // exchanges that ended well before
	// a response came without a request: who answers what is no longer certain
	Orphan bool
}

// failed reports whether x ended in a way that its client did not want. An exchange that the
// capture cut did not fail.
func failed(x *exchange.Exchange) bool {
	switch x.Outcome {
	case exchange.Complete, exchange.Upgraded, exchange.Incomplete:
		return false
	}
	return true
}

// StreamFailed reports whether x is a stream of HTTP/2 that failed by itself: one side reset it, or
// the server's GOAWAY left it out.
func StreamFailed(x *exchange.Exchange) bool {
	return x.Stream != 0 && (x.Reset != nil || x.Refused) && failed(x)
}

// StreamEnd is when a stream that failed by itself was over.
func StreamEnd(c *reassembly.Conn, x *exchange.Exchange) time.Duration {
	at := x.Start().Time
	if x.Reset != nil {
		return max(at, x.Reset.At.Time)
	}
	if g := LeftOut(c, x); g != nil {
		at = max(at, g.At.Time)
	}
	return at
}

// LeftOut is the GOAWAY of the server that left out x; nil if none did.
func LeftOut(c *reassembly.Conn, x *exchange.Exchange) *exchange.GoAway {
	if c.HTTP2 == nil || !x.Refused || x.Reset != nil {
		return nil
	}
	for i := range c.HTTP2.GoAways {
		g := &c.HTTP2.GoAways[i]
		if g.By == reassembly.FromServer && x.Stream > g.Last {
			return g
		}
	}
	return nil
}

// take notes how an exchange ended.
func (e *Ending) take(c *reassembly.Conn, j *Exchange) {
	x := j.Parsed
	e.Orphan = e.Orphan || x.Request == nil && !x.Pushed
	if x.Reset != nil || x.Refused {
		return // a stream's own end is not that of the connection
	}
	if failed(x) {
		e.fail(c, j)
		return
	}
	if x.Outcome == exchange.Incomplete {
		return
	}
	e.Answered++
	e.Latest = x.End()
	if x.Turn || x.Response == nil || x.Outcome == exchange.Upgraded {
		return
	}
	switch {
	case x.Response.Facts.Has(exchange.ConnClose):
		e.Notice = CloseNotice{x.End(), reassembly.FromServer}
	case x.Request != nil && x.Request.Facts.Has(exchange.ConnClose):
		e.Notice = CloseNotice{x.End(), reassembly.FromClient}
	}
}

// fail notes an exchange that did not end well.
func (e *Ending) fail(c *reassembly.Conn, j *Exchange) {
	x := j.Parsed
	if x.Response == nil {
		e.Unanswered++
		e.Unsafe = e.Unsafe || !x.Turn && x.Method != "" && !Idempotent(x.Method)
	}
	if e.Failed != nil {
		return
	}
	e.Failed, e.Prior, e.Announced = x, e.Latest, e.Notice
	e.FailedAt = c.End.Time
	from := e.Latest.Time
	if !Seen(e.Latest) {
		from, _ = setUpAt(c)
		from = max(from, c.Start.Time)
	}
	if e.Idle = max(0, x.Start().Time-from); j.Shared {
		e.Idle = 0 // others went on
	}
	e.Pipelined = j.piped()
}

// EndedAgain is when the latest copy of the end of the last response passed, if that was sent
// again; else 0.
func (s *Connection) EndedAgain() time.Duration {
	h, x := &s.Conn.Half[reassembly.FromServer], s.Last
	if x == nil || x.Response == nil || h.Max > x.Response.To+1 || // a FIN counts as one
		h.LastData.Time <= x.Response.End.Time {
		return 0
	}
	return h.LastData.Time
}
