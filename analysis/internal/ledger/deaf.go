package ledger

import (
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const (
	// AckedAtOnce is how much later than a round trip a kernel acknowledges at most that is awake:
	// the least delayed acknowledgment of Linux (include/net/tcp.h, TCP_DELACK_MIN), and a tick.
	AckedAtOnce = 45 * time.Millisecond
	// leastPatience is how long a client waits at least for the answer to a PING before it takes
	// its server for dead (reasoning: programs come with a second and more; half of that leaves
	// room for what somebody sets).
	leastPatience = 500 * time.Millisecond
)

// Deaf is a PING of the client's that its server's program left without an answer until the client
// gave the connection up.
type Deaf struct {
	Ping   exchange.PingTrip
	Acked  capture.Mark // by which the server's host acknowledged it
	Left   capture.Mark // the client's FIN or RST
	Silent time.Duration
	// Answers says that the server had answered a PING of the connection before.
	Answers bool
}

// GivenUpDeaf is the oldest PING that had no answer when the client closed the connection; false if
// there is none, or something else than the server's program may have held the answer up: the
// server's host had acknowledged the PING at once, sent nothing from then on, and was heard of
// afterwards, so that the path worked.
func GivenUpDeaf(c *reassembly.Conn) (Deaf, bool) {
	if c.HTTP2 == nil || c.FirstClose != reassembly.FromClient || !Seen(c.FirstCloseAt) ||
		!Whole(c) {
		return Deaf{}, false
	}
	d := Deaf{Left: c.FirstCloseAt}
	var asked bool
	d.Ping, asked = c.HTTP2.Trips.Unanswered(reassembly.FromClient, d.Left)
	if !asked || !d.acknowledged(c) {
		return Deaf{}, false
	}
	d.Silent = d.Left.Time - d.Acked.Time
	d.Answers = c.HTTP2.PingTrips[reassembly.FromClient][0] > 0
	return d, d.Silent >= leastPatience && heardAfter(c, d.Acked, d.Left)
}

// acknowledged finds the segment by which the server's host acknowledged the PING; false if that
// was not at once, or the server sent data from then on until the client closed, or the client left
// it no room for any, or anything was sent again.
func (d *Deaf) acknowledged(c *reassembly.Conn) bool {
	arrived := d.Ping.Asked.Time + c.Far(reassembly.FromServer)
	for r := range Segments(c, d.Ping.Asked.Time, d.Left.Time) {
		switch {
		case r.Kind.Retransmitted():
			return false
		case r.Dir == reassembly.FromClient:
			if r.Window == 0 && r.Flags&capture.RST == 0 {
				return false
			}
		case r.Len > 0 && r.Time > arrived:
			return false
		case !Seen(d.Acked) && r.Flags&capture.ACK != 0 && r.Ack >= d.Ping.End:
			d.Acked = r.Mark()
		}
	}
	return Seen(d.Acked) && d.Acked.Time-arrived <= AckedAtOnce
}

// heardAfter reports whether the server's host was heard of again when it had been silent for most
// of the time, and nothing that it sent was missing by then: so the way from it was open. Next to
// it nothing can be missing.
func heardAfter(c *reassembly.Conn, acked, left capture.Mark) bool {
	if c.Vantage == reassembly.ServerSide || c.Vantage == reassembly.SameHost {
		return true
	}
	for r := range SegmentsBack(c, acked.Time+(left.Time-acked.Time)/2, c.End.Time) {
		if r.Dir == reassembly.FromServer && r.Flags&capture.RST == 0 {
			return true
		}
	}
	return false
}
