// Package exchange is the contract between a connection and the readers of what is said on it: what
// a Reader is given (octets, and how they came), and what it gives back (exchanges, with the moment
// and frame of every boundary).
package exchange

import (
	"slices"

	"tcpwhy/capture"
)

// Outcome is how an exchange ended, in the words of the report.
type Outcome uint8

const (
	Incomplete Outcome = iota // the capture ended first, or lacks part of it
	Complete
	Truncated   // the connection closed before the announced end of the response
	ResetByPeer // a RST ended it after the response began
	NoResponse  // the connection ended without a response
	Aborted     // the client gave up
	Upgraded    // 101, or CONNECT with 2xx: what follows is another protocol
	// The rest are of attempts, which never came to a request.
	Refused   // somebody said no: a RST, or an ICMP error
	Filtered  // the SYNs got no answer, or none that the client heard of
	GivenUp   // the client had gone when the answer came
	TLSFailed // the TLS handshake did not come to its end
	OutcomeCount
)

var outcomeNames = [OutcomeCount]string{
	"incomplete",
	"complete",
	"truncated",
	"reset",
	"no-response",
	"aborted",
	"upgraded",
	"refused",
	"filtered",
	"given-up",
	"tls-failed",
}

// String is the outcome's name in reports.
func (o Outcome) String() string { return outcomeNames[o] }

// ParseOutcome is the outcome of that name in reports; false if there is none.
func ParseOutcome(name string) (Outcome, bool) {
	i := slices.Index(outcomeNames[:], name)
	return Outcome(max(i, 0)), i >= 0
}

// Interim is a 1xx response other than 101 (RFC 9110 §15.2).
type Interim struct {
	Status int
	At     capture.Mark
}

// Exchange is a request and its final response, with the moment and frame of every boundary. HTTP/1
// makes it of messages, HTTP/2 of streams, everything else of turns (what one side said before the
// other answered).
type Exchange struct {
	Index int // within its connection, from 0
	OnStream
	Turn   bool
	Method string // "" for turns and for a response without request
	// as sent, at most 2 KiB; query included, so never print it raw
	Target string
	Host   string
	// of the request: "HTTP/1.1", "HTTP/2"; of the response if the capture lacks the request
	Version string
	// of the final response's status line; "" if there is none
	ResponseVersion string
	Status          int // 0: none
	Interim         []Interim
	Request         *Message // nil if the capture lacks it
	Response        *Message // nil if there is none
	// Attempt is set if nobody came to ask anything: then there are no messages.
	Attempt *Attempt
	Outcome Outcome
	Programs
	Persistence
	// Trail is what the request's header says of its way; nil if it says nothing, or has not ended.
	// It never changes.
	Trail       *Trail
	Shut        *Shut // nil unless flow control kept back one of its messages to the end
	Over        bool  // nothing more will be added to it
	FirstRecord int   // absolute number of the record at which the exchange began
}

// Programs are those that name themselves in an exchange: tokens of at most 40 octets.
type Programs struct {
	Agent    string // product token of User-Agent, without comment: "curl/8.5"
	Software string // product token of Server: "nginx/1.22.1"
	Powered  string // product token of X-Powered-By: "Express", "PHP/8.2"
	// who forwarded it last, by its Via field: the comment's product or the name
	RequestVia, ResponseVia string
}

// Persistence is what the response's Keep-Alive field says of the connection.
type Persistence struct {
	KeepAliveTimeout, KeepAliveMax int  // 0: not given, or NotKept
	NotKept                        bool // it said timeout=0: idle connections are not kept
}

// Unasked reports whether it is turns of which none answers another: either side says something
// when it has something to say, as on a WebSocket, and nobody waits.
func (x *Exchange) Unasked() bool {
	return x.Turn && (x.Request != nil && x.Request.Facts.Has(EventStream) ||
		x.Response != nil && x.Response.Facts.Has(EventStream))
}

// Start is the first moment that belongs to the exchange.
func (x *Exchange) Start() capture.Mark {
	if x.Attempt != nil {
		return x.Attempt.Start
	}
	if x.Request != nil {
		return x.Request.Start
	}
	return x.Response.Start
}

// End is the last moment that belongs to the exchange so far.
func (x *Exchange) End() capture.Mark {
	if x.Attempt != nil {
		return x.Attempt.Ended
	}
	if x.Response != nil {
		return x.Response.End
	}
	return x.Request.End
}
