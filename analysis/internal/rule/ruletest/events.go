package ruletest

import (
	"iter"
	"net/netip"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// Judged tells a comparison of an exchange that has been judged.
func (d *Desk) Judged(to rule.Across, c *rule.Conn, x *rule.Draft, at time.Duration) {
	e := rule.Event{At: at, Conn: c.Id, Index: x.Index, Kind: rule.ExchangeJudged, Data: x}
	to.Event(d, c, &e)
}

// Began tells a comparison of a request.
func (d *Desk) Began(to rule.Across, c *rule.Conn, x *rule.Began, at time.Duration) {
	to.Event(d, c, &rule.Event{At: at, Conn: c.Id, Kind: rule.ExchangeBegan, Data: x})
}

// Gone tells a comparison of the end of a connection.
func (d *Desk) Gone(to rule.Across, c *rule.Conn, g *rule.Gone, at time.Duration) {
	to.Event(d, c, &rule.Event{At: at, Conn: c.Id, Kind: rule.ConnOver, Data: g})
}

// Pair is a client and a service.
func Pair() report.Pair {
	return report.Pair{
		Client: netip.MustParseAddr("10.0.0.1"),
		Server: netip.MustParseAddrPort("10.0.0.2:80"),
	}
}

// Strangers are more clients than a table of pairs holds, a second apart, each with a service of
// its own. None of them is that of Pair.
func Strangers() iter.Seq2[report.Pair, time.Duration] {
	return func(yield func(report.Pair, time.Duration) bool) {
		for i := range 2 * rule.MaxPairs {
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
	return netip.AddrFrom4([4]byte{10, 1, byte(n >> 8), byte(n)})
}
