package anonym

import (
	"encoding/binary"

	"tcpwhy/capture/internal/decode"
	"tcpwhy/capture/internal/header"
)

// Checksums stay what they were: right if they were right, wrong by as much if they were wrong,
// which tells where a capture was taken (offload) or what was damaged.

// check adjusts the checksum of a part to what was changed under it (RFC 1624).
func (a *Anonymiser) check(parts []decode.Part, i int) {
	p := &parts[i]
	at, from, to := -1, p.At, p.At+p.Len
	switch p.Kind {
	case decode.PartIPv4:
		at = 10
	case decode.PartTCP, decode.PartQuoted:
		at = 16
	case decode.PartUDP:
		at = 6
	case decode.PartICMP4, decode.PartICMP6:
		at = 2
	}
	if at < 0 || p.Len < at+2 {
		return
	}
	ip := enclosing(parts, i)
	if p.Kind != decode.PartIPv4 && ip != nil {
		to = max(to, a.end(ip))
	}
	field := binary.BigEndian.Uint16(a.in[from+at:])
	if p.Kind == decode.PartUDP && field == 0 {
		return // none
	}
	before, after := sum(a.in[from:to], at), sum(a.out[from:to], at)
	if p.Kind != decode.PartIPv4 && p.Kind != decode.PartICMP4 && ip != nil {
		pseudo, shown := addresses(a.in, ip), addresses(a.out, ip)
		rest := uint64(carried(p.Kind)) + uint64(to-from)
		if field == fold(pseudo+rest) { // as a host leaves it that has its network card do the rest
			binary.BigEndian.PutUint16(a.out[from+at:], fold(shown+rest))
			return
		}
		before, after = before+pseudo, after+shown
	}
	field = adjust(field, before, after)
	if p.Kind == decode.PartUDP && field == 0 {
		field = 0xffff // RFC 768
	}
	binary.BigEndian.PutUint16(a.out[from+at:], field)
}

// carried is the protocol number in the pseudo header of a part.
func carried(kind decode.PartKind) header.Protocol {
	switch kind {
	case decode.PartUDP:
		return header.ProtoUDP
	case decode.PartICMP6:
		return header.ProtoICMP6
	}
	return header.ProtoTCP
}

// enclosing is the IP header before a part; nil if there is none.
func enclosing(parts []decode.Part, i int) *decode.Part {
	for i--; i >= 0; i-- {
		if k := parts[i].Kind; k == decode.PartIPv4 || k == decode.PartIPv6 {
			return &parts[i]
		}
	}
	return nil
}

// end is where the datagram of an IP header ends, as far as it was captured.
func (a *Anonymiser) end(ip *decode.Part) int {
	p := a.in[ip.At:]
	length := int(be16(p[2:]))
	if ip.Kind == decode.PartIPv6 {
		if length = int(be16(p[4:])); length > 0 {
			length += header.IPv6Size
		}
	}
	if length == 0 || length > len(p) {
		length = len(p)
	}
	return ip.At + length
}

// addresses is the sum of the addresses in an IP header of a frame.
func addresses(data []byte, ip *decode.Part) uint64 {
	if ip.Kind == decode.PartIPv4 {
		return sum(data[ip.At+12:ip.At+20], -1)
	}
	return sum(data[ip.At+8:ip.At+40], -1)
}

// sum adds up octets in pairs, but those of the checksum (RFC 1071).
func sum(p []byte, without int) (s uint64) {
	for i := 0; i < len(p); i += 2 {
		switch {
		case i == without:
		case i+1 < len(p):
			s += uint64(be16(p[i:]))
		default:
			s += uint64(p[i]) << 8
		}
	}
	return s
}

// fold adds carries (RFC 1071 §1).
func fold(s uint64) uint16 {
	for s>>16 != 0 {
		s = s>>16 + s&0xffff
	}
	return uint16(s)
}

// adjust is a checksum over octets that had one sum and now have another.
func adjust(field uint16, before, after uint64) uint16 {
	const modulus = 0xffff
	return uint16((uint64(field) + before%modulus + modulus - after%modulus) % modulus)
}
