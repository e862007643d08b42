package decode

import "tcpwhy/capture/internal/header"

// Trail is where the headers of a frame stand, as far as it was decoded: the outermost first. What
// is in none of its parts was not looked at.
type Trail struct{ Parts []Part }

// Part is one header, or what a datagram carries.
type Part struct {
	Kind PartKind
	At   int // octets from the beginning of the frame's data
	Len  int // of the header, as far as it was captured
}

// PartKind says what a part is.
type PartKind uint8

// The kinds of parts.
const (
	PartFixed     PartKind = iota // numbers of a link or a tunnel, no addresses
	PartEthernet                  // addresses and type
	PartCooked                    // Linux cooked, version 1
	PartCooked2                   // version 2
	PartIPv4                      // with its options
	PartIPv6                      // without extensions
	PartExtension                 // of IPv6, but fragments
	PartFragment                  // the fragment header of IPv6
	PartTCP                       // with its options
	PartUDP
	PartICMP4  // 8 octets
	PartICMP6  // 8 octets
	PartQuoted // the beginning of a TCP segment that an ICMP error quotes
	PartData   // of a TCP segment
	PartDNS    // a message
	PartQUIC   // a datagram
)

// Follow has the decoder note where headers stand; nil ends that.
func (d *Decoder) Follow(t *Trail) { d.trail = t }

// note notes a header of n octets at the beginning of p.
func (d *Decoder) note(kind PartKind, p []byte, n int) {
	if d.trail == nil || d.at.reassembled {
		return
	}
	// p is a part of the frame's data, and reaches as far as that has room.
	at := cap(d.at.frame.Data) - cap(p)
	d.trail.Parts = append(d.trail.Parts, Part{kind, at, max(0, min(n, len(p)))})
}

// noteQuoted notes the packet that an ICMP error quotes, and what it carries.
func (d *Decoder) noteQuoted(quoted []byte, carries header.Protocol, rest []byte) {
	if d.trail == nil || len(rest) == 0 {
		return
	}
	head := len(quoted) - len(rest)
	if quoted[0]>>4 == 4 {
		d.note(PartIPv4, quoted, head)
	} else {
		d.note(PartIPv6, quoted, header.IPv6Size)
		d.note(PartExtension, quoted[header.IPv6Size:], head-header.IPv6Size)
	}
	if carries == header.ProtoTCP {
		d.note(PartQuoted, rest, len(rest))
	}
}
