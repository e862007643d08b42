package ruletest

import (
	"iter"
	"net/netip"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly/exchange"
)

// Judge is a draft as the judge sees it, with what its report would say of what was read.
func Judge(x *rule.Draft) *rule.Judged {
	if x.Parsed == nil {
		x.Parsed = &exchange.Exchange{}
	}
	if x.Info == nil {
		x.Info = &report.ExchangeInfo{}
	}
	of := func(m *exchange.Message) *report.MessageInfo {
		if m == nil {
			return nil
		}
		return &report.MessageInfo{Start: m.Start, End: m.End}
	}
	i, p := x.Info, x.Parsed
	i.Request, i.Response = of(p.Request), of(p.Response)
	i.Method, i.Target, i.Status, i.Turn = p.Method, p.Target, p.Status, p.Turn
	j := x.Judge()
	return &j
}

// Judged tells a comparison of an exchange that has been judged.
func (d *Desk) Judged(to rule.Across, c *rule.Conn, x *rule.Draft, at time.Duration) {
	var b rule.Batch
	b.TellJudged(rule.Event{At: at, Conn: uint32(c.Id), Index: uint32(x.Index)}, Judge(x))
	d.tell(to, c, &b)
}

// Began tells a comparison of a request.
func (d *Desk) Began(to rule.Across, c *rule.Conn, x *rule.Began, at time.Duration) {
	var b rule.Batch
	b.TellBegan(rule.Event{At: at, Conn: uint32(c.Id)}, *x)
	d.tell(to, c, &b)
}

// Over tells a comparison of the end of an exchange.
func (d *Desk) Over(to rule.Across, c *rule.Conn, x *rule.Over, at time.Duration) {
	var b rule.Batch
	b.TellOver(rule.Event{At: at, Conn: uint32(c.Id)}, *x)
	d.tell(to, c, &b)
}

// Gone tells a comparison of the end of a connection.
func (d *Desk) Gone(to rule.Across, c *rule.Conn, g *rule.Gone, at time.Duration) {
	var b rule.Batch
	b.TellGone(rule.Event{At: at, Conn: uint32(c.Id)}, *g)
	d.tell(to, c, &b)
}

// tell tells of the only event of a batch.
func (d *Desk) tell(to rule.Across, c *rule.Conn, b *rule.Batch) {
	e := b.At(0)
	to.Event(d, c, &e)
}

// Pair is a client and a service.
func Pair() report.Pair {
	return report.Pair{
		Client: netip.MustParseAddr("10.0.0.1"),
		Server: netip.MustParseAddrPort("10.0.0.2:80"),
	}
}

// Strangers are twice as many clients as a table of pairs holds, a second apart, each with a service of
// its own. None of them is that of Pair.
func Strangers(most int) iter.Seq2[report.Pair, time.Duration] {
	return func(yield func(report.Pair, time.Duration) bool) {
		for i := range 2 * most {
			a := Host(i)
			p := report.Pair{Client: a, Server: netip.AddrPortFrom(a, 80)}
			if !yield(p, time.Duration(i)*time.Second) {
				return
			}
		}
	}
}

// Host is a host of its own for each number.
func Host(n int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, 1 + byte(n>>16), byte(n >> 8), byte(n)})
}
