package exchange

import "time"

// Transcript is what was said on a connection, as far as its readers made it out.
type Transcript struct {
	Protocol Protocol
	TLS      *TLSInfo // nil if not TLS
	// Exchanges are those begun and not yet judged, oldest first.
	Exchanges     []*Exchange
	ExchangeCount int // how many have begun
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
	// MidStream reports whether the capture lacks the beginning of the connection.
	MidStream() bool
}

// Shared is what the Readers of one Tracker have in common.
type Shared struct{ Readers Readers }

// Readers makes Readers for what another Reader finds within a connection.
type Readers interface {
	// Recognise reads what is not known yet: it finds out by content.
	Recognise(c *Context) Reader
	// Of reads protocol p from where another Reader ends. What has no Reader of its own is turns.
	Of(p Protocol, c *Context, from *Takeover) Reader
}

// Begin adds a new exchange that began with the given record.
func (c *Context) Begin(record int) *Parts {
	x := &Parts{}
	x.Index = c.ExchangeCount
	x.FirstRecord = record
	c.ExchangeCount++
	c.Exchanges = append(c.Exchanges, &x.Exchange)
	return x
}

// Finish ends an exchange with the given outcome, unless it has ended before.
func (c *Context) Finish(x *Parts, o Outcome) {
	if x.Over {
		return
	}
	x.Outcome = o
	x.Over = true
}
