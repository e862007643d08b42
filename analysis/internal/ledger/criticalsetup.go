package ledger

import (
	"time"

	"tcpwhy/analysis/internal/ledger/sender"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const (
	// PromptStart is what a program takes at most from the end of the handshake to its request if
	// it has been waiting for it. A tenth of a round trip is little beside what it has waited
	// (reasoning).
	PromptStart   = 2 * time.Millisecond
	ownStartParts = 10
	// lateStart is the same of a program on a busy machine, or one that has something to load: a
	// time slice or two. A client that had connected in advance may happen to have a request just
	// then, too; so this is only likely.
	lateStart = 10 * time.Millisecond
	// It must also be less than one of so many parts of the handshake: had its moment nothing to do
	// with that, it would rather have come within it than so soon behind it (reasoning).
	lateStartParts = 2
)

// criticalSetup reports whether the first request waited for the connection: it left as soon as it
// could. Otherwise the client had connected in advance, and the handshake cost the request nothing.
// What left a little later is doubtful.
func criticalSetup(p *sender.Path, x *exchange.Exchange) (critical, doubtful bool) {
	c := p.Conn
	ready, ok := setUpAt(c)
	if !ok || x.Request == nil {
		return false, false
	}
	atOnce := p.AtOnce(reassembly.FromClient)
	late := x.Request.Start.Time - ready
	if late <= max(PromptStart, c.RTTMin()/ownStartParts, atOnce) || heldFirst(p, x) {
		return true, false
	}
	if f, ok := firstAsk(p, x); ok && f.Waited {
		return true, true // it needed the connection for that
	}
	doubtful = late <= min(lateStart, (ready-c.Start.Time)/lateStartParts)+atOnce
	return doubtful, doubtful
}

// heldFirst reports whether the first request inside TLS left as soon as the end of the client's
// handshake was acknowledged: Nagle's algorithm may have held it behind that, and it had been
// ready. In TLS 1.3 what carries the acknowledgment may be session tickets, for which no client
// waits (RFC 8446 §4.6.1).
func heldFirst(p *sender.Path, x *exchange.Exchange) bool {
	c := p.Conn
	known := x.Request.Start.Time - c.Far(reassembly.FromClient)
	if c.TLS == nil {
		return false
	}
	for a := range SegmentsBack(c, 0, known) {
		if a.Dir == reassembly.FromServer {
			return (a.PureAck() || c.TLS.Version == "TLS 1.3") && a.Ack == x.Request.From &&
				known-a.Time <= p.AtOnce(reassembly.FromClient)
		}
	}
	return false
}

// ShowsStart reports whether the capture shows that the connection began: by its SYN, or by the
// SYN-ACK alone.
func ShowsStart(c *reassembly.Conn) bool { return len(c.SYNs) > 0 || len(c.SYNACKs) > 0 }

// setUpAt is the moment at which the first request could have left, as the capture point saw it;
// false if the capture lacks the handshake.
func setUpAt(c *reassembly.Conn) (time.Duration, bool) {
	if c.TLS != nil && Seen(c.TLS.Done) {
		ready := c.TLS.Done.Time
		if c.TLS.ServerEnds() {
			ready += c.Far(reassembly.FromClient) // the client had yet to hear it
		}
		return ready, ShowsStart(c)
	}
	if len(c.SYNACKs) == 0 { // the client's acknowledgment of it tells as much
		return c.AckOfSYNACK.Time, len(c.SYNs) > 0 && Seen(c.AckOfSYNACK)
	}
	// At the server the request follows the SYN-ACK by a round trip to the client.
	return max(c.AckOfSYNACK.Time, c.SYNACKs[0].Time+c.Far(reassembly.FromClient)), ShowsStart(c)
}

// FirstAsk is how the first request of a connection of HTTP/2 left.
type FirstAsk struct {
	Ready    time.Duration // when it could have left at the soonest
	Settings time.Duration // when the server's first SETTINGS passed
	// Waited says that it left as soon as the client could know of those; else it left before.
	Waited bool
}

// FirstAsked is how x, the first exchange, left; false if that says nothing of whether it waited
// for SETTINGS.
func (s *Connection) FirstAsked(
	x *exchange.Exchange,
) (FirstAsk, bool) {
	return firstAsk(&s.path, x)
}

// firstAsk is FirstAsked. SETTINGS that come with the end of the set-up nobody has to wait for.
func firstAsk(p *sender.Path, x *exchange.Exchange) (f FirstAsk, ok bool) {
	c := p.Conn
	ready, ok := setUpAt(c)
	if !ok || c.HTTP2 == nil || x.Index != 0 || x.Request == nil {
		return f, false
	}
	f.Ready, f.Settings = ready, c.HTTP2.Sides[reassembly.FromServer].Settings.At
	if f.Settings == 0 {
		return f, false
	}
	known, atOnce := f.Settings+c.Far(reassembly.FromClient), p.AtOnce(reassembly.FromClient)
	late := x.Request.Start.Time - known
	f.Waited = late >= -atOnce
	if !f.Waited {
		return f, true
	}
	prompt := max(PromptStart, c.RTTMin()/ownStartParts, atOnce)
	return f, known-ready >= c.RTTMin()/2 && late <= prompt
}
