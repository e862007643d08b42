package http1

import (
	"bytes"

	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
)

// maxHeader caps the header section of a message, and each line of a chunked body.
const maxHeader = 64 << 10

// phase is what a parser expects next.
type phase uint8

const (
	between    phase = iota // the first octet of a message
	doubtful                // more of what may be a request, or no message at all
	scrapped                // the end of a segment that was no message
	startLine               // a request line or status line
	fields                  // a field line, or the empty line after them
	lengthBody              // side.left octets
	chunkSize               // RFC 9112 §7.1
	chunkData               // side.left octets
	chunkEnd                // the line end after the data of a chunk
	trailer                 // a trailer field, or the empty line after them
	closeBody               // all octets until the connection closes
	lost                    // framing is unknown until something looks like the start of a message
	undecided               // after CONNECT: the response decides what octets of the client are
)

// side is the parser of one direction.
type side struct {
	dir     exchange.Dir
	phase   phase
	x       *exchange.Parts   // that msg belongs to; nil while a response is not known to be final
	msg     *exchange.Message // being read; nil between messages
	draft   exchange.Message  // a response before its status line has been read, or an interim one
	interim int               // status of the interim response being read
	record  int               // the record at which draft began
	sent    capture.Mark      // the segment that carried the first octet of msg, or of draft
	// of the client: the response to x came before it, and counts as an exchange without request
	missed bool
	left   int64
	line   []byte // the part of a line that came with earlier segments
	used   int    // octets of the current header section, or chunk line
	head   header
	frame  capture.FrameID // that carried the latest octets
	// of the first of the octets that are in doubt, and its offset; what carried the last
	first    exchange.Arrival
	firstOff int64
	doubted  capture.Mark
}

// inHeader reports whether a header section is being read.
func (s *side) inHeader() bool { return s.phase == startLine || s.phase == fields }

// takeLine takes octets up to and with a line feed. The line is nil if it is not complete yet.
func (s *side) takeLine(data []byte) (line []byte, n int) {
	nl := bytes.IndexByte(data, '\n')
	n = nl + 1
	if nl < 0 {
		// One octet above the cap is enough to know that it was exceeded.
		n = min(len(data), maxHeader+1-s.used)
	}
	s.used += n
	if s.used > maxHeader {
		return nil, n
	}
	if nl < 0 {
		s.line = append(s.line, data...)
		return nil, n
	}
	line = data[:n]
	if len(s.line) > 0 {
		s.line = append(s.line, line...)
		line = s.line
	}
	return s.strip(line), n
}

// strip removes the line end, CRLF or a bare LF (RFC 9112 §2.2).
func (s *side) strip(line []byte) []byte {
	line = line[:len(line)-1]
	if len(line) > 0 && line[len(line)-1] == '\r' {
		return line[:len(line)-1]
	}
	s.msg.Facts |= exchange.BareLF
	return line
}

// lineDone forgets the kept part of a line; a buffer that grew for an unusual line is not kept for
// the next.
func (s *side) lineDone() {
	if cap(s.line) > 4<<10 {
		s.line = nil
	}
	s.line = s.line[:0]
}

// foreign reports that what should be a start line can be none: so a stream of something else is
// not collected first.
func (s *side) foreign(data []byte) bool {
	if s.dir == exchange.FromClient {
		return len(s.line) == 0 && !tokenChar(data[0])
	}
	const magic = "HTTP/"
	for i := len(s.line); i < len(magic) && i-len(s.line) < len(data); i++ {
		if data[i-len(s.line)] != magic[i] {
			return true
		}
	}
	return false
}

// body counts octets of the body, up to to.
func (s *side) body(n, to int64, a *exchange.Arrival) {
	s.msg.BodyBytes += n
	s.msg.Grow(a.To(to), a.At)
}

// parseChunkSize reads the line before a chunk, without its line end. Extensions are ignored (RFC
// 9112 §7.1.1).
func parseChunkSize(line []byte) (size int64, ok bool) {
	if i := bytes.IndexByte(line, ';'); i >= 0 {
		line = line[:i]
	}
	line = trimBlank(line)
	for _, c := range line {
		d, hex := hexDigit(c)
		if !hex || size > (1<<63-1)>>4 {
			return 0, false
		}
		size = size<<4 | int64(d)
	}
	return size, len(line) > 0
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
