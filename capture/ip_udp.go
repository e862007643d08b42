package capture

// portDNS is where names are looked up.
const portDNS = 53

// udp classifies a datagram (RFC 768) and descends into tunnels.
func (d *decoder) udp(p []byte, wire int) decoded {
	const header = 8
	if len(p) < header {
		return cut(p, wire)
	}
	src, dst := be16(p), be16(p[2:])
	if length := int(be16(p[4:])); length >= header && length < wire {
		wire = length
		p = p[:min(len(p), length)]
	}
	p, wire = p[header:], wire-header
	switch dst {
	case portVXLAN, portVXLANLx:
		return d.vxlan(p, wire)
	case portGeneve:
		return d.geneve(p, wire)
	case portGTP:
		return d.gtp(p, wire)
	}
	if src == portDNS || dst == portDNS {
		return gotDNS
	}
	if d.quic.seen(d.at.ends.key(src, dst), quicPort(src) || quicPort(dst), p) {
		return gotQUIC
	}
	return gotUDP
}

// quicBits is how many UDP flows are remembered as QUIC, as a power of two. A newer flow takes the
// place of an older one.
const quicBits = 10

// quicTable remembers flows in which a long header was seen, because short headers have no version
// to know QUIC by (RFC 8999 §5.2).
type quicTable [1 << quicBits]uint64

// seen reports whether a datagram of a flow is QUIC.
func (t *quicTable) seen(flow flowKey, expected bool, p []byte) bool {
	const long, fixed = 0x80, 0x40
	if len(p) == 0 {
		return false
	}
	slot := &t[flow.conn>>(64-quicBits)]
	if p[0]&long == 0 {
		return p[0]&fixed != 0 && *slot == flow.conn
	}
	if !quicLongHeader(p, expected) {
		return false
	}
	*slot = flow.conn
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
