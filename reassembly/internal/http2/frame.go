package http2

import (
	"encoding/binary"

	"tcpwhy/reassembly/exchange"
)

// kind is the type of a frame.
type kind uint8

const (
	dataFrame           kind = 0 // RFC 9113 §6
	headersFrame        kind = 1
	priorityFrame       kind = 2
	resetFrame          kind = 3
	settingsFrame       kind = 4
	promiseFrame        kind = 5
	pingFrame           kind = 6
	goAwayFrame         kind = 7
	updateFrame         kind = 8
	continuationFrame   kind = 9
	altSvcFrame         kind = 10 // RFC 7838 §4
	originFrame         kind = 12 // RFC 8336 §2
	priorityUpdateFrame kind = 16 // RFC 9218 §7.1
)

// Flags of frames (RFC 9113 §6). What they mean depends on the type.
const (
	endStream  = 0x01 // of DATA and HEADERS
	ack        = 0x01 // of SETTINGS and PING
	endHeaders = 0x04 // of HEADERS, PUSH_PROMISE and CONTINUATION
	padded     = 0x08 // of DATA, HEADERS and PUSH_PROMISE
	withWeight = 0x20 // of HEADERS: stream dependency and weight come first
)

const (
	headSize    = 9 // of a frame: RFC 9113 §4.1
	weightSize  = 5 // dependency and weight: RFC 9113 §6.2
	resetSize   = 4
	settingSize = 6
	pingSize    = 8
	goAwaySize  = 8 // without what is said for debugging
	updateSize  = 4
	// leastFrameLimit is what every receiver takes, and greatestFrame what a head can say (RFC 9113
	// §4.2).
	leastFrameLimit = 1 << 14
	greatestFrame   = 1<<24 - 1
)

// head is the head of a frame.
type head struct {
	length uint32 // of the payload
	stream uint32 // 0: the connection
	kind   kind
	flags  uint8
}

// parseHead reads the head that data begins with: at least headSize octets.
func parseHead(data []byte) head {
	return head{
		length: uint32(data[0])<<16 | uint32(data[1])<<8 | uint32(data[2]),
		kind:   kind(data[3]),
		flags:  data[4],
		stream: binary.BigEndian.Uint32(data[5:]) &^ (1 << 31),
	}
}

// has reports whether a flag is set.
func (h *head) has(flag uint8) bool { return h.flags&flag != 0 }

// ofStream reports whether the frame belongs to a stream's exchange: all others are the
// connection's, or tell of a stream and carry nothing of it.
func (h *head) ofStream() bool {
	switch h.kind {
	case dataFrame, headersFrame, promiseFrame, continuationFrame:
		return true
	}
	return false
}

// fits reports whether stream number and length are such as the type allows (RFC 9113 §6). Of a
// type that is not known anything is allowed.
func (h *head) fits() bool {
	n := h.length
	switch h.kind {
	case dataFrame, headersFrame, promiseFrame, continuationFrame:
		return h.stream != 0 && n >= h.prefix()
	case priorityFrame:
		return h.stream != 0 && n == weightSize
	case resetFrame:
		return h.stream != 0 && n == resetSize
	case settingsFrame:
		return h.stream == 0 && n%settingSize == 0 && (n == 0 || !h.has(ack))
	case pingFrame:
		return h.stream == 0 && n == pingSize
	case goAwayFrame:
		return h.stream == 0 && n >= goAwaySize
	case updateFrame:
		return n == updateSize
	case priorityUpdateFrame:
		return h.stream == 0 && n >= streamSize
	}
	return true
}

// prefix is how many octets stand before data, a header block or its promise.
func (h *head) prefix() (n uint32) {
	if h.has(padded) && h.kind != continuationFrame {
		n++
	}
	if h.kind == headersFrame && h.has(withWeight) {
		n += weightSize
	}
	if h.kind == promiseFrame {
		n += 4
	}
	return n
}

// flagsOf are the flags that each type has.
func (k kind) flagsOf() uint8 {
	switch k {
	case dataFrame:
		return endStream | padded
	case headersFrame:
		return endStream | endHeaders | padded | withWeight
	case settingsFrame, pingFrame:
		return ack
	case promiseFrame:
		return endHeaders | padded
	case continuationFrame:
		return endHeaders
	}
	return 0
}

// frames reads one direction's octets as frames. It is given them piece by piece, and any split
// gives the same frames.
type frames struct {
	raw  [headSize]byte
	have int // octets of the head so far; headSize: those after it are the payload
	head head
	left int64  // octets of the payload that are still to come
	kept []byte // the payload, as far as it is needed
	// octets that are needed are missing from the capture, or are more than are ever kept
	broken bool
	// of the head's first octet: its offset and how it came
	from  int64
	began exchange.Arrival
}

// between reports whether the next octet begins a frame.
func (f *frames) between() bool { return f.have == 0 }

// inPayload reports whether the head is known, and the payload is not over.
func (f *frames) inPayload() bool { return f.have == headSize }

// takeHead takes octets of a head, the first of which is at off, and tells how many. Afterwards the
// head may be known.
func (f *frames) takeHead(off int64, data []byte, a *exchange.Arrival) int {
	if f.between() {
		f.from, f.began = off, *a
	}
	n := copy(f.raw[f.have:], data)
	f.have += n
	if f.have == headSize {
		f.begin(parseHead(f.raw[:]))
	}
	return n
}

// begin makes h the frame in hand.
func (f *frames) begin(h head) {
	f.have, f.head, f.left = headSize, h, int64(h.length)
	f.kept, f.broken = f.kept[:0], false
}

// most is how much is kept of a payload at most.
func (h *head) most() int64 {
	const someSettings = 128 * settingSize
	switch h.kind {
	case headersFrame, continuationFrame, promiseFrame:
		return maxBlock
	case resetFrame, updateFrame, pingFrame:
		return pingSize
	case goAwayFrame:
		return goAwaySize + maxDebugText
	case settingsFrame:
		return someSettings
	case priorityUpdateFrame:
		return maxWish
	case dataFrame:
		return int64(h.prefix())
	}
	return 0
}

// needed is how many of the octets that come next have to be kept.
func (f *frames) needed() int64 {
	return min(f.left, max(f.head.most()-int64(len(f.kept)), 0))
}

// keep keeps those of data, the next octets of the payload, that are needed.
func (f *frames) keep(data []byte) {
	if n := min(f.needed(), int64(len(data))); n > 0 && !f.broken {
		f.kept = append(f.kept, data[:n]...)
	}
}

// miss notes that n octets of the payload have no content.
func (f *frames) miss() {
	if f.needed() > 0 {
		f.broken = true
	}
}

// end makes room for the next frame; a buffer that grew for an unusual one is not kept.
func (f *frames) end() {
	f.have = 0
	if cap(f.kept) > 4<<10 {
		f.kept = nil
	}
}

// unpadded is what the payload of HEADERS, CONTINUATION or PUSH_PROMISE holds of a header block,
// nil and false if its padding is longer than that (RFC 9113 §6.1).
func (f *frames) unpadded() ([]byte, bool) {
	p, h := f.kept, &f.head
	pad := 0
	if h.has(padded) && h.kind != continuationFrame {
		pad = int(p[0])
	}
	p = p[h.prefix():]
	if pad > len(p) {
		return nil, false
	}
	return p[:len(p)-pad], true
}
