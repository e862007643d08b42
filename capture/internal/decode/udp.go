package decode

import (
	"net/netip"

	"tcpwhy/capture/internal/flow"
	"tcpwhy/capture/internal/header"
	"tcpwhy/capture/segment"
)

// udp classifies a datagram (RFC 768) and descends into tunnels.
func (d *Decoder) udp(p []byte, wire int) Outcome {
	const size = 8
	if len(p) < size {
		return cut(p, wire)
	}
	src, dst := be16(p), be16(p[2:])
	if length := int(be16(p[4:])); length >= size && length < wire {
		wire = length
		p = p[:min(len(p), length)]
	}
	d.note(PartUDP, p, size)
	p, wire = p[size:], wire-size
	d.at.udpPorts = [2]uint16{src, dst}
	switch dst {
	case header.PortVXLAN, header.PortVXLANLx, header.PortGPE:
		return d.vxlan(p, wire)
	case header.PortGeneve:
		return d.geneve(p, wire)
	case header.PortGTP:
		return d.gtp(p, wire)
	case header.PortGRE:
		return d.gre(p, wire)
	case header.PortMPLS:
		return d.mpls(p, wire)
	}
	if src == header.PortDNS || dst == header.PortDNS {
		d.note(PartDNS, p, len(p))
		d.datagram(p, wire)
		return DNS
	}
	if d.quic.seen(d.at.ends.Key(src, dst), quicPort(src) || quicPort(dst), p) {
		d.note(PartQUIC, p, len(p))
		d.datagram(p, wire)
		return QUIC
	}
	return UDP
}

// datagram fills in what is handed out of a datagram whose content is p, of wire octets.
func (d *Decoder) datagram(p []byte, wire int) {
	at, seg := &d.at, d.at.seg
	seg.Kind = segment.Datagram
	seg.Src = netip.AddrPortFrom(at.src, at.udpPorts[0])
	seg.Dst = netip.AddrPortFrom(at.dst, at.udpPorts[1])
	seg.Len, seg.Payload = uint32(max(wire, 0)), p
	if at.hasIPID {
		seg.IPID, seg.Options = at.ipID, segment.HasIPID
	}
	if len(p) < wire {
		seg.Options |= segment.Snapped
	}
	at.complete()
}

// quicBits is how many UDP flows are remembered as QUIC, as a power of two. A newer flow takes the
// place of an older one.
const quicBits = 10

// quicTable remembers flows in which a long header was seen, because short headers have no version
// to know QUIC by (RFC 8999 §5.2).
type quicTable [1 << quicBits]uint64

// seen reports whether a datagram of a flow is QUIC.
func (t *quicTable) seen(flow flow.Key, expected bool, p []byte) bool {
	const long, fixed = 0x80, 0x40
	if len(p) == 0 {
		return false
	}
	slot := &t[flow.Conn>>(64-quicBits)]
	if p[0]&long == 0 {
		return p[0]&fixed != 0 && *slot == flow.Conn
	}
	if !quicLongHeader(p, expected) {
		return false
	}
	*slot = flow.Conn
	return true
}

// quicPort reports whether a port is one that HTTP/3 is usually served at.
func quicPort(port uint16) bool { return port == 80 || port == 443 || port == 8443 }

// quicLongHeader reports whether p starts with a long header (RFC 9000 §17.2). On ports where QUIC
// is not expected only the two published versions count, so that random octets pass once in 2^32
// times or less.
func quicLongHeader(p []byte, expected bool) bool {
	const version1, version2, fixed, maxID = 1, 0x6b3343cf, 0x40, 20
	if len(p) < 7 {
		return false
	}
	version := be32(p[1:])
	known := version == version1 || version == version2
	if expected {
		draft := version>>8 == 0xff0000
		reserved := version&0x0f0f0f0f == 0x0a0a0a0a // RFC 9000 §15: to be negotiated away
		known = known || draft || reserved || version == 0
	}
	if !known || version != 0 && p[0]&fixed == 0 {
		return false
	}
	to := int(p[5])
	if to > maxID || len(p) < 7+to {
		return false
	}
	from := int(p[6+to])
	return from <= maxID && len(p) >= 7+to+from
}
