package redact

import "encoding/binary"

// The client preface of HTTP/2 (RFC 9113 §3.4), and how it begins.
const (
	preface       = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	prefaceStart  = "PRI * HTTP/2"
	frameHeader   = 9
	h2GoAwayLeast = 8
	maxH2Frame    = 1 << 20
)

// The types of frames that are shown in part, and flags (RFC 9113 §6).
const (
	h2Data         = 0
	h2Ping         = 6
	h2Headers      = 1
	h2Priority     = 2
	h2Reset        = 3
	h2Settings     = 4
	h2Promise      = 5
	h2GoAway       = 7
	h2Update       = 8
	h2Continuation = 9
	h2EndHeaders   = 0x4
	h2Padded       = 0x8
	h2Prioritised  = 0x20
)

// h2State is what is known of one direction of a connection of HTTP/2.
type h2State struct {
	client bool
	begun  bool // the preface is over
	kind   byte
	flags  byte
	table  fieldTable
	block  []byte // of fields, as far as it has come
	parts  []part // where it stands
}

// part is where a part of a block of fields stands.
type part struct {
	seq  uint32
	size int
}

// debugWord is what gRPC says with the GOAWAY by which it ends a connection with too many PINGs.
const debugWord = "too_many_pings"

// need is how long what comes next is.
func (h *h2State) need() int {
	if h.client && !h.begun {
		return len(preface)
	}
	return frameHeader
}

// shown reports whether something of the frame's content is shown.
func (h *h2State) shown() bool {
	switch h.kind {
	case h2Headers, h2Priority, h2Reset, h2Settings, h2GoAway, h2Update, h2Continuation, h2Promise:
		return true
	}
	return false
}

// isSettings reports whether data begins with the SETTINGS of a server.
func isSettings(data []byte) bool {
	return len(data) >= frameHeader && data[0] == 0 && data[1] == 0 && data[2]%6 == 0 &&
		data[3] == h2Settings && data[4] <= 1 && binary.BigEndian.Uint32(data[5:]) == 0
}

// h2Frame shows the header of a frame.
func (r *reader) h2Frame(seq uint32, octets []byte) {
	h := &r.h2
	if !h.begun && h.client {
		h.begun = true
		if string(octets) != preface {
			r.lost()
			return
		}
		r.show(seq, octets)
		return
	}
	r.left = int(binary.BigEndian.Uint32(octets) >> 8)
	if r.left > maxH2Frame {
		r.lost()
		return
	}
	r.show(seq, octets)
	h.kind, h.flags = octets[3], octets[4]
	switch {
	case r.left == 0:
	case h.shown():
		r.state = block
	case h.kind == h2Data && h.table.rpc && h.flags&h2Padded == 0:
		r.state = message
	default:
		r.state, r.after = body, frame
	}
}

// messagePrefix is how long what stands before each message of gRPC is: whether it is compressed,
// and its length.
const messagePrefix = 5

// h2Message shows the prefix of a message, if that is what a frame begins with.
func (r *reader) h2Message(seq uint32, octets []byte) {
	r.left -= len(octets)
	r.state, r.after = body, frame
	if r.left == 0 {
		r.state = frame
	}
	if len(octets) == messagePrefix && octets[0] <= 1 {
		if size := int(binary.BigEndian.Uint32(octets[1:])); size == r.left ||
			size > r.left && size <= maxH2Frame {
			r.show(seq, octets)
		}
	}
}

// isFrame reports whether data begins with a frame of HTTP/2, by the lengths that frames have.
func isFrame(data []byte) bool {
	const usualFrame = 1 << 14
	if len(data) < frameHeader || data[5]&0x80 != 0 {
		return false
	}
	size := int(binary.BigEndian.Uint32(data) >> 8)
	switch data[3] {
	case h2Data, h2Headers, h2Continuation, h2GoAway, h2Promise:
		return size <= usualFrame && data[4]&^0x2d == 0
	case h2Reset, h2Update:
		return size == 4 && data[4] == 0
	case h2Priority:
		return size == 5
	case h2Settings:
		return size%6 == 0 && size <= usualFrame && data[4] <= 1
	case h2Ping:
		return size == 8 && data[4] <= 1
	}
	return false
}

// h2Block shows what may be shown of the content of a frame.
func (r *reader) h2Block(seq uint32, octets []byte) {
	r.state = frame
	switch h := &r.h2; h.kind {
	case h2Priority, h2Reset, h2Settings, h2Update:
		r.show(seq, octets)
	case h2GoAway:
		fixed := min(len(octets), h2GoAwayLeast)
		r.show(seq, octets[:fixed])
		if text := octets[fixed:]; string(text) == debugWord {
			r.show(seq+h2GoAwayLeast, text)
		}
	case h2Headers, h2Continuation, h2Promise:
		from, to := h.fragment(octets)
		r.show(seq, octets[:from])
		h.block = append(h.block, octets[from:to]...)
		h.parts = append(h.parts, part{seq + uint32(from), to - from})
		if h.flags&h2EndHeaders != 0 || len(h.block) > maxH2Frame {
			r.h2Fields()
		}
	}
}

// fragment is where the fields stand in the content of a frame: behind the length of its padding,
// its priority, and the stream that it promises, and before the padding.
func (h *h2State) fragment(octets []byte) (from, to int) {
	to = len(octets)
	if h.flags&h2Padded != 0 && h.kind != h2Continuation {
		from, to = 1, max(1, to-int(octets[0]))
	}
	switch {
	case h.kind == h2Promise:
		from += 4
	case h.kind == h2Headers && h.flags&h2Prioritised != 0:
		from += 5
	}
	from = min(from, len(octets))
	return from, max(to, from)
}

// h2Fields shows a block of fields, in the frames that it came in.
func (r *reader) h2Fields() {
	h := &r.h2
	shown := h.table.block(r.words, h.block)
	for _, p := range h.parts {
		r.show(p.seq, shown[:p.size])
		shown = shown[p.size:]
	}
	h.block, h.parts = h.block[:0], h.parts[:0]
}
