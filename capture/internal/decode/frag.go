package decode

import "tcpwhy/capture/internal/header"

// fragmentOf4 reads the fields of an IPv4 header; field is its flags and offset.
func fragmentOf4(p []byte, field uint16) fragment {
	f := fragment{
		key:    fragKey{id: uint32(be16(p[4:])), protocol: p[9]},
		offset: int(field&0x1fff) * 8,
		more:   field&0x2000 != 0,
		next:   header.Protocol(p[9]),
	}
	copy(f.key.src[:], p[12:16])
	copy(f.key.dst[:], p[16:20])
	return f
}

// fragmentOf6 reads a fragment header p of IPv6; field is its offset and flag.
func fragmentOf6(at *path, p []byte, field uint16) fragment {
	return fragment{
		key:    fragKey{src: at.src.As16(), dst: at.dst.As16(), id: be32(p[4:]), v6: true},
		offset: int(field &^ 7),
		more:   field&1 != 0,
		next:   header.Protocol(p[0]),
	}
}

// fragment keeps a fragment, and goes on with the datagram if that made it whole.
func (d *Decoder) fragment(f fragment, p []byte, wire int) Outcome {
	if wire == 0 || f.more && wire%8 != 0 || f.offset+wire > fragMaxEnd {
		return Malformed
	}
	at := &d.at
	if at.depth++; at.depth > maxDepth {
		return Malformed
	}
	f.key.iface = at.frame.Iface
	whole, lost := d.frags.add(f, p, wire, at.frame.Time)
	*d.lost += lost
	if whole == nil {
		return Fragment
	}
	at.reassembled = true
	if f.key.v6 {
		return d.ipv6Headers(whole.next, d.frags.whole, whole.total)
	}
	return d.ipPayload(whole.next, d.frags.whole, whole.total)
}
