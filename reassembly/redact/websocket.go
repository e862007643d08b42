package redact

import "encoding/binary"

// The head of a frame of a WebSocket (RFC 6455 §5.2).
const (
	wsLeast   = 2
	wsMasked  = 0x80
	wsMask    = 4
	wsClose   = 8
	wsCode    = 2
	wsShort   = 125
	wsMedium  = 126
	wsLongest = 1 << 30
)

// wsNeed is how long the head of a frame is, by as much of it as there is.
func wsNeed(head []byte) int {
	if len(head) < wsLeast {
		return wsLeast
	}
	n := wsLeast + wsLength(head[1])
	if head[1]&wsMasked != 0 {
		n += wsMask
	}
	return n
}

// wsLength is how many octets tell the length behind the second octet.
func wsLength(second byte) int {
	switch length := second &^ wsMasked; {
	case length <= wsShort:
		return 0
	case length == wsMedium:
		return 2
	}
	return 8
}

// wsHead shows the head of a frame, but for the mask.
func (r *reader) wsHead(seq uint32, octets []byte) {
	if len(octets) < wsNeed(octets) {
		// the second octet has told that more follows
		r.buffer = append(r.buffer[:0], octets...)
		r.seq = seq
		return
	}
	size := wsLength(octets[1])
	length := uint64(octets[1] &^ wsMasked)
	switch size {
	case 2:
		length = uint64(binary.BigEndian.Uint16(octets[wsLeast:]))
	case 8:
		length = binary.BigEndian.Uint64(octets[wsLeast:])
	}
	if length > wsLongest {
		r.lost()
		return
	}
	r.show(seq, octets[:wsLeast+size])
	r.mask = [wsMask]byte{}
	if octets[1]&wsMasked != 0 {
		copy(r.mask[:], octets[wsLeast+size:])
	}
	r.left = int(length)
	switch {
	case r.left == 0:
	case octets[0]&0x0f == wsClose:
		r.state = closing
	default:
		r.state, r.after = body, webSocket
	}
}

// wsClosing shows why a side closes, with a mask of zeros.
func (r *reader) wsClosing(seq uint32, octets []byte) {
	r.state = webSocket
	if len(octets) < wsCode {
		return
	}
	r.show(seq, []byte{octets[0] ^ r.mask[0], octets[1] ^ r.mask[1]})
}
