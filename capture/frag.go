package capture

import "github.com/google/gopacket/layers"

// What may wait for the rest of its datagram. RFC 791 §3.2 suggests a timer of 15 s, Linux and RFC
// 8200 §4.5 take 30 s and 60 s.
const (
	fragTimeout   = 30e9    // ns of capture time since the first fragment
	fragDatagrams = 1 << 10 // datagrams that wait
	fragOctets    = 4 << 20 // memory held by them
	fragPieces    = 1 << 10 // pieces of one datagram; 64 KiB in pieces of 576 octets are 120
	fragMaxEnd    = 1<<16 - 1
	fragRecent    = 64 // datagrams remembered after they became whole
	// ns in which copies of their fragments may come, before or after: what a switch or bridge takes
	fragCopies = 2e6
)

// fragKey names a datagram (RFC 791 §3.2, RFC 8200 §4.5), as one interface saw it.
type fragKey struct {
	src, dst [16]byte
	id       uint32
	iface    uint16
	v6       bool
	protocol uint8 // 0 for IPv6, where only the first fragment's counts
}

// fragment is what the headers say about one fragment.
type fragment struct {
	key    fragKey
	offset int
	more   bool              // not the last
	next   layers.IPProtocol // what the datagram carries
}

// fragmentOf4 reads the fields of an IPv4 header; field is its flags and offset.
func fragmentOf4(p []byte, field uint16) fragment {
	f := fragment{
		key:    fragKey{id: uint32(be16(p[4:])), protocol: p[9]},
		offset: int(field&0x1fff) * 8,
		more:   field&0x2000 != 0,
		next:   layers.IPProtocol(p[9]),
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
		next:   layers.IPProtocol(p[0]),
	}
}

// fragment keeps a fragment, and goes on with the datagram if that made it whole.
func (d *decoder) fragment(f fragment, p []byte, wire int) decoded {
	if wire == 0 || f.more && wire%8 != 0 || f.offset+wire > fragMaxEnd {
		return gotMalformed
	}
	at := &d.at
	if at.depth++; at.depth > maxDepth {
		return gotMalformed
	}
	f.key.iface = at.frame.Iface
	whole, lost := d.frags.add(f, p, wire, at.frame.Time)
	*d.lost += lost
	if whole == nil {
		return gotFragment
	}
	at.reassembled = true
	if f.key.v6 {
		return d.ipv6Headers(whole.next, d.frags.whole, whole.total)
	}
	return d.ipPayload(whole.next, d.frags.whole, whole.total)
}
