package decode

import (
	"tcpwhy/capture/internal/frame"
	"tcpwhy/capture/internal/header"
)

// link decodes a frame of any link type.
func (d *Decoder) link(link frame.LinkType, p []byte, wire int) Outcome {
	switch link {
	case frame.LinkEthernet:
		return d.ethernet(p, wire)
	case frame.LinkCooked:
		return d.cooked(p, wire)
	case frame.LinkCooked2:
		return d.cooked2(p, wire)
	case frame.LinkRaw, frame.LinkRawBSD, frame.LinkRawOpenBSD:
		return d.ip(p, wire)
	case frame.LinkIPv4:
		return d.ipv4(p, wire)
	case frame.LinkIPv6:
		return d.ipv6(p, wire)
	case frame.LinkNull, frame.LinkLoop:
		return d.null(p, wire)
	}
	return d.rareLink(link, p, wire)
}

// rareLink decodes the link types of serial lines and of special capture devices.
func (d *Decoder) rareLink(link frame.LinkType, p []byte, wire int) Outcome {
	switch link {
	case frame.LinkPPP:
		return d.ppp(p, wire)
	case frame.LinkPPPSerial:
		return d.pppSerial(p, wire)
	case frame.LinkPPPEther:
		return d.pppoe(p, wire)
	case frame.LinkCiscoHDLC:
		return d.hdlc(p, wire)
	case frame.LinkNFLog:
		return d.nflog(p, wire)
	case frame.LinkPktap:
		return d.pktap(p, wire)
	}
	return UnknownLink
}

// etherMaxLen is up to where the field of an EtherType is a length (IEEE 802.3 §3.2.6).
const etherMaxLen = 1500

// ethernet decodes a frame from its destination address on.
func (d *Decoder) ethernet(p []byte, wire int) Outcome {
	if len(p) < header.EthernetSize {
		return cut(p, wire)
	}
	d.at.hop = hopOf(p)
	d.note(PartEthernet, p, header.EthernetSize)
	return d.etherType(be16(p[12:]), p[header.EthernetSize:], wire-header.EthernetSize)
}

// hopOf stands for the two addresses of an Ethernet frame, whichever sent it: the low octets of
// both, which tell hosts apart, mixed by a product that does not care about order. It is never 0.
func hopOf(p []byte) uint32 {
	return (be32(p[2:])|1)*(be32(p[8:])|1) + be32(p[2:]) + be32(p[8:]) | 1
}

// etherType decodes what follows an EtherType.
func (d *Decoder) etherType(t uint16, p []byte, wire int) Outcome {
	switch t {
	case header.EtherIPv4:
		return d.ipv4(p, wire)
	case header.EtherIPv6:
		return d.ipv6(p, wire)
	case header.EtherVLAN, header.EtherService, header.EtherQinQ:
		return d.vlan(p, wire)
	case header.EtherMPLS, header.EtherMPLSUp:
		return d.mpls(p, wire)
	case header.EtherPPPoE:
		return d.pppoe(p, wire)
	case header.EtherTEB:
		if !d.enter(0) {
			return Malformed
		}
		return d.ethernet(p, wire)
	case header.EtherPPP:
		return d.ppp(p, wire)
	case header.EtherVNTag, header.EtherETag, header.EtherCMD, header.EtherNSH:
		return d.rareTag(t, p, wire)
	}
	if t <= etherMaxLen {
		return d.llc(p, wire, int(t))
	}
	return NotIP
}

// vlan decodes a tag (IEEE 802.1Q) and what it encloses, which may be another tag.
func (d *Decoder) vlan(p []byte, wire int) Outcome {
	if len(p) < header.TagSize {
		return cut(p, wire)
	}
	if !d.enter(inVLAN) {
		return Malformed
	}
	d.note(PartFixed, p, header.TagSize)
	at := &d.at
	if int(at.vlanCount) < len(at.vlans) {
		at.vlans[at.vlanCount] = be16(p) & 0x0fff
		at.vlanCount++
	}
	return d.etherType(be16(p[2:]), p[header.TagSize:], wire-header.TagSize)
}

// rareTag decodes the tags of switches that are one machine in several boxes, or that mark who may
// talk to whom: each is followed by the EtherType of what it encloses.
func (d *Decoder) rareTag(t uint16, p []byte, wire int) Outcome {
	const typeSize, vnTag, eTag, cmdHead, word = 2, 4, 6, 2, 4
	kind, size := inVNTag, vnTag
	switch t {
	case header.EtherNSH:
		return d.nsh(p, wire)
	case header.EtherETag:
		kind, size = inETag, eTag
	case header.EtherCMD:
		if len(p) < cmdHead {
			return cut(p, wire)
		}
		kind, size = inCMD, cmdHead+word*int(p[1]) // version, and a length in words
	}
	if len(p) < size+typeSize {
		return cut(p, wire)
	}
	if !d.enter(kind) {
		return Malformed
	}
	size += typeSize
	d.note(PartFixed, p, size)
	return d.etherType(be16(p[size-typeSize:]), p[size:], wire-size)
}

// llc decodes an IEEE 802.2 header: only SNAP (RFC 1042) and the rare IP service access point carry
// IP.
func (d *Decoder) llc(p []byte, wire, length int) Outcome {
	if length < wire {
		wire = length // the rest is padding
		p = p[:min(len(p), length)]
	}
	d.at.measured = d.at.measured || length == wire
	if len(p) < 3 {
		return cut(p, wire)
	}
	const snap, ipSAP, unnumbered = 0xaa, 0x06, 0x03
	d.note(PartFixed, p, 8)
	if p[0] == ipSAP && p[1] == ipSAP && p[2] == unnumbered {
		return d.ipv4(p[3:], wire-3)
	}
	if p[0] != snap || p[1] != snap || p[2] != unnumbered {
		return NotIP
	}
	if len(p) < 8 {
		return cut(p, wire)
	}
	// 00-00-00 is RFC 1042, 00-00-f8 is IEEE 802.1H; other organizations number their own
	// protocols.
	if p[3] != 0 || p[4] != 0 || p[5] != 0 && p[5] != 0xf8 {
		return NotIP
	}
	if t := be16(p[6:]); t > etherMaxLen && d.enter(0) {
		return d.etherType(t, p[8:], wire-8)
	}
	return NotIP
}
