package exchange

import "tcpwhy/capture"

// Framing is how the end of a message body is found (RFC 9112 §6.3).
type Framing uint8

const (
	NoBody Framing = iota
	ByLength
	ByChunks
	ByClose
	ByTurn   // not HTTP: the message is all that one side sent before the other answered
	ByStream // HTTP/2: the end of the stream's direction is that of the message
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
	EventStream   // sent as things happen: text/event-stream, messages of a WebSocket
	HasVia        // a Via field: a proxy took part
	// Transfer-Encoding whose last coding is not chunked, or in HTTP/1.0
	OddTransferEncoding
	// names a field in Connection that only another hop could mean
	HopByHopLeak
	// all of it passed the capture, and the receiver never had all of it, though it was sent again
	Undelivered
	// Content-Type: a media type that is text, which compresses well
	TextMedia
	HasCoding     // Content-Encoding: the body is compressed, or encoded otherwise
	AcceptsCoding // Accept-Encoding: the client takes compressed bodies
)

// Has reports whether all the given facts hold.
func (f Facts) Has(want Facts) bool { return f&want == want }

// Message is one request or one final response.
type Message struct {
	// frames of the first octet, and of the octet that completed it in order
	Start, End capture.Mark
	HeaderEnd  capture.Mark // frame of the octet that ended the header section
	// offsets in the sender's stream: first octet, and after the last octet so far; octets of other
	// exchanges may lie between them where the connection is shared (Owners)
	From, To    int64
	HeaderBytes int64
	// octets of the body so far, framing of chunks included, that of frames and padding not
	BodyBytes int64
	Length    int64 // announced by Content-Length; -1 if not announced
	Framing   Framing
	Complete  bool
	Facts     Facts
}

// NoLength is the Length of a Message that did not announce one.
const NoLength = -1

// Grow extends the message to the offset to.
func (m *Message) Grow(to int64, at capture.Mark) {
	m.To = to
	m.End = at
}
