package names

import (
	"net/netip"
	"time"

	"tcpwhy/capture"
)

// Kind is what sort of address a query asks for.
type Kind uint8

const (
	IPv4 Kind = iota // A
	IPv6             // AAAA
)

// String is the type of the record that is asked for.
func (k Kind) String() string {
	if k == IPv6 {
		return "AAAA"
	}
	return "A"
}

// Response codes of answers (RFC 1035 §4.1.1).
const (
	NoError  = 0
	ServFail = 2
	NXDomain = 3
)

// Lookup is what a host asked, from its first query until it had an address to connect to. It never
// changes.
type Lookup struct {
	Name  string       // of the host that the answer is about: lower case, as it was asked last
	Begin capture.Mark // the first query
	Ready capture.Mark // the last answer before the connection
	Tries []Try        // all queries, in order; some 64 at most
	Addrs []netip.Addr // all that were answered for Name, in order; 56 at most
	Open  bool         // a query had no answer by then: the client may have waited for it a while
	// it had, until a timer ran out: Ready is the first segment of the connection
	GaveUp bool
	// the client had tried another of Addrs before, in vain; no frame: it had not, or not long
	// enough to tell
	Dead Attempt
}

// Attempt is a connection that did not come about.
type Attempt struct {
	Server  netip.AddrPort
	First   capture.Mark // its SYN
	Refused bool         // by a RST; else several SYNs got no answer
}

// Try is one query: each datagram is one of its own.
type Try struct {
	Name      string // lower case
	Kind      Kind
	Code      uint8 // of the answer
	Empty     bool  // the answer had no address
	Truncated bool  // it had to be asked again over TCP
	Stub      bool  // a resolver of the same host asked on behalf of it
	Server    netip.Addr
	Sent      capture.Mark
	Answered  capture.Mark // no frame: it was not by the time of the connection
}

// Failed reports whether the answer was an error that says nothing about the name.
func (t *Try) Failed() bool {
	return t.Answered.Frame != 0 && t.Code != NoError && t.Code != NXDomain
}

// Took is how long the answer took; until when it was waited for in vain if there was none.
func (t *Try) Took(until time.Duration) time.Duration {
	if t.Answered.Frame != 0 {
		until = t.Answered.Time
	}
	return until - t.Sent.Time
}
