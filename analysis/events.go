package analysis

import (
	"slices"
	"time"

	"tcpwhy/analysis/internal/judge"
	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// began is the judge's event for the beginning of an exchange.
func (s *tracked) began(d *rule.Draft) rule.Began {
	c, x := s.Conn, d.Parsed
	e := rule.Began{Pair: s.Pair(), First: x.Index == 0, ConnStart: c.Start, Start: x.Start(),
		Handshake: ledger.ShowsStart(c), Secure: c.TLS != nil, Name: x.Host, Method: x.Method,
		Target: x.Target, Agent: x.Agent, Turn: x.Turn, Port: c.Client.Port(),
		Trail: x.Trail}
	if c.TLS != nil {
		e.Name = c.TLS.SNI
	}
	e.Far = c.Far(reassembly.FromClient)
	if x.Attempt == nil || x.Attempt.Secure {
		e.Rtt = c.RTTMin()
	}
	if e.First {
		e.HostMark, e.Session = ledger.HostMark(c), sessionOf(c)
	}
	if x.Request != nil {
		e.Facts = x.Request.Facts
	}
	e.Unasked, e.LacksSYN = x.Request == nil, len(c.SYNs) == 0
	e.Need, e.Critical = d.From, d.Critical
	e.Multiplexed = multiplexed(c)
	return e
}

// sessionOf is what the TLS handshake of a connection says of sessions; nothing without one.
func sessionOf(c *reassembly.Conn) rule.Session {
	t := c.TLS
	if t == nil {
		return rule.Session{}
	}
	return rule.Session{
		Seen:    ledger.Seen(t.ClientHello) && ledger.Seen(t.ServerHello),
		Offered: t.Offered, Resumed: t.Resumed, Program: t.Program,
		GivenID: t.GivenID,
		Given:   t.Resumable || t.Resumed || t.Version == "TLS 1.3",
	}
}

// multiplexed reports whether a connection carries several requests at a time, as far as is known.
func multiplexed(c *reassembly.Conn) bool {
	return c.Protocol == exchange.ProtoHTTP2 ||
		c.Protocol == exchange.ProtoTLS && c.TLS.ALPN == "h2"
}

// leastError is the least status that says that a request failed (RFC 9110 §15).
const leastError = 400

// overEvent is the judge's event for the end of x.
func (s *tracked) overEvent(x *exchange.Exchange) rule.Over {
	e := rule.Over{End: x.End(), Outcome: x.Outcome, Turn: x.Turn,
		Reusable:  ledger.Reusable(s.Conn, x) && !ledger.GoneAway(s.Conn),
		Foreign:   s.Conn.Protocol == exchange.ProtoUnknown && !ledger.ExpectsResponses(s.Conn),
		IdleLimit: time.Duration(x.KeepAliveTimeout) * time.Second, NotKept: x.NotKept}
	e.Unasked = x.Request == nil
	e.Multiplexed = multiplexed(s.Conn)
	if x.Response != nil && !x.Turn && !e.Unasked {
		e.Error = x.OnStream.Meant(x.Status) >= leastError
		e.Reason = ledger.ReasonNotReusable(x)
		e.Asked10 = x.Version == "HTTP/1.0" || x.Version == "HTTP/0.9"
		e.Doubt = x.Response.Facts.Has(exchange.Resynced) ||
			slices.Contains(s.Conn.Caveats, exchange.CaveatHTTPGap)
	}
	if x.Turn {
		e.Doubt = slices.Contains(s.Conn.Caveats, exchange.CaveatPayloadCut)
	}
	e.Gap = s.Lacking()
	if x.Response != nil {
		e.Bytes = x.Response.To - x.Response.From
	}
	if x == s.Ending.Failed || ledger.StreamFailed(x) {
		e.Failure = rule.FailureOf(&s.Connection, x)
	}
	s.NoteProducts(x)
	e.Products = s.Products()
	return e
}

// judged is the judge's event for an exchange whose labels are certain.
func (s *tracked) judged(d *rule.Draft) rule.Judged {
	e := d.Judge()
	e.Vantage, e.Session = s.Conn.Vantage, sessionOf(s.Conn)
	for dir := range e.IDs {
		e.IDs[dir] = s.Sender(reassembly.Dir(dir)).TakeIDRuns(false)
	}
	return e
}

// period is the judge's event for a busy period, of so many exchanges.
func (s *tracked) period(d *rule.Draft, carried int) rule.Judged {
	judge.Weaken(s.Conn, d.Claims)
	d.Info = &report.ExchangeInfo{
		Connection: s.Conn.ID, Host: d.Parsed.Host, Start: d.From, Duration: d.Until - d.From,
	}
	for i := range d.Claims {
		d.Claims[i].Others = carried - 1
	}
	return d.Judge()
}

// overConn is the judge's event for the end of the connection.
func (s *tracked) overConn(ended bool) rule.Gone {
	c := s.Conn
	e := rule.Gone{
		Pair:  s.Pair(),
		At:    c.FirstCloseAt,
		By:    c.FirstClose,
		Reset: c.ClosedByRST,
		Ended: ended,
	}
	judge.Weaken(s.Conn, s.Claims)
	judge.WeakenEndings(s.Conn, s.Claims)
	e.Info = connInfo(&s.Connection)
	e.Claims = s.Claims
	e.Products = s.Products()
	e.Trace, e.Graph = s.Trace(), s.Graph()
	e.Nagle = s.Tally()
	for dir := range e.IDs {
		e.IDs[dir] = s.Sender(reassembly.Dir(dir)).TakeIDRuns(true)
	}
	for dir := range e.Delacks {
		e.Delacks[dir] = s.Sender(reassembly.Dir(dir).Peer()).LateAcks()
	}
	e.Missing = c.Half[0].Missing + c.Half[1].Missing
	e.MidStream = c.MidStream
	e.Accepted, e.Mute = c.Accepted(), c.Mute()
	e.Established = c.State != reassembly.Connecting && c.State != reassembly.Refused &&
		len(c.SYNACKs) > 0
	return e
}

// closing is the judge's event for the first FIN or RST.
func (s *tracked) closing() rule.Closing {
	c := s.Conn
	e := rule.Closing{
		At:    c.FirstCloseAt,
		By:    c.FirstClose,
		Fin:   c.FirstClose,
		Reset: c.ClosedByRST,
		Open:  s.OpenExchanges() > 0,
		Gap:   s.Lacking(),
		Abort: c.ClosedByRST && c.FirstClose == reassembly.FromClient &&
			c.Half[reassembly.FromClient].RstActive &&
			!ledger.RoomAtReset(c, reassembly.FromClient),
	}
	e.Again, e.GoneAway = s.EndedAgain(), ledger.GoneAway(c)
	if at, ok := s.CloseNotifyFirst(c.FirstClose.Peer()); ok {
		e.At, e.By, e.Alert = at, c.FirstClose.Peer(), true
	}
	return e
}
