package reassembly

import "tcpwhy/capture"

// exchangeParts is an exchange together with the messages it may have, so that one allocation makes
// all three.
type exchangeParts struct {
	Exchange
	request, response Message
	// its response came before it, and counts as an exchange without request
	missed bool
	// the segment that carried the first octet of the request, whenever it arrived in order
	sent capture.Mark
}

// arrival is how octets came: the segment that carried them, and the one that made them arrive in
// order.
type arrival struct{ seen, at capture.Mark }

// start is the moment at which the octets could be read, and the frame of that moment.
func (a arrival) start() capture.Mark {
	if a.at.Time > a.seen.Time {
		return a.at
	}
	return a.seen
}

// currentRecord is the absolute number of the record whose segment is being applied.
func (c *Conn) currentRecord() int { return max(c.Released+len(c.Records)-1, 0) }

// beginExchange appends a new exchange that began with the given record.
func (c *Conn) beginExchange(record int) *exchangeParts {
	x := &exchangeParts{}
	x.Index = c.ExchangeCount
	x.FirstRecord = record
	c.ExchangeCount++
	c.Exchanges = append(c.Exchanges, &x.Exchange)
	return x
}

// ask gives the exchange a request, answer a response.
func (x *exchangeParts) ask(m Message) *Message {
	x.request = m
	x.Request = &x.request
	return x.Request
}

func (x *exchangeParts) answer(m Message) *Message {
	x.response = m
	x.Response = &x.response
	return x.Response
}

// finish ends the exchange with the given outcome, unless it has ended before.
func (x *exchangeParts) finish(o Outcome) {
	if x.Over {
		return
	}
	x.Outcome = o
	x.Over = true
}

// grow extends the message to the offset to.
func (m *Message) grow(to int64, at capture.Mark) {
	m.To = to
	m.End = at
}

// The codes of Conn.Caveats that come from what the connection carries.
const (
	CaveatHTTPGap    = "http-gap"    // the capture lacks octets that frame messages
	CaveatHTTPResync = "http-resync" // after such a gap the start of a message was guessed
	// something that is no message stood where one should begin
	CaveatHTTPMessage = "http-bad-message"
	// interim responses were not kept: too many, or without a request
	CaveatInterim = "http-interim"
	// more unanswered requests than are kept: exchanges are turns from there on
	CaveatOutstanding  = "http-outstanding"
	CaveatPayloadCut   = "payload-cut"   // the capture cut message headers: exchanges are turns
	CaveatTLSGap       = "tls-gap"       // the capture lacks octets that frame TLS records
	CaveatTLSMalformed = "tls-malformed" // a TLS handshake message could not be read
)

// closing is how a connection is coming to its end.
type closing struct {
	fin   [2]bool
	begun bool // one side has closed or reset the connection
	first Dir  // which, if begun
}

// close notes a FIN or RST of dir.
func (e *closing) close(dir Dir) {
	if !e.begun {
		e.begun, e.first = true, dir
	}
}

// broken is the outcome of an exchange that the end of the connection cut off: the client gave up
// if it closed first.
func (e *closing) broken(o Outcome) Outcome {
	if e.begun && e.first == FromClient {
		return Aborted
	}
	return o
}
