package decode

import (
	"net/netip"

	"tcpwhy/capture/internal/flow"
	"tcpwhy/capture/internal/header"
)

// ip decodes IP of the version that its first octet tells.
func (d *Decoder) ip(p []byte, wire int) Outcome {
	if len(p) == 0 {
		return cut(p, wire)
	}
	if p[0]>>4 == 6 {
		return d.ipv6(p, wire)
	}
	return d.ipv4(p, wire)
}

// ipv4 decodes an IPv4 header (RFC 791 §3.1) and what it carries.
func (d *Decoder) ipv4(p []byte, wire int) Outcome {
	if len(p) < header.IPv4Size {
		return cut(p, wire)
	}
	size := int(p[0]&0x0f) * 4
	if p[0]>>4 != 4 || size < header.IPv4Size {
		return Malformed
	}
	total := int(be16(p[2:]))
	if total == 0 {
		// The sending host had not filled it in yet (segmentation offload), or the datagram is too
		// large for the field (BIG TCP). Either way there is no padding, and the frame's length
		// tells.
		total = wire
	}
	if total > wire && d.at.measured {
		// The host pads within the length of IP, but not within that of what encloses it.
		total, d.at.noChecksum = wire, true
	}
	if total < size {
		return Malformed
	}
	if len(p) > total {
		p = p[:total] // the rest is Ethernet padding or a frame check sequence
	}
	if len(p) < size {
		return Short
	}
	d.note(PartIPv4, p, size)
	at := &d.at
	at.src = netip.AddrFrom4([4]byte(p[12:16]))
	at.dst = netip.AddrFrom4([4]byte(p[16:20]))
	at.ends = flow.Ends{Src: flow.Address4(p[12:]), Dst: flow.Address4(p[16:])}
	at.ipLen, at.ttl, at.measured = total, p[8], false
	at.ipID, at.hasIPID = be16(p[4:]), true
	protocol := header.Protocol(p[9])
	if fragment := be16(p[6:]); fragment&0x3fff != 0 { // more fragments, or an offset
		return d.fragment(fragmentOf4(p, fragment), p[size:], total-size)
	}
	if protocol == header.ProtoTCP {
		return d.tcp(p[size:], total-size)
	}
	return d.ipPayload(protocol, p[size:], total-size)
}

// ipPayload decodes what an IP datagram carries, with all its headers before it done.
func (d *Decoder) ipPayload(protocol header.Protocol, p []byte, wire int) Outcome {
	switch protocol {
	case header.ProtoTCP:
		return d.tcp(p, wire)
	case header.ProtoUDP:
		return d.udp(p, wire)
	case header.ProtoICMP4:
		return d.icmp4(p)
	case header.ProtoICMP6:
		return d.icmp6(p)
	case header.ProtoIPv4, header.ProtoIPv6:
		return d.ipInIP(protocol, p, wire)
	case header.ProtoGRE:
		return d.gre(p, wire)
	case header.ProtoEtherIP:
		return d.etherIP(p, wire)
	case header.ProtoMPLS:
		return d.mpls(p, wire)
	case header.ProtoAH:
		if !d.enter(inAH) {
			return Malformed
		}
		return d.ipv6Headers(protocol, p, wire) // it is the same header in IPv4 (RFC 4302 §3.1)
	}
	return OtherIP
}

// ipInIP decodes IP directly in IP (RFC 2003, RFC 4213 §3, RFC 2473).
func (d *Decoder) ipInIP(protocol header.Protocol, p []byte, wire int) Outcome {
	outer4, inner4 := d.at.src.Is4(), protocol == header.ProtoIPv4
	kind := inIPIP
	switch {
	case outer4 && !inner4:
		kind = in6in4
	case !outer4 && inner4:
		kind = in4in6
	}
	if !d.enter(kind) {
		return Malformed
	}
	if inner4 {
		return d.ipv4(p, wire)
	}
	return d.ipv6(p, wire)
}
