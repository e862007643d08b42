package websocket

import (
	"encoding/binary"
	"math"

	"tcpwhy/reassembly/exchange"
)

// opcode is the type of a frame (RFC 6455 §5.2).
type opcode uint8

const (
	continuationFrame opcode = 0
	textFrame         opcode = 1
	binaryFrame       opcode = 2
	closeFrame        opcode = 8
	pingFrame         opcode = 9
	pongFrame         opcode = 10
)

// control reports whether frames of that type are control frames.
func (o opcode) control() bool { return o >= closeFrame }

const (
	leastHead   = 2
	mostHead    = 14
	mostControl = 125 // octets of a control frame: RFC 6455 §5.5
	maskSize    = 4
	// lengths of the payload that say that the length comes behind
	shortLength = 126
	longLength  = 127
)

// head is the head of a frame.
type head struct {
	final  bool
	op     opcode
	masked bool
	mask   [maskSize]byte
	length int64
	odd    bool // no endpoint that keeps to the standard could have sent it
}

// frames reads one direction's octets as frames. It is given them piece by piece, and any split
// gives the same frames.
type frames struct {
	raw    [mostHead]byte
	have   int  // octets of the head so far
	inside bool // the head is known, and the frame is not over
	head   head
	left   int64  // octets of the payload that are still to come
	kept   []byte // the payload of a control frame
	broken bool   // some of that is missing
	// of the head's first octet: its offset and how it came
	from  int64
	began exchange.Arrival
}

// size is how long the head is, as far as its first octets tell.
func (f *frames) size() int {
	if f.have < leastHead {
		return leastHead
	}
	n := leastHead
	switch f.raw[1] & 0x7f {
	case shortLength:
		n += 2
	case longLength:
		n += 8
	}
	if f.raw[1]&0x80 != 0 {
		n += maskSize
	}
	return n
}

// takeHead takes octets of a head, the first of which is at off, and tells how many. Afterwards the
// head may be known.
func (f *frames) takeHead(off int64, data []byte, a *exchange.Arrival) int {
	if f.have == 0 {
		f.from, f.began = off, *a
	}
	taken := 0
	for f.have < f.size() && len(data) > 0 {
		n := copy(f.raw[f.have:f.size()], data)
		f.have += n
		taken += n
		data = data[n:]
	}
	if f.have == f.size() {
		f.parse()
	}
	return taken
}

// parse reads the head.
func (f *frames) parse() {
	first, second := f.raw[0], f.raw[1]
	h := head{
		final:  first&0x80 != 0,
		op:     opcode(first & 0x0f),
		masked: second&0x80 != 0,
		length: int64(second & 0x7f),
	}
	rest := f.raw[leastHead:]
	switch h.length {
	case shortLength:
		h.length = int64(binary.BigEndian.Uint16(rest))
		h.odd = h.length < shortLength
		rest = rest[2:]
	case longLength:
		long := binary.BigEndian.Uint64(rest)
		h.length = int64(long & math.MaxInt64)
		h.odd = h.length <= math.MaxUint16 || long > math.MaxInt64
		rest = rest[8:]
	}
	if h.masked {
		copy(h.mask[:], rest)
	}
	const reserved, compressed = 0x30, 0x40 // RSV2 and RSV3; RSV1: RFC 7692
	h.odd = h.odd || first&reserved != 0 || h.op > binaryFrame && h.op < closeFrame ||
		h.op > pongFrame ||
		h.op.control() && (!h.final || h.length > mostControl || first&compressed != 0)
	f.head, f.left, f.inside = h, h.length, true
	f.kept, f.broken = f.kept[:0], false
}

// take takes n octets of the payload, with their content if there is any.
func (f *frames) take(n int64, data []byte) {
	f.left -= n
	if !f.head.op.control() {
		return
	}
	if data == nil {
		f.broken = true
		return
	}
	for _, c := range data {
		f.kept = append(f.kept, c^f.head.mask[len(f.kept)%maskSize])
	}
}

// end makes room for the next frame.
func (f *frames) end() { f.have, f.inside = 0, false }
