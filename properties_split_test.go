package main

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"path"
	"slices"
	"testing"
	"time"

	"tcpwhy/capture"
)

// TestPieces: segments that a host left to its card to cut, seen as the path sees them, change no
// verdict (property 9).
func TestPieces(t *testing.T) {
	t.Parallel()
	corpus(t, func(t *testing.T, tr trace, _ uint64) {
		if toldByPieces[path.Base(t.Name())] != "" {
			return
		}
		pieces := tr.pieces()
		if len(pieces.packets) == len(tr.packets) {
			return
		}
		want, got := analyseData(t, tr.pcap(t, true)), analyseData(t, pieces.pcap(t, true))
		sameFaults(t, "in pieces", got, want, time.Millisecond)
		nearTimes(t, got, want, 2*time.Millisecond)
	})
}

// pieces cuts segments longer than their receiver's maximum segment size into full ones, which
// follow each other without a pause.
func (tr trace) pieces() trace {
	most := map[[2]netip.AddrPort]int{} // by receiver and sender
	out := trace{link: tr.link}
	for _, p := range tr.packets {
		h, ok := p.headers(tr.link)
		const odd = capture.SYN | capture.FIN | capture.RST
		if !ok || h.v6 || h.flags()&odd != 0 || len(h.tcp) != h.head()+h.data || !bytes.HasSuffix(p.data, h.tcp) {
			if ok && h.flags().Has(capture.SYN) {
				most[[2]netip.AddrPort{h.src(), h.dst()}] = h.mss()
			}
			out.packets = append(out.packets, p)
			continue
		}
		size := h.data
		if mss := most[[2]netip.AddrPort{h.dst(), h.src()}]; mss > 100 {
			size = min(size, mss-(h.head()-20)) // options take their part
		}
		for off := 0; off == 0 || off < h.data; off += max(1, size) {
			out.packets = append(out.packets, p.piece(tr.link, off, min(size, h.data-off)))
		}
	}
	return out
}

// head is how long the TCP header is.
func (h *headers) head() int { return int(h.tcp[12]>>4) * 4 }

// mss is the maximum segment size that a SYN announces, 0 if it does not.
func (h *headers) mss() int {
	for o := h.tcp[20:min(h.head(), len(h.tcp))]; len(o) > 3 && o[0] != 0; {
		switch {
		case o[0] == 1:
			o = o[1:]
		case o[0] == 2:
			return int(binary.BigEndian.Uint16(o[2:]))
		case o[1] < 2 || int(o[1]) > len(o):
			return 0
		default:
			o = o[o[1]:]
		}
	}
	return 0
}

// piece is the part of an IPv4 segment's data that begins at off, as a segment.
func (p *packet) piece(link uint16, off, n int) packet {
	q := packet{at: p.at, data: slices.Clone(p.data)}
	h, _ := q.headers(link)
	more := h.data - off - n
	copy(h.tcp[h.head():], h.tcp[h.head()+off:h.head()+off+n])
	q.data = q.data[:len(q.data)-h.data+n]
	q.wire = p.wire - h.data + n
	binary.BigEndian.PutUint16(h.ip[2:], uint16(len(h.ip)+h.head()+n))
	h.sealIP()
	h, _ = q.headers(link)
	binary.BigEndian.PutUint32(h.tcp[4:], h.get32(4)+uint32(off))
	if more > 0 {
		h.tcp[13] &^= byte(capture.PSH)
	}
	h.sealTCP()
	return q
}

// sealTCP sets the checksum of TCP over IPv4.
func (h *headers) sealTCP() {
	h.tcp[16], h.tcp[17] = 0, 0
	pseudo := append(slices.Clone(h.ip[12:20]), h.tcp...)
	binary.BigEndian.PutUint16(h.tcp[16:], checksum(pseudo, uint32(6+len(h.tcp))))
}
