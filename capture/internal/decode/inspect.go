package decode

import (
	"tcpwhy/capture/internal/header"
	"tcpwhy/capture/segment"
)

// linkState is what was learned about one interface.
type linkState struct {
	verdicts uint16 // TCP checksums judged, up to checksumVerdicts
	mtu      uint32 // octets of IP: the largest that a SYN's MSS option told of
}

// Traits are what is to be told of a segment that its fields do not show.
type Traits struct {
	Tunnels   Tunnels // in which it was found
	Offloaded bool    // it is larger than its link can carry
}

// Inspect looks closer at the segment that was decoded last, one that is to be handed out. It
// learns from it about its interface, and marks it if its checksum is wrong.
func (d *Decoder) Inspect() Traits {
	link := d.linkOf()
	seen := Traits{Tunnels: d.at.tunnels, Offloaded: d.offloaded(link)}
	d.judgeChecksum(link)
	return seen
}

// linkOf is what is known about the frame's interface.
func (d *Decoder) linkOf() *linkState {
	i := int(d.at.frame.Iface)
	for i >= len(d.links) {
		d.links = append(d.links, linkState{})
	}
	return &d.links[i]
}

// ethernetMTU is what a link carries when nothing says that it carries more: octets of IP.
const ethernetMTU = 1500

// offloaded reports whether the segment is larger than its link can carry, which shows that the
// capture saw it before the sending host cut it up, or after the receiving host joined it. The MSS
// that an end offers in a SYN is the proof of a larger MTU (RFC 9293 §3.7.1). Traffic within one
// host has no link.
func (d *Decoder) offloaded(link *linkState) bool {
	at, seg := &d.at, d.at.seg
	if at.ipLen <= ethernetMTU && !seg.Options.Has(segment.HasMSS) {
		return false // as almost every segment: nothing to judge, nothing to learn
	}
	if at.reassembled || at.src.IsLoopback() || at.src == at.dst {
		return false
	}
	if seg.Options.Has(segment.HasMSS) {
		headers := uint32(header.IPv4Size + tcpHeader)
		if at.src.Is6() {
			headers = header.IPv6Size + tcpHeader
		}
		link.mtu = max(link.mtu, uint32(seg.MSS)+headers)
	}
	return at.ipLen > ethernetMTU && at.ipLen > int(link.mtu)
}
