package decode

import (
	"net/netip"

	"tcpwhy/capture/internal/flow"
	"tcpwhy/capture/internal/header"
)

// maxExtensions is how many extension headers are walked. RFC 8200 §4.1 wants each once,
// destination options twice.
const maxExtensions = 16

// ipv6 decodes an IPv6 header (RFC 8200 §3), its extension headers and what it carries.
func (d *Decoder) ipv6(p []byte, wire int) Outcome {
	if len(p) < header.IPv6Size {
		return cut(p, wire)
	}
	if p[0]>>4 != 6 {
		return Malformed
	}
	next := header.Protocol(p[6])
	payload := int(be16(p[4:]))
	if payload == 0 {
		payload = jumboLength(next, p[header.IPv6Size:], wire-header.IPv6Size)
	}
	if room := wire - header.IPv6Size; payload > room && room >= 0 && d.at.measured {
		payload = room
	}
	if len(p) > header.IPv6Size+payload {
		p = p[:header.IPv6Size+payload]
	}
	d.note(PartIPv6, p, header.IPv6Size)
	at := &d.at
	at.src = netip.AddrFrom16([16]byte(p[8:24]))
	at.dst = netip.AddrFrom16([16]byte(p[24:40]))
	at.ends = flow.Ends{Src: flow.Address6(p[8:]), Dst: flow.Address6(p[24:])}
	at.ipLen, at.ttl, at.measured = header.IPv6Size+payload, p[7], false
	at.ipID, at.hasIPID = 0, false
	if next == header.ProtoTCP {
		return d.tcp(p[header.IPv6Size:], payload)
	}
	return d.ipv6Headers(next, p[header.IPv6Size:], payload)
}

// jumboLength is the payload length of a packet whose header says 0: that of the jumbo payload
// option (RFC 2675 §2), or, as Linux sends BIG TCP to a capture without the option, that of the
// frame.
func jumboLength(next header.Protocol, p []byte, wire int) int {
	if next != header.HopByHop || len(p) < 8 {
		return wire
	}
	const pad1, jumbo = 0x00, 0xc2
	options := p[2:min(len(p), 8*(int(p[1])+1))]
	for len(options) >= 2 {
		if options[0] == pad1 {
			options = options[1:]
			continue
		}
		size := 2 + int(options[1])
		if options[0] == jumbo && size == 6 && len(options) >= size {
			return int(min(be32(options[2:]), 1<<31-1))
		}
		options = options[min(size, len(options)):]
	}
	return wire
}

// ipv6Headers walks extension headers (RFC 8200 §4) up to what the datagram carries.
func (d *Decoder) ipv6Headers(next header.Protocol, p []byte, wire int) Outcome {
	for range maxExtensions {
		unit, base := 8, 1
		switch next {
		case header.HopByHop, header.DestinationOptions, header.Routing, header.Mobility,
			header.HIP, header.Shim6:
		case header.ProtoAH: // RFC 4302 §2.2: counted in 4 octets, less 2
			unit, base = 4, 2
		case header.Fragment:
			return d.ipv6Fragment(p, wire)
		default:
			return d.ipPayload(next, p, wire)
		}
		if len(p) < 8 {
			return cut(p, wire)
		}
		size := unit * (int(p[1]) + base)
		if size > wire {
			return Malformed
		}
		if size > len(p) {
			return Short
		}
		d.note(PartExtension, p, size)
		// With segments left, the checksum is made with the last address of the route (RFC 8200
		// §8.1).
		if next == header.Routing && p[3] != 0 {
			d.at.noChecksum = true
		}
		next, p, wire = header.Protocol(p[0]), p[size:], wire-size
	}
	return Malformed
}

// ipv6Fragment decodes a fragment header (RFC 8200 §4.5). One that stands for the whole datagram is
// an atomic fragment (RFC 6946) and waits for nothing.
func (d *Decoder) ipv6Fragment(p []byte, wire int) Outcome {
	const size = 8
	if len(p) < size {
		return cut(p, wire)
	}
	d.note(PartFragment, p, size)
	next, field := header.Protocol(p[0]), be16(p[2:])
	if field&0xfff9 != 0 {
		return d.fragment(fragmentOf6(&d.at, p, field), p[size:], wire-size)
	}
	if d.at.depth++; d.at.depth > maxDepth {
		return Malformed
	}
	return d.ipv6Headers(next, p[size:], wire-size)
}
