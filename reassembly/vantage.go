package reassembly

import "time"

// Where the capture was taken, as one connection shows it: each clue speaks for one host, with a
// weight, and the connection's own round trips speak loudest after direct proof.

const (
	weightProof   = 10 // the capture's own word on which frames this host sent
	weightTrip    = 4  // one leg of the round trip is next to nothing
	weightOffload = 4  // frames larger than any wire segment leave the sending host only
	// checksums that are left to the network card are wrong on the sending host only
	weightChecksum = 4
	weightTTL      = 2 // no router between
	weightDecides  = 3 // least difference that decides

	// nearShare and nearAtMost bound a leg that counts as nothing: a fiftieth of the whole, or a
	// fifth of a millisecond out of more than two.
	nearShare  = 50
	nearAtMost = 200 * time.Microsecond
	farAtLeast = 2 * time.Millisecond
	// localAtMost is a whole round trip that leaves no room for a place between.
	localAtMost = time.Millisecond
	// middleShare is the least part of the round trip on each side that shows a capture on the way.
	middleShare = 10
)

// vantage weighs the clues seen so far.
func (k *track) vantage() Vantage {
	client, server := k.nearness(FromClient), k.nearness(FromServer)
	h := &k.c.Half
	whole := k.roundTrip()
	legs := h[0].RTT.Samples > 0 && h[1].RTT.Samples > 0
	switch {
	case client >= server+weightDecides:
		return ClientSide
	case server >= client+weightDecides:
		return ServerSide
	case legs && whole < localAtMost:
		return SameHost
	case legs && min(h[0].RTT.Min, h[1].RTT.Min) >= whole/middleShare:
		return Middle
	}
	return VantageUnknown
}

// nearness is the weight of what speaks for a capture on the host that sends dir.
func (k *track) nearness(dir Dir) int {
	h, p := &k.c.Half[dir], &k.c.Half[dir.Peer()]
	d, o := &k.side[dir], &k.side[dir.Peer()]
	score := 0
	if d.outgoing > 0 && o.outgoing == 0 || o.incoming > 0 && d.incoming == 0 {
		score += weightProof
	}
	if whole := h.RTT.Min + p.RTT.Min; h.RTT.Samples > 0 && p.RTT.Samples > 0 &&
		whole >= localAtMost {
		if h.RTT.Min <= whole/nearShare || h.RTT.Min < nearAtMost && whole > farAtLeast {
			score += weightTrip
		}
	}
	if h.Segments > 0 && hops(h.TTLMax) == 0 && p.Segments > 0 && hops(p.TTLMax) > 0 {
		score += weightTTL
	}
	if d.badSum > 0 && o.badSum == 0 && d.badSum >= h.Segments/4 {
		score += weightChecksum
	}
	if k.offloads(dir) && !k.offloads(dir.Peer()) {
		score += weightOffload
	}
	return score
}

// offloads reports whether the side was seen to send frames larger than wire segments.
func (k *track) offloads(dir Dir) bool {
	h := &k.c.Half[dir]
	return h.Eff > 0 && h.Largest > h.Eff+h.Eff/10
}

// hops is the least number of routers that a TTL has passed, for the initial values in use: 64
// (Linux, BSD, macOS), 128 (Windows), 255 (routers, Solaris), 32 (old Windows).
func hops(ttl uint8) uint8 {
	switch {
	case ttl <= 32:
		return 32 - ttl
	case ttl <= 64:
		return 64 - ttl
	case ttl <= 128:
		return 128 - ttl
	}
	return 255 - ttl
}
