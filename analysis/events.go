package analysis

import (
	"slices"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/reassembly"
)

// began is the judge's event for x.
func (s *followed) began(x *reassembly.Exchange, room *slab[beganExchange]) *beganExchange {
	c := s.Conn
	e := room.take()
	*e = beganExchange{pair: s.Pair(), first: x.Index == 0, connStart: c.Start, start: x.Start(),
		handshake: len(c.SYNs) > 0, secure: c.TLS != nil, name: x.Host, method: x.Method,
		target: x.Target, agent: x.Agent, turn: x.Turn, port: c.Client.Port()}
	if c.TLS != nil {
		e.name = c.TLS.SNI
	}
	e.far, e.rtt = c.Far(reassembly.FromClient), c.RTTMin()
	if x.Request != nil {
		e.facts = x.Request.Facts
	}
	if j := s.Job(x); j != nil {
		e.need, e.critical = j.From, j.Critical
	}
	return e
}

// overEvent is the judge's event for the end of x.
func (s *followed) overEvent(x *reassembly.Exchange, room *slab[overExchange]) *overExchange {
	e := room.take()
	*e = overExchange{end: x.End(), outcome: x.Outcome, reusable: ledger.Reusable(x), turn: x.Turn,
		foreign:   s.Conn.Protocol == reassembly.ProtoUnknown && !ledger.Asks(s.Conn),
		idleLimit: time.Duration(x.KeepAliveTimeout) * time.Second, notKept: x.NotKept}
	if x.Response != nil && !x.Turn {
		e.reason = ledger.ReasonNotReusable(x)
		e.asked10 = x.Version == "HTTP/1.0" || x.Version == "HTTP/0.9"
		e.doubt = x.Response.Facts.Has(reassembly.Resynced) ||
			slices.Contains(s.Conn.Caveats, reassembly.CaveatHTTPGap)
	}
	e.gap = s.Lacking()
	if x.Response != nil {
		e.bytes = x.Response.To - x.Response.From
	}
	if x == s.Ending.Failed {
		e.failure = s.failure
	}
	s.NoteProducts(x)
	e.products = s.Names.Products
	return e
}

// overConn is the judge's event for the end of the connection.
func (s *followed) overConn(ended bool, room *slab[overConn]) *overConn {
	c := s.Conn
	e := room.take()
	*e = overConn{
		pair:  s.Pair(),
		at:    c.FirstCloseAt,
		by:    c.FirstClose,
		reset: c.ClosedByRST,
		ended: ended,
	}
	weaken(s.Conn, s.claims)
	e.info = connInfo(&s.Connection)
	e.claims, e.refusal = s.claims, s.refusal
	e.names = s.Names
	e.trace = s.Trace.Done()
	e.nagle = s.Tally()
	e.delacks = [2][]time.Duration{s.Walk.Send[1].Delacks, s.Walk.Send[0].Delacks}
	e.missing = c.Half[0].Missing + c.Half[1].Missing
	e.midStream = c.MidStream
	e.established = c.State != reassembly.Connecting && c.State != reassembly.Refused &&
		len(c.SYNACKs) > 0
	return e
}

// closing is the judge's event for the first FIN or RST.
func (s *followed) closing() *closingConn {
	c := s.Conn
	e := &closingConn{
		at:    c.FirstCloseAt,
		by:    c.FirstClose,
		fin:   c.FirstClose,
		reset: c.ClosedByRST,
		open:  s.OpenExchanges() > 0,
		gap:   s.Lacking() || s.lackTold,
		again: s.lackTold,
		abort: c.ClosedByRST && c.FirstClose == reassembly.FromClient &&
			c.Half[reassembly.FromClient].RstActive,
	}
	if at, ok := s.TookLeave(c.FirstClose.Peer()); ok {
		e.at, e.by, e.alert = at, c.FirstClose.Peer(), true
	}
	return e
}
