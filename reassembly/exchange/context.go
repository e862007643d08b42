package exchange

import (
	"time"

	"tcpwhy/reassembly/internal/keylog"
)

// Transcript is what was said on a connection, as far as its readers made it out.
type Transcript struct {
	Protocol Protocol
	// ExchangeCount is how many have begun.
	ExchangeCount uint32
	TLS           *TLSInfo // nil if not TLS
	HTTP2         *H2Conn  // nil if not HTTP/2
	WebSockets    []*WebSocket
	// Socket is whose octets are whose, by Dir, where a WebSocket has the connection for itself:
	// those of Pings and Pongs are NoExchange's. nil if none has.
	Socket *[2]Owners
	// Exchanges are those begun and not yet settled, oldest first.
	Exchanges []*Exchange
}

// Context is what the Reader of a connection is given beside its octets.
type Context struct {
	*Transcript
	Caveats *Caveats
	TCP     TCP
	Shared  *Shared
}

// TCP is what a Reader may ask of the connection that carries the octets.
type TCP interface {
	// RoundTrip is the least round trip between client and server; 0 if none was measured.
	RoundTrip() time.Duration
	// Acknowledged is the offset up to which dir's stream has been acknowledged.
	Acknowledged(dir Dir) int64
	// MidStream reports whether the capture lacks the beginning of the connection, or of what one
	// side said on it.
	MidStream() bool
	// Lacks reports whether something shows by now that dir sent octets which have not been
	// captured, and of which no Gap has told yet.
	Lacks(dir Dir) bool
}

// Shared is what the Readers of one Tracker have in common.
type Shared struct {
	Readers Readers
	News    News
	// Secrets are those that the capture held before the segment in hand.
	Secrets *keylog.Secrets
	// Growing says that secrets may become known a little after the records that they open.
	Growing bool
}

// News are the exchanges that have begun, and those to which nothing more will be added, since the
// Tracker looked last, as it does after each segment.
type News struct{ Began, Over []*Exchange }

// Any reports whether there are news.
func (n *News) Any() bool { return len(n.Began)+len(n.Over) > 0 }

// Forget empties the lists, and keeps their room.
func (n *News) Forget() {
	clear(n.Began)
	clear(n.Over)
	n.Began, n.Over = n.Began[:0], n.Over[:0]
}

// Readers makes Readers for what another Reader finds within a connection.
type Readers interface {
	// Recognise reads what is not known yet: it finds out by content.
	Recognise(c *Context) Reader
	// Of reads protocol p from where another Reader ends. What has no Reader of its own is turns.
	Of(p Protocol, c *Context, from *Takeover) Reader
}

// Begin adds a new exchange that began with the given record. It follows those before it.
func (c *Context) Begin(record int) *Parts { return c.BeginStream(record, 0) }

// BeginStream adds one that goes on beside others, on a stream with a number of its own.
func (c *Context) BeginStream(record int, stream uint32) *Parts {
	x := &Parts{}
	x.Index = int(c.ExchangeCount)
	x.FirstRecord = record
	x.Stream = stream
	c.ExchangeCount++
	c.Exchanges = append(c.Exchanges, &x.Exchange)
	c.Shared.News.Began = append(c.Shared.News.Began, &x.Exchange)
	return x
}

// Finish ends an exchange with the given outcome, unless it has ended before.
func (c *Context) Finish(x *Parts, o Outcome) {
	if x.Over {
		return
	}
	x.Outcome = o
	x.Over = true
	c.Shared.News.Over = append(c.Shared.News.Over, &x.Exchange)
}
