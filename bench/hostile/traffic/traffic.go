// Package traffic makes traffic that is meant to exhaust the memory or the time of whoever follows
// it, segment by segment.
package traffic

import (
	"net/netip"
	"slices"

	"tcpwhy/capture"
)

// Kind is a kind of traffic that nobody sends in earnest.
type Kind struct {
	Name string
	// makes the i-th segment, of one that has a time and is an ACK without data
	Make   func(i int, s *capture.Segment)
	Caveat string // that must be reported, "" for none
}

// All are the kinds.
func All() []Kind {
	return slices.Concat(connections(), streams(), requests(), answers(), multiplexed())
}

// host is the i-th of many addresses.
func host(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
}

// talker fills in who sends.
func talker(s *capture.Segment, client int, fromClient bool) {
	c, server := netip.AddrPortFrom(host(client), 40000), netip.AddrPortFrom(
		netip.AddrFrom4([4]byte{192, 0, 2, 1}),
		80,
	)
	s.Src, s.Dst = c, server
	if !fromClient {
		s.Src, s.Dst = server, c
	}
}

// opening makes the first three segments of a connection whose numbers begin at 0; false after
// those.
func opening(i int, s *capture.Segment) bool {
	talker(s, 1, i != 1)
	switch i {
	case 0:
		s.Flags, s.Seq = capture.SYN, ^uint32(0)
	case 1:
		s.Flags, s.Seq = capture.SYN|capture.ACK, ^uint32(0)
	}
	return i < 3
}

// scramble is a fixed permutation of the numbers below 2^32.
func scramble(i int) uint32 {
	x := uint32(i) * 2654435761
	x ^= x >> 15
	return x * 2246822519
}

const getTiny = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
