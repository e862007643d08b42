package redact

import (
	"bytes"
	"slices"
)

// asked is what both directions of a connection know of each other: which requests wait for their
// responses.
type asked struct {
	methods   []string
	webSocket bool // the connection has become one
}

// leastStart is how many octets tell what a connection carries.
const leastStart = 12

// The limits of what is kept of one message.
const (
	maxHead    = 64 << 10 // octets of a head, or of a line
	maxMethods = 1 << 10  // requests without response
)

// state is what a reader expects next.
type state uint8

const (
	unknown   state = iota // whatever begins with the next segment
	head                   // of a message of HTTP/1, up to an empty line
	body                   // so many octets of left
	chunk                  // the line with the length of one
	chunkEnd               // the end of the line behind one
	trailer                // fields behind the last chunk
	toEnd                  // nothing more is shown
	record                 // the header of a TLS record
	content                // of a TLS record, of which left octets are to come
	frame                  // the header of a frame of HTTP/2
	block                  // its content, of which left octets are to come
	webSocket              // the head of a frame of a WebSocket
	closing                // its content, of one that closes
	message                // the prefix of a message of gRPC in a frame, of which left octets are to come
)

// reader reads one direction of a connection, and shows what may be shown of it.
type reader struct {
	words words
	asked *asked
	show  func(seq uint32, octets []byte)
	begun bool // so much was said that it can be known
	state state
	after state  // behind a body
	left  int    // octets of body, content or block to come
	seq   uint32 // of the first octet of buffer, or of the next if that is empty
	// what was read of something that is needed as a whole
	buffer []byte
	tls    tlsState
	h2     h2State
	mask   [wsMask]byte // of the frame of a WebSocket
}

// read reads the next octets: data begins at seq.
func (r *reader) read(seq uint32, data []byte) {
	if r.state == unknown {
		first := !r.begun
		if r.begun = r.begun || len(r.buffer)+len(data) >= leastStart; !r.begun {
			r.buffer = append(r.buffer, data...)
			r.seq = seq - uint32(len(r.buffer)-len(data))
			return
		}
		seq, data = seq-uint32(len(r.buffer)), slices.Concat(r.buffer, data)
		r.buffer = r.buffer[:0]
		if first {
			intro := r.words.introduction(data)
			r.show(seq, intro)
			seq, data = seq+uint32(len(intro)), data[len(intro):]
		}
		r.recognise(data)
	}
	if len(r.buffer) == 0 {
		r.seq = seq
		if r.state == head && r.asked.webSocket {
			r.state = webSocket
		}
	}
	for len(data) > 0 {
		switch r.state {
		case unknown, toEnd:
			r.seq += uint32(len(data))
			return
		case body:
			n := min(r.left, len(data))
			r.pass(n)
			data = data[n:]
		default:
			data = r.gather(data)
		}
	}
}

// recognise tells what begins with a segment.
func (r *reader) recognise(data []byte) {
	switch {
	case isTLS(data):
		r.state = record
	case bytes.HasPrefix(data, []byte(prefaceStart)):
		r.state = frame
		r.h2 = h2State{client: true}
	case isRequest(data) || bytes.HasPrefix(data, []byte("HTTP/1.")):
		r.state = head
	case isSettings(data):
		r.state = frame
		r.h2 = h2State{begun: true}
	case r.h2.begun && isFrame(data):
		r.state = frame
	}
}

// pass passes over n octets of a body.
func (r *reader) pass(n int) {
	r.left -= n
	r.seq += uint32(n)
	if r.left == 0 {
		r.state = r.after
	}
}

// gather collects what is needed as a whole, reads it when it is there, and gives the rest.
func (r *reader) gather(data []byte) []byte {
	need := r.need(data)
	n := min(need, len(data))
	r.buffer = append(r.buffer, data[:n]...)
	if n < need || need == 0 {
		if len(r.buffer) > maxHead {
			r.lost()
		}
		return data[n:]
	}
	whole, at := r.buffer, r.seq
	r.buffer = r.buffer[:0]
	r.seq += uint32(len(whole))
	r.whole(at, whole)
	return data[n:]
}

