package analysis

import (
	"time"

	"tcpwhy/analysis/internal/judge"
	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// fill draws up what the report says of the exchange.
func (s *tracked) fill(j *rule.Draft) {
	x := j.Parsed
	judge.Weaken(s.Conn, j.Claims)
	judge.WeakenCut(s.Conn, x, j.Claims)
	all := &struct {
		report.ExchangeInfo
		request, response report.MessageInfo
	}{}
	i := &all.ExchangeInfo
	j.Info = i
	i.Connection, i.Index = s.Conn.ID, x.Index
	i.Method, i.Target, i.Host, i.Version = x.Method, x.Target, x.Host, x.Version
	i.Status, i.Outcome, i.Turn, i.OnStream = x.Status, x.Outcome, x.Turn, x.OnStream
	i.Trail = x.Trail
	for _, m := range x.Interim {
		i.Interim = append(i.Interim, m.Status)
	}
	i.Request, i.Response = message(&all.request, x.Request), message(&all.response, x.Response)
	if a := x.Attempt; a != nil {
		i.Attempt = &report.AttemptInfo{Start: a.Start, End: a.Ended, Secure: a.Secure}
	}
	i.Start, i.Duration = j.From, j.Until-j.From
	i.Times = report.LabelTimes(&j.Times)
	if j.Traced {
		s.ShowTraced(i)
	}
}

// message draws up in i what the report says of a message; nil if there is none.
func message(i *report.MessageInfo, m *exchange.Message) *report.MessageInfo {
	if m == nil {
		return nil
	}
	*i = report.MessageInfo{
		Start:       m.Start,
		End:         m.End,
		HeaderBytes: m.HeaderBytes,
		BodyBytes:   m.BodyBytes,
		Complete:    m.Complete,
	}
	return i
}

// connInfo draws up what the report says of the connection.
func connInfo(s *ledger.Connection) *report.ConnInfo {
	c := s.Conn
	i := &report.ConnInfo{
		ID:        c.ID,
		Client:    c.Client,
		Server:    c.Server,
		Start:     c.Start.Time,
		Duration:  c.End.Time - c.Start.Time,
		State:     c.State,
		History:   c.History,
		Protocol:  c.Protocol,
		Vantage:   c.Vantage,
		TLS:       c.TLS,
		Caveats:   c.Caveats,
		RTTMin:    c.RTTMin(),
		ClientRTT: c.Far(reassembly.FromClient),
		ServerRTT: c.Far(reassembly.FromServer),
		Handshake: handshakeRTT(c),
		Times:     report.LabelTimes(&s.Times),
	}
	for d := range c.Half {
		h := &c.Half[d]
		i.MSS[d], i.Bytes[d], i.Segments[d], i.Retransmissions[d] = h.MSS, h.Bytes, h.Segments, h.Retrans
	}
	if ledger.Seen(c.FirstCloseAt) {
		i.ClosedBy = c.FirstClose.String()
	}
	i.ResetBy = resetBy(c)
	if c.HTTP2 != nil {
		told := c.HTTP2.H2Info
		i.HTTP2 = &told
	}
	for _, w := range c.WebSockets {
		i.WebSockets = append(i.WebSockets, *w)
	}
	return i
}

// handshakeRTT is the round trip that the handshake showed, both legs; 0 if it did not.
func handshakeRTT(c *reassembly.Conn) time.Duration {
	a, b := c.Half[0].RTT.Handshake, c.Half[1].RTT.Handshake
	if a == 0 && b == 0 {
		return 0
	}
	return a + b
}

// resetBy is who sent the first RST, "" if nobody did.
func resetBy(c *reassembly.Conn) string {
	first, by := capture.Mark{}, ""
	for d := range c.Half {
		h := &c.Half[d]
		if h.RstSeen && (by == "" || h.Rst.Time < first.Time) {
			first, by = h.Rst, reassembly.Dir(d).String()
		}
	}
	return by
}
