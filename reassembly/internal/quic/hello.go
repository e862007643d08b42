package quic

import "strings"

const (
	// maxHello caps the octets of a ClientHello that are kept: with post-quantum key shares it has
	// 1.8 KB.
	maxHello = 8 << 10
	maxName  = 255
	maxALPN  = 32
)

// hello is a ClientHello out of CRYPTO frames, which may come in any order, over several packets.
type hello struct {
	octets []byte
	have   []span
	read   bool // what it says is known, or will not be
	name   string
	alpn   string
}

// span is a stretch of octets that are there.
type span struct{ from, to int }

// maxSpans caps the stretches of a hello that lie apart.
const maxSpans = 32

// frames reads the frames of an Initial packet (RFC 9000 §12.4): PADDING, PING, ACK and CRYPTO.
func (h *hello) frames(p []byte) {
	const padding, ping, ack, ackECN, crypto = 0, 1, 2, 3, 6
	r := reader{b: p}
	for len(r.b) > 0 && !r.bad {
		switch kind := r.uint8(); kind {
		case padding, ping:
		case ack, ackECN:
			acked(&r, kind == ackECN)
		case crypto:
			from := r.varint()
			data := r.take(r.varint())
			if !r.bad {
				h.add(from, data)
			}
		default:
			return
		}
	}
}

// acked passes over an ACK frame (RFC 9000 §19.3).
func acked(r *reader, ecn bool) {
	r.varint()
	r.varint()
	n := r.varint()
	r.varint()
	for range max(0, n) {
		if r.bad {
			return
		}
		r.varint()
		r.varint()
	}
	if ecn {
		r.varint()
		r.varint()
		r.varint()
	}
}

// add takes octets of the hello, and reads it once it is whole.
func (h *hello) add(from int, data []byte) {
	to := from + len(data)
	if h.read || from < 0 || to > maxHello || len(h.have) >= maxSpans {
		return
	}
	for len(h.octets) < to {
		h.octets = append(h.octets, make([]byte, to-len(h.octets))...)
	}
	copy(h.octets[from:], data)
	h.have = append(h.have, span{from, to})
	const head = 4
	whole := h.whole()
	if whole < head {
		return
	}
	size := head + (int(h.octets[1])<<16 | int(h.octets[2])<<8 | int(h.octets[3]))
	if whole < size {
		return
	}
	h.parse(h.octets[head:size])
	*h = hello{read: true, name: h.name, alpn: h.alpn}
}

// whole is how many octets from the beginning are there.
func (h *hello) whole() int {
	n := 0
	for range h.have {
		for _, s := range h.have {
			if s.from <= n {
				n = max(n, s.to)
			}
		}
	}
	return n
}

// parse reads the name and the first protocol of a ClientHello (RFC 8446 §4.1.2).
func (h *hello) parse(body []byte) {
	const version, random, serverName, alpn = 2, 32, 0, 16
	r := reader{b: body}
	r.take(version + random)
	r.take(r.uint8())
	r.take(r.uint16())
	r.take(r.uint8())
	exts := reader{b: r.take(r.uint16())}
	for len(exts.b) > 0 && !exts.bad {
		kind := exts.uint16()
		ext := reader{b: exts.take(exts.uint16())}
		ext.uint16() // the length of the list
		switch kind {
		case serverName:
			if ext.uint8() == 0 {
				h.name = clean(ext.take(ext.uint16()), maxName)
			}
		case alpn:
			h.alpn = clean(ext.take(ext.uint8()), maxALPN)
		}
	}
}

// clean is text of the network without what a terminal might act on.
func clean(b []byte, most int) string {
	return strings.Map(func(r rune) rune {
		if r < '!' || r > '~' {
			return -1
		}
		return r
	}, string(b[:min(len(b), most)]))
}
