package reassembly

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
)

var outcomeNames = [...]string{
	"incomplete",
	"complete",
	"truncated",
	"reset",
	"no-response",
	"aborted",
	"upgraded",
}

// String is the outcome's name in reports.
func (o Outcome) String() string { return outcomeNames[o] }

// ParseOutcome is the outcome of that name in reports; false if there is none.
func ParseOutcome(name string) (Outcome, bool) {
	i := slices.Index(outcomeNames[:], name)
	return Outcome(max(i, 0)), i >= 0
}

// Framing is how the end of a message body is found (RFC 9112 §6.3).
type Framing uint8

const (
	NoBody Framing = iota
	ByLength
	ByChunks
	ByClose
	ByTurn // not HTTP/1: the message is all that one side sent before the other answered
)

// Facts are what a message's header said, as far as connection management or a later rule needs it.
type Facts uint32

const (
	ConnClose          Facts = 1 << iota // Connection: close
	ConnKeepAlive                        // Connection: keep-alive
	ConnUpgrade                          // Connection: upgrade
	HasUpgrade                           // an Upgrade field
	HasProxyConnection                   // Proxy-Connection
	HasKeepAlive                         // a Keep-Alive field
	Expect100                            // Expect: 100-continue
	HasLength                            // Content-Length
	HasChunked                           // Transfer-Encoding ends in chunked
	// several different Content-Length values, or one that is no number
	LengthConflict
	// both Content-Length and Transfer-Encoding (RFC 9112 §6.3, smuggling)
	LengthAndChunked
	BadHeader // a header line that RFC 9112 §5 forbids was tolerated
	BareLF    // lines ended by LF alone
	// a chunk size that is no number, or too large; the stream was given up
	BadChunk
	HeaderTooLong // the header exceeded the cap; the message was given up
	Resynced      // the message start was guessed after a gap
	HasGap        // octets of this message are missing from the capture
	EventStream   // Content-Type: text/event-stream
	HasVia        // a Via field: a proxy took part
	// Transfer-Encoding whose last coding is not chunked, or in HTTP/1.0
	OddTransferEncoding
	// names a field in Connection that only another hop could mean
	HopByHopLeak
)

// Has reports whether all the given facts hold.
func (f Facts) Has(want Facts) bool { return f&want == want }

// Message is one request or one final response.
type Message struct {
	// frames of the first octet, and of the octet that completed it in order
	Start, End capture.Mark
	HeaderEnd  capture.Mark // frame of the octet that ended the header section
	// offsets in the sender's stream: first octet, and after the last octet so far
	From, To    int64
	HeaderBytes int64
	BodyBytes   int64 // octets of the body so far, framing of chunks included
	Length      int64 // announced by Content-Length; -1 if not announced
	Framing     Framing
	Complete    bool
	Facts       Facts
}

// Interim is a 1xx response other than 101 (RFC 9110 §15.2).
type Interim struct {
	Status int
	At     capture.Mark
}

// Exchange is a request and its final response, with the moment and frame of every boundary. HTTP/1
// makes it of messages, everything else of turns (what one side said before the other answered).
type Exchange struct {
	Index  int // within its connection, from 0
	Turn   bool
	Method string // "" for turns and for a response without request
	// as sent, at most 2 KiB; query included, so never print it raw
	Target string
	Host   string
	// of the request: "HTTP/1.1"; of the response if the capture lacks the request
	Version string
	// of the final response's status line; "" if there is none
	ResponseVersion string
	Status          int // 0: none
	Interim         []Interim
	Request         *Message // nil if the capture lacks it
	Response        *Message // nil if there is none
	Outcome         Outcome
	// product token of User-Agent, without comment: "curl/8.5"; at most 40 octets
	Agent string
	// product token of Server: "nginx/1.22.1"; at most 40 octets
	Software string
	// product token of X-Powered-By: "Express", "PHP/8.2"; at most 40 octets
	Powered string
	// who forwarded it last, by its Via field: the comment's product or the name; at most 40 octets
	RequestVia, ResponseVia string
	// from the response's Keep-Alive field; 0: not given, or NotKept
	KeepAliveTimeout, KeepAliveMax int
	NotKept                        bool // the same said timeout=0: idle connections are not kept
	Over                           bool // nothing more will be added to it
	Judged                         bool
	FirstRecord                    int // absolute number of the record at which the exchange began
}

// Start is the first moment that belongs to the exchange.
func (x *Exchange) Start() capture.Mark {
	if x.Request != nil {
		return x.Request.Start
	}
	return x.Response.Start
}

// End is the last moment that belongs to the exchange so far.
func (x *Exchange) End() capture.Mark {
	if x.Response != nil {
		return x.Response.End
	}
	return x.Request.End
}
