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
	size uint32 // of the latest unpushed segment
	run  uint16 // how many in a row had it
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
		return
	}
	if n != z.size {
		z.size, z.run = n, 0
	}
	if z.run < 1<<16-1 {
		z.run++
	}
	switch {
	case h.Eff == 0:
		h.Eff, z.best = unfold(n), 1
	case n < h.Eff && n >= h.Eff-min(h.Eff, optionSlack):
		// A full segment with SACK blocks.
	case n < h.Eff && z.run >= smallerRun:
		h.Eff, z.best = n, z.run
	case n > h.Eff && n <= 1500 && n%h.Eff != 0 && uint32(h.MSS) <= h.Eff+tsOption:
		h.Eff = n // it sends more than it wants to get
	case z.best != 0 && n <= 1500 && n > h.Eff:
		h.Eff = n // the guess was too small, as the segment was not offloaded
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

// lower takes the next hop's MTU from an ICMP error (RFC 1191, RFC 8201).
func (h *Half) lower(mtu uint32, v6 bool) {
	over := uint32(headers4)
	if v6 {
		over = headers6
	}
	if h.TSOK {
		over += tsOption
	}
	if mtu > over && h.Eff > mtu-over {
		h.Eff = mtu - over
	}
}

// full reports whether the last wire segment of a payload of n octets is full.
func full(n, eff uint32) bool {
	if eff == 0 || n == 0 {
		return false
	}
	rest := n % eff
	return rest == 0 || rest+optionSlack >= eff
}
