package ledger

import (
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// FreedBy is the frame of x that ended w, a wait for flow control of HTTP/2, with what made room
// for it; false if the records of that have gone.
func FreedBy(c *reassembly.Conn, x *exchange.Exchange, w *Wait) (exchange.Freed, bool) {
	r := RecordOf(c, w.End)
	if r == nil || c.HTTP2 == nil {
		return exchange.Freed{}, false
	}
	octets := exchange.Range{From: r.Seq, To: r.Seq + int64(r.Len)}
	for _, f := range c.HTTP2.Freed[r.Dir].Within(octets) {
		if f.Owner == x.Index {
			return f, true
		}
	}
	return exchange.Freed{}, false
}
