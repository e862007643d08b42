// Package http1 reads HTTP/1 (RFC 9112).
package http1

import (
	"math"

	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
)

// maxWaiting caps the requests of a connection that wait for their responses.
const maxWaiting = 1024

// reader makes exchanges of the two byte streams of an HTTP/1 connection. Responses answer
// requests in order (RFC 9112 §9.3.2).
type reader struct {
	exchange.Closing
	from      *recogniser // whose memory it is
	c         *exchange.Context
	side      [2]side
	waiting   []asked // requests whose final response has not begun, oldest first
	over      bool
	pipelined bool            // a request began while an earlier one was not answered in full
	holes     bool            // octets that frame messages are missing, in whichever direction
	asks      bool            // a whole request has been read
	scrap     scrap           // what the client sent since, and is no request
	orphan    capture.Mark    // what carried the start of the latest response without request
	next      exchange.Reader // has taken over: the connection speaks something else now
	settings  []byte          // of HTTP/2, if the latest request asks for that; nil: it has none
	text      text
}

// text is the words that were kept last, as they often come again.
type text struct{ method, target, host, agent, software, powered, via string }

// asked is a request that waits for its response.
type asked struct {
	*exchange.Parts
	// the segment that carried its first octet, whenever that arrived in order
	sent capture.Mark
	// how far into the server's stream the client had acknowledged by then; 0: not known. If it
	// does not pipeline, its response begins there, as it had read all others.
	heard int64
}

// empty forgets the connection, but not the words that the next one may repeat, nor the room that
// it may need.
func (h *reader) empty() {
	waiting, text := h.waiting, h.text
	lines := [2][]byte{h.side[0].line, h.side[1].line}
	clear(waiting[:cap(waiting)])
	*h = reader{text: text}
	if cap(waiting) <= maxWaitingKept {
		h.waiting = waiting[:0]
	}
	for dir, line := range lines {
		if cap(line) <= maxLineKept {
			h.side[dir].line = line[:0]
		}
	}
}

// Data parses octets of dir's stream.
func (h *reader) Data(dir exchange.Dir, off int64, data []byte, a *exchange.Arrival) {
	s := &h.side[dir]
	if s.phase == scrapped && s.frame != a.Seen.Frame {
		s.phase = between
	}
	s.frame = a.Seen.Frame
	if h.next == nil && s.phase == lost {
		h.resync(s, off, data, a)
	}
	for len(data) > 0 && !h.over {
		if h.next != nil {
			h.next.Data(dir, off, data, a)
			return
		}
		n := h.step(s, off, data, a)
		off += int64(n)
		data = data[n:]
	}
}

// step consumes at least one octet, or changes the phase.
func (h *reader) step(s *side, off int64, data []byte, a *exchange.Arrival) int {
	switch s.phase {
	case between:
		n := 0
		for n < len(data) && (data[n] == '\r' || data[n] == '\n') {
			n++ // RFC 9112 §2.2: empty lines before a message are ignored
		}
		switch {
		case n > 0 && s.dir == exchange.FromClient:
			h.scrap.take(off, int64(n), a)
		case n == 0 && s.dir == exchange.FromClient && h.asks:
			return h.doubt(s, off, data, a)
		case n == 0:
			h.begin(s, off, a)
		}
		return n
	case doubtful:
		return h.doubt(s, off, data, a)
	case scrapped:
		h.scrap.take(off, int64(len(data)), a)
		return len(data)
	case startLine, fields, chunkSize, chunkEnd, trailer:
		return h.stepLine(s, off, data, a)
	}
	if s.headResponse(data) {
		h.complete(s)
		return 0
	}
	n := len(data)
	if s.phase == lengthBody || s.phase == chunkData {
		n = int(min(int64(n), s.left))
	}
	h.pass(s, off, int64(n), a)
	return n
}

// headResponse reports that a response to an unknown request has no body after all, as the next
// response follows at once: the request must have been HEAD.
func (s *side) headResponse(data []byte) bool {
	return s.phase == lengthBody && s.guessBody() && startsResponse(data)
}

// guessBody reports whether the next octet decides if the response has a body.
func (s *side) guessBody() bool {
	return s.dir == exchange.FromServer && s.x != nil && s.x.Request == nil && s.msg.BodyBytes == 0
}

// pass counts n octets that need not be looked at. In phases that count octets, n is at most
// s.left.
func (h *reader) pass(s *side, off, n int64, a *exchange.Arrival) {
	switch s.phase {
	case lengthBody:
		s.left -= n
		s.body(n, off+n, a)
		if s.left == 0 {
			h.complete(s)
		}
	case chunkData:
		s.left -= n
		s.body(n, off+n, a)
		if s.left == 0 {
			s.phase, s.used = chunkEnd, 0
		}
	case lost:
		h.adopt(s, off, a)
		if s.msg != nil {
			s.body(n, off+n, a)
		}
	case closeBody:
		s.body(n, off+n, a)
	}
}

