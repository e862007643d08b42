package decode

import (
	"encoding/binary"

	"tcpwhy/capture/internal/frame"
	"tcpwhy/capture/segment"
)

// This file decodes the pseudo link layers that capturing hosts make up.

// Packet types of Linux cooked captures (LINKTYPE_LINUX_SLL), as in the kernel's PACKET_ constants.
const (
	cookedToUs      = 0
	cookedBroadcast = 1
	cookedMulticast = 2
	cookedOutgoing  = 4
)

// cookedLLC is the protocol number of IEEE 802.2 frames in cooked captures.
const cookedLLC = 4

// cooked decodes a Linux cooked capture, version 1: the "any" device, and links without a header of
// their own.
func (d *Decoder) cooked(p []byte, wire int) Outcome {
	const header = 16
	if len(p) < header {
		return cut(p, wire)
	}
	d.note(PartCooked, p, header)
	d.cookedSide(be16(p))
	return d.cookedProtocol(be16(p[14:]), p[header:], wire-header)
}

// cooked2 decodes version 2, whose header names the interface.
func (d *Decoder) cooked2(p []byte, wire int) Outcome {
	const header = 20
	if len(p) < header {
		return cut(p, wire)
	}
	d.note(PartCooked2, p, header)
	d.at.seg.Device = be32(p[4:])
	d.cookedSide(uint16(p[10]))
	return d.cookedProtocol(be16(p), p[header:], wire-header)
}

// cookedSide notes who sent the frame. Type 3 is a frame between two other hosts.
func (d *Decoder) cookedSide(packetType uint16) {
	switch packetType {
	case cookedToUs, cookedBroadcast, cookedMulticast:
		d.at.side = segment.Incoming
	case cookedOutgoing:
		d.at.side = segment.Outgoing
	}
}

func (d *Decoder) cookedProtocol(protocol uint16, p []byte, wire int) Outcome {
	if protocol > etherMaxLen {
		return d.etherType(protocol, p, wire)
	}
	if protocol == cookedLLC {
		return d.llc(p, wire, wire)
	}
	return NotIP
}

// null decodes BSD loopback headers: the address family, in the byte order of the host that
// captured (NULL) or of the network (LOOP).
func (d *Decoder) null(p []byte, wire int) Outcome {
	const header = 4
	if len(p) < header {
		return cut(p, wire)
	}
	d.note(PartFixed, p, header)
	family := be32(p)
	if family > 0xffff {
		family = binary.LittleEndian.Uint32(p)
	}
	switch family {
	case 2: // AF_INET everywhere
		return d.ipv4(p[header:], wire-header)
	case 10, 24, 28, 30: // AF_INET6 of Linux; NetBSD and OpenBSD; FreeBSD; macOS
		return d.ipv6(p[header:], wire-header)
	}
	return NotIP
}

// nflog decodes a Linux netfilter log message: a list of attributes, one of which is the IP packet.
// Its lengths are in the byte order of the host that captured.
func (d *Decoder) nflog(p []byte, wire int) Outcome {
	const header, attribute, payload = 4, 4, 9
	if len(p) < header {
		return cut(p, wire)
	}
	d.note(PartFixed, p, header)
	p, wire = p[header:], wire-header
	for len(p) >= attribute {
		size, kind := hostOrder(p, wire)
		if size < attribute || size > wire {
			return Malformed
		}
		d.note(PartFixed, p, attribute)
		if kind == payload {
			return d.ip(p[attribute:min(size, len(p))], size-attribute)
		}
		size = (size + 3) &^ 3 // attributes are aligned
		if size >= len(p) {
			break
		}
		p, wire = p[size:], wire-size
	}
	if len(p) < wire {
		return Short
	}
	return NotIP
}

// hostOrder reads the length and type of an attribute in whichever byte order makes the length
// possible.
func hostOrder(p []byte, room int) (size, kind int) {
	size, kind = int(binary.LittleEndian.Uint16(p)), int(binary.LittleEndian.Uint16(p[2:]))
	// Types are small numbers, so a type whose low octet is zero was written the other way round.
	if size > room || kind&0xff == 0 && kind != 0 {
		return int(be16(p)), int(be16(p[2:]))
	}
	return size, kind
}

// pktap decodes Apple's header, which names the link type of what follows. It is little-endian.
func (d *Decoder) pktap(p []byte, wire int) Outcome {
	const minimum, maximum = 12, 1 << 10
	if len(p) < minimum {
		return cut(p, wire)
	}
	length := binary.LittleEndian.Uint32(p)
	if length < minimum || length > maximum {
		return Malformed
	}
	if len(p) < int(length) {
		return cut(p, wire)
	}
	inner := binary.LittleEndian.Uint32(p[8:])
	if inner > 0xffff || frame.LinkType(inner) == frame.LinkPktap {
		return Malformed
	}
	d.note(PartFixed, p, minimum)
	return d.link(frame.LinkType(inner), p[length:], wire-int(length))
}
