package reassembly

import "tcpwhy/capture"

// How much data a full wire segment of one side carries: the lesser MSS option of the two, as each
// side is bound by its own link, too, less the options that every segment carries (RFC 6691 §2),
// or, without a handshake, what the sizes of its segments show.

const (
	// tsOption is what timestamps take from each segment: 10 octets and two of padding (RFC 7323
	// appendix A).
	tsOption = 12
	// optionSlack is how much smaller a full segment may be because of SACK blocks (RFC 2018 §3: up
	// to 4 × 8 + 2, and padding).
	optionSlack = 40
	// minEff is the least effective MSS believed: 536 (RFC 9293 §3.7.1) less all options.
	minEff = 536 - optionSlack
	// headers4 and headers6 are IP and TCP headers without options.
	headers4, headers6 = 40, 60
	// smallerRun is how many unpushed segments of one smaller size in a row show that the path's
	// MTU has dropped.
	smallerRun = 16
)

// wireSizes are what full segments usually carry, most common first: Ethernet with and without
// timestamps over IPv4 and IPv6, common tunnels, jumbo frames. They unfold offloaded segments when
// there was no handshake.
var wireSizes = [...]uint32{
	1448,
	1460,
	1428,
	1440,
	1400,
	1388,
	1380,
	1368,
	1408,
	1420,
	1412,
	1348,
	8948,
	8960,
	8928,
}

// sizes watches the payload sizes of one side.
type sizes struct {
	size uint32 // of the latest unpushed segment, or of what was merged or offloaded in it
	run  uint16 // how many in a row had it
	near uint32 // of the latest segment that was nearly full, though a write ended with it; or 0
	best uint16 // longest run of the size that is believed now
}

// effOf is what a side may put into a segment by the options of both (RFC 6691); 0 if the peer's
// SYN was not seen.
func effOf(own, peer *Half, v6 bool) uint32 {
	if !peer.HasISN {
		return 0
	}
	eff := uint32(peer.MSS)
	if eff == 0 { // RFC 9293 §3.7.1: the defaults when the option is absent
		eff = 536
		if v6 {
			eff = 1220
		}
	}
	if own.MSS > 0 {
		eff = min(eff, uint32(own.MSS)) // it says what its own link carries, too
	}
	if own.TSOK && peer.TSOK && eff > tsOption {
		eff -= tsOption
	}
	return eff
}

// observe learns from a data segment. Only unpushed ones count: PSH marks the end of a write, whose
// last segment may have any size.
func (z *sizes) observe(h *Half, n uint32, flags capture.TCPFlags) {
	h.Largest = max(h.Largest, n)
	if !guessable(n, flags) {
		z.ended(n, h.Eff)
		return
	}
	z.near = 0
	z.repeat(n)
	switch {
	case h.Eff == 0:
		h.Eff, z.best = unfold(n), 1
	case z.size < h.Eff && nearly(z.size, h.Eff):
		// A full segment with SACK blocks.
	case z.size < h.Eff && z.run >= smallerRun:
		h.Eff, z.best = z.size, z.run
	case n > h.Eff && n <= 1500 && n%h.Eff != 0 && uint32(h.MSS) <= h.Eff+tsOption:
		h.Eff = n // it sends more than it wants to get
	case z.best != 0 && n <= 1500 && n > h.Eff:
		h.Eff = n // the guess was too small, as the segment was not offloaded
	}
}

// repeat counts an unpushed segment of n octets: how many in a row had one size. Where segments
// come merged, or leave for a network card to cut, n is a multiple of that.
func (z *sizes) repeat(n uint32) {
	switch {
	case z.size > 0 && n%z.size == 0:
		n /= z.size
	case z.size > 0 && z.size%n == 0:
		z.size, n = n, 1
	default:
		z.size, z.run, n = n, 0, 1
	}
	z.run = uint16(min(uint32(z.run)+n, 1<<16-1))
}

// ended takes note of a segment of n octets with which a write ended.
func (z *sizes) ended(n, eff uint32) {
	switch {
	case n == 0 || eff == 0:
	case n >= eff:
		z.near = 0 // it has a full one
	case nearly(n, eff):
		z.near = n
	}
}

// guessable reports whether a segment is full for all that is known where no handshake shows what
// that means: the first such one is the guess.
func guessable(n uint32, flags capture.TCPFlags) bool {
	return flags&capture.PSH == 0 && n >= minEff
}

// unfold is the wire size of a segment that may be offloaded.
func unfold(n uint32) uint32 {
	if n <= 1460 {
		return n
	}
	for _, w := range wireSizes {
		if n%w == 0 {
			return w
		}
	}
	return wireSizes[0]
}

// tell takes what an ICMP error says of a segment that h sent: the next hop's MTU (RFC 1191, RFC
// 8201). Whether the sender heeds it shows in what it sends.
func (h *Half) tell(at capture.Mark, mtu uint32, v6 bool) {
	t := &h.TooBig
	t.Count++
	if t.Count == 1 {
		t.At = at
	}
	over := uint32(headers4)
	if v6 {
		over = headers6
	}
	if h.TSOK {
		over += tsOption
	}
	if mtu > over && (t.MTU == 0 || mtu < t.MTU) {
		t.MTU, t.Payload = mtu, mtu-over
	}
}

// heed lowers the effective MSS of a side that was told of a smaller path, once it sends segments
// that just fit through, be they joined by offload; with SACK blocks they are smaller, but do not
// end a write.
func (h *Half) heed(n uint32, flags capture.TCPFlags) {
	told := h.TooBig.Payload
	if told == 0 || told >= h.Eff || n == 0 || n%h.Eff == 0 {
		return
	}
	if n%told == 0 || flags&capture.PSH == 0 && n < told && nearly(n, told) {
		h.Eff = told
	}
}

// nearly reports whether a segment of n octets lacks no more of a full one than SACK blocks take; a
// full one does not lack anything, and n is 0 then, too, where it is what remains of a multiple.
func nearly(n, eff uint32) bool { return n == 0 || n+optionSlack >= eff }

// full reports whether the last wire segment of seg, whose sender's effective MSS is eff, is full.
// The end of a write may be nearly so by accident: it is full only if it carries SACK blocks, or
// has the size of those that end none, or of the one before where all end one.
func (z *sizes) full(seg *capture.Segment, eff uint32) bool {
	n := seg.Len
	switch {
	case eff == 0:
		return guessable(n, seg.Flags)
	case n == 0:
		return false
	case n%eff == 0, z.size > 0 && n%z.size == 0 && nearly(z.size, eff):
		return true
	case !nearly(n%eff, eff):
		return false
	}
	return seg.Flags&capture.PSH == 0 || seg.NSACK > 0 || n == z.near ||
		seg.Options.Has(capture.CutOptions)
}