// need is how many octets of data end what is gathered; more than there are if they do not.
func (r *reader) need(data []byte) int {
	switch r.state {
	case head, trailer:
		return r.untilBlank(data)
	case chunk, chunkEnd:
		if i := bytes.IndexByte(data, '\n'); i >= 0 {
			return i + 1
		}
		return len(data) + 1
	case record:
		return recordHeader - len(r.buffer)
	case frame:
		return r.h2.need() - len(r.buffer)
	case webSocket:
		return wsNeed(r.buffer) - len(r.buffer)
	case message:
		return min(messagePrefix, r.left) - len(r.buffer)
	}
	return r.left - len(r.buffer)
}

// untilBlank is how many octets of data end a head or trailers, with the empty line.
func (r *reader) untilBlank(data []byte) int {
	tail := r.buffer[max(0, len(r.buffer)-3):]
	text := slices.Concat(tail, data)
	if r.state == trailer && len(tail) < len("\r\n") { // there are none, perhaps
		for _, blank := range []string{"\r\n", "\n"} {
			if bytes.HasPrefix(text, []byte(blank)) {
				return len(blank) - len(tail)
			}
		}
	}
	end := len(text) + 1
	for _, blank := range []string{"\n\r\n", "\n\n"} {
		if i := bytes.Index(text, []byte(blank)); i >= 0 {
			end = min(end, i+len(blank))
		}
	}
	return end - len(tail)
}

// whole reads what has been gathered.
func (r *reader) whole(seq uint32, octets []byte) {
	switch r.state {
	case head:
		r.httpHead(seq, octets)
	case trailer:
		r.show(seq, r.words.fields(octets))
		r.state = head
	case chunk:
		r.httpChunk(seq, octets)
	case chunkEnd:
		r.show(seq, masked(octets))
		r.state = chunk
	case record:
		r.tlsRecord(seq, octets)
	case content:
		r.tlsContent(seq, octets)
	case frame:
		r.h2Frame(seq, octets)
	case block:
		r.h2Block(seq, octets)
	case message:
		r.h2Message(seq, octets)
	case webSocket:
		r.wsHead(seq, octets)
	case closing:
		r.wsClosing(seq, octets)
	}
}

// lose passes over octets that were not captured. Within what is not shown anyway they change
// nothing; otherwise what comes next is not known.
func (r *reader) lose(n int) {
	if r.state == message {
		r.h2Message(r.seq, r.buffer)
		r.seq += uint32(len(r.buffer))
		r.buffer = r.buffer[:0]
	}
	switch {
	case r.state == body && n <= r.left:
		r.pass(n)
		return
	case r.state == content && len(r.buffer)+n <= r.left:
		r.gather(make([]byte, n))
		return
	case r.state == head:
		r.end()
	}
	if r.state != toEnd {
		r.lost()
	}
	r.seq += uint32(n)
}

// lost waits for a segment that begins with something known.
func (r *reader) lost() {
	r.seq += uint32(len(r.buffer))
	r.buffer = r.buffer[:0]
	r.begun = true
	r.state = unknown
	r.tls.hello, r.tls.left = false, 0
}

// end ends the direction: a head that has no end is shown as far as its lines are whole.
func (r *reader) end() {
	if start := r.buffer; !r.begun && len(start) > 0 {
		r.begun, r.buffer = true, nil
		r.read(r.seq, start)
	}
	if r.state != head {
		return
	}
	i := bytes.LastIndexByte(r.buffer, '\n') + 1
	if i > 0 {
		r.show(r.seq, r.words.head(r.buffer[:i]))
	}
	r.show(r.seq+uint32(i), masked(r.buffer[i:]))
}
