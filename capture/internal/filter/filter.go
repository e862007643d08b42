// Package filter chooses segments by conditions in the words of pcap-filter(7), and writes a
// program for the kernel that leaves out what could not meet one.
package filter

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"tcpwhy/capture/segment"
)

// Filter chooses segments by a condition in the words of pcap-filter(7). It judges what was
// decoded, so it works inside tags and tunnels, and an ICMP error is judged by the segment that it
// quotes.
type Filter struct {
	test predicate // nil matches everything
}

// predicate is a condition, or a part of one.
type predicate func(vlans []uint16, seg *segment.Segment) bool

// Match reports whether a segment inside of the given VLANs is to be handed out.
func (f *Filter) Match(seg *segment.Segment, vlans []uint16) bool {
	return f.test == nil || f.test(vlans, seg)
}

// direction says which end of a segment a condition is about.
type direction uint8

const (
	eitherEnd direction = iota // "src or dst", and when nothing is said
	bothEnds                   // "src and dst"
	fromEnd
	toEnd
)

// ends applies a condition on one end to a segment.
func (d direction) ends(one func(netip.AddrPort) bool) predicate {
	switch d {
	case fromEnd:
		return func(_ []uint16, s *segment.Segment) bool { return one(s.Src) }
	case toEnd:
		return func(_ []uint16, s *segment.Segment) bool { return one(s.Dst) }
	case bothEnds:
		return func(_ []uint16, s *segment.Segment) bool { return one(s.Src) && one(s.Dst) }
	}
	return func(_ []uint16, s *segment.Segment) bool { return one(s.Src) || one(s.Dst) }
}

func never([]uint16, *segment.Segment) bool             { return false }
func always([]uint16, *segment.Segment) bool            { return true }
func overIPv4(_ []uint16, s *segment.Segment) bool      { return s.Src.Addr().Is4() }
func overIPv6(_ []uint16, s *segment.Segment) bool      { return s.Src.Addr().Is6() }
func inAnyVLAN(vlans []uint16, _ *segment.Segment) bool { return len(vlans) > 0 }

// inVLANNumber is true inside a VLAN with the given number, whichever of several tags has it.
func inVLANNumber(number uint16) predicate {
	return func(vlans []uint16, _ *segment.Segment) bool { return slices.Contains(vlans, number) }
}

func (p predicate) not() predicate {
	return func(v []uint16, s *segment.Segment) bool { return !p(v, s) }
}

func (p predicate) and(q predicate) predicate {
	return func(v []uint16, s *segment.Segment) bool { return p(v, s) && q(v, s) }
}

func (p predicate) or(q predicate) predicate {
	return func(v []uint16, s *segment.Segment) bool { return p(v, s) || q(v, s) }
}

// portBetween is true for an end with a port from low to high.
func portBetween(low, high uint16) func(netip.AddrPort) bool {
	return func(end netip.AddrPort) bool { return low <= end.Port() && end.Port() <= high }
}

// addr4In is true for an IPv4 end whose address has the given bits under the mask.
func addr4In(bits, mask uint32) func(netip.AddrPort) bool {
	return func(end netip.AddrPort) bool {
		if !end.Addr().Is4() {
			return false
		}
		octets := end.Addr().As4()
		return binary.BigEndian.Uint32(octets[:])&mask == bits
	}
}

// addr6In is true for an IPv6 end within the prefix.
func addr6In(prefix netip.Prefix) func(netip.AddrPort) bool {
	return func(end netip.AddrPort) bool { return prefix.Contains(end.Addr()) }
}
