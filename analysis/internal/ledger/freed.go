package ledger

import (
	"time"

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

// shutAt reports whether flow control kept back the rest of a message from the given moment until
// the exchange was over.
func (j *Exchange) shutAt(at time.Duration) bool { return j.ShutFor() > 0 && at >= j.shutFrom() }

// shutFrom is when the last octets of the message came that waited for flow control to the end.
func (j *Exchange) shutFrom() time.Duration {
	return max(j.Message(j.Parsed.Shut.Dir).End.Time, j.Parsed.Shut.Last.Time)
}

// ShutFor is for how long a message of the exchange waited for flow control when that was over; 0:
// none did.
func (j *Exchange) ShutFor() time.Duration {
	if j.Parsed.Shut == nil || j.Message(j.Parsed.Shut.Dir) == nil {
		return 0
	}
	_, until := j.Span()
	return max(0, until-j.shutFrom())
}
