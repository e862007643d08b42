package capture

import (
	"net/netip"

	"github.com/google/gopacket/layers"
)

// ip decodes IP of the version that its first octet tells.
func (d *decoder) ip(p []byte, wire int) decoded {
	if len(p) == 0 {
		return cut(p, wire)
	}
	if p[0]>>4 == 6 {
		return d.ipv6(p, wire)
	}
	return d.ipv4(p, wire)
}

// ipv4 decodes an IPv4 header (RFC 791 §3.1) and what it carries.
func (d *decoder) ipv4(p []byte, wire int) decoded {
	if len(p) < ipv4Header {
		return cut(p, wire)
	}
	header := int(p[0]&0x0f) * 4
	if p[0]>>4 != 4 || header < ipv4Header {
		return gotMalformed
	}
	total := int(be16(p[2:]))
	if total == 0 {
		// The sending host had not filled it in yet (segmentation offload), or the datagram is too
		// large for the field (BIG TCP). Either way there is no padding, and the frame's length
		// tells.
		total = wire
	}
	if total < header {
		return gotMalformed
	}
	if len(p) > total {
		p = p[:total] // the rest is Ethernet padding or a frame check sequence
	}
	if len(p) < header {
		return gotShort
	}
	at := &d.at
	at.src = netip.AddrFrom4([4]byte(p[12:16]))
	at.dst = netip.AddrFrom4([4]byte(p[16:20]))
	at.ends = flowEnds{bits4(p[12:]), bits4(p[16:])}
	at.ipLen, at.ttl = total, p[8]
	at.ipID, at.hasIPID = be16(p[4:]), true
	protocol := layers.IPProtocol(p[9])
	if fragment := be16(p[6:]); fragment&0x3fff != 0 { // more fragments, or an offset
		return d.fragment(fragmentOf4(p, fragment), p[header:], total-header)
	}
	if protocol == layers.IPProtocolTCP {
		return d.tcp(p[header:], total-header)
	}
	return d.ipPayload(protocol, p[header:], total-header)
}

// ipPayload decodes what an IP datagram carries, with all its headers before it done.
func (d *decoder) ipPayload(protocol layers.IPProtocol, p []byte, wire int) decoded {
	switch protocol {
	case layers.IPProtocolTCP:
		return d.tcp(p, wire)
	case layers.IPProtocolUDP:
		return d.udp(p, wire)
	case layers.IPProtocolICMPv4:
		return d.icmp4(p)
	case layers.IPProtocolICMPv6:
		return d.icmp6(p)
	case layers.IPProtocolIPv4, layers.IPProtocolIPv6:
		return d.ipInIP(protocol, p, wire)
	case layers.IPProtocolGRE:
		return d.gre(p, wire)
	case layers.IPProtocolEtherIP:
		return d.etherIP(p, wire)
	case layers.IPProtocolMPLSInIP:
		return d.mpls(p, wire)
	}
	return gotOtherIP
}

// ipInIP decodes IP directly in IP (RFC 2003, RFC 4213 §3, RFC 2473).
func (d *decoder) ipInIP(protocol layers.IPProtocol, p []byte, wire int) decoded {
	outer4, inner4 := d.at.src.Is4(), protocol == layers.IPProtocolIPv4
	kind := inIPIP
	switch {
	case outer4 && !inner4:
		kind = in6in4
	case !outer4 && inner4:
		kind = in4in6
	}
	if !d.enter(kind) {
		return gotMalformed
	}
	if inner4 {
		return d.ipv4(p, wire)
	}
	return d.ipv6(p, wire)
}