// stepLine consumes octets of a line, and acts on it when it is complete.
func (h *reader) stepLine(s *side, off int64, data []byte, a *exchange.Arrival) int {
	if s.phase == startLine && s.foreign(data) {
		h.headerless(s)
		return 0
	}
	if s.notChunked(data[0]) {
		h.badChunk(s)
		return 0
	}
	line, n := s.takeLine(data)
	s.msg.Grow(a.To(off+int64(n)), a.At)
	if !s.inHeader() {
		s.msg.BodyBytes += int64(n)
	}
	if s.used > maxHeader {
		h.tooLong(s)
		return n
	}
	if line != nil {
		h.line(s, line, a)
		s.lineDone()
	}
	return n
}

// notChunked reports that an octet cannot begin what chunked framing asks for.
func (s *side) notChunked(c byte) bool {
	if s.used > 0 {
		return false
	}
	_, hex := hexDigit(c)
	return s.phase == chunkSize && !hex && !blank(c) ||
		s.phase == chunkEnd && c != '\r' && c != '\n'
}

// line acts on a complete line.
func (h *reader) line(s *side, line []byte, a *exchange.Arrival) {
	switch s.phase {
	case startLine:
		if s.dir == exchange.FromClient {
			h.requestLine(s, line, a)
		} else {
			h.statusLine(s, line)
		}
	case fields:
		if len(line) > 0 {
			h.field(s, line)
			return
		}
		h.headerEnd(s, a)
	case chunkSize:
		size, ok := parseChunkSize(line)
		s.left, s.used = size, 0
		switch {
		case !ok:
			h.badChunk(s)
		case size == 0:
			s.phase = trailer
		default:
			s.phase = chunkData
		}
	case chunkEnd:
		s.phase, s.used = chunkSize, 0
		if len(line) > 0 {
			h.badChunk(s)
		}
	case trailer:
		if len(line) == 0 {
			h.complete(s)
		}
	}
}

// badChunk gives up the framing of a chunked body: all that follows counts as body.
func (h *reader) badChunk(s *side) {
	s.msg.Facts |= exchange.BadChunk
	s.lineDone()
	s.phase = closeBody
}

// tooLong gives up a message whose header, or line of a chunked body, exceeds the cap.
func (h *reader) tooLong(s *side) {
	if !s.inHeader() {
		h.badChunk(s)
		return
	}
	s.msg.Facts |= exchange.HeaderTooLong
	h.bind(s)
	s.lineDone()
	s.phase = lost
}

// Skip is how much body lies ahead.
func (h *reader) Skip(dir exchange.Dir) int64 {
	s := &h.side[dir]
	switch {
	case h.next != nil:
		return h.next.Skip(dir)
	case h.over:
		return math.MaxInt64
	case s.phase == lengthBody && s.guessBody():
		return 0
	case s.phase == lengthBody || s.phase == chunkData:
		return s.left
	case s.phase == closeBody:
		return math.MaxInt64
	}
	return 0
}

// Skipped counts octets of a body.
func (h *reader) Skipped(dir exchange.Dir, off, n int64, a *exchange.Arrival) {
	h.side[dir].frame = a.Seen.Frame
	h.unread(dir, off, n, a, 0)
}

// Gap counts octets of a body; elsewhere it ends what can be known of the message.
func (h *reader) Gap(dir exchange.Dir, off, n int64, a *exchange.Arrival) {
	if dir == exchange.FromServer && a.Unit.To == 0 {
		off, n = h.answersWithin(off, n, a)
		a = h.notBefore(a)
	}
	if n > 0 {
		h.unread(dir, off, n, a, exchange.HasGap)
	}
}

// unread takes octets without content.
func (h *reader) unread(dir exchange.Dir, off, n int64, a *exchange.Arrival, facts exchange.Facts) {
	s := &h.side[dir]
	for n > 0 && !h.over && h.next == nil {
		step := n
		switch s.phase {
		case lengthBody, chunkData:
			step = min(n, s.left)
		case lost, closeBody, undecided:
		default:
			h.lose(s, off, a)
		}
		if h.next != nil {
			break
		}
		if s.msg != nil {
			s.msg.Facts |= facts
		}
		h.pass(s, off, step, a)
		off += step
		n -= step
	}
	switch {
	case h.next == nil || n == 0:
	case facts.Has(exchange.HasGap):
		h.next.Gap(dir, off, n, a)
	default:
		h.next.Skipped(dir, off, n, a)
	}
}
