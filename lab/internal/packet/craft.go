package packet

import "encoding/binary"

// boxTTL is what remains of the box's time to live, unlike that of the ends.
const boxTTL = 58

// ipv4 wraps a payload, from one address to another, for the Ethernet addresses of a frame the
// other way round.
func ipv4(answered []byte, source, destination [4]byte, protocol byte, payload []byte) []byte {
	f := make([]byte, 0, 34+len(payload))
	f = append(f, answered[6:12]...)
	f = append(f, answered[0:6]...)
	f = append(f, 8, 0, 0x45, 0)
	f = binary.BigEndian.AppendUint16(f, uint16(20+len(payload)))
	f = append(f, 0, 0, 0x40, 0, boxTTL, protocol, 0, 0)
	f = append(append(f, source[:]...), destination[:]...)
	binary.BigEndian.PutUint16(f[24:], checksum(0, f[14:34]))
	return append(f, payload...)
}

// checksum is that of RFC 1071.
func checksum(sum uint32, b []byte) uint16 {
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(b[i])<<8 | uint32(b[i+1])
	}
	if len(b)%2 == 1 {
		sum += uint32(b[len(b)-1]) << 8
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

func addresses(ether []byte) (source, destination [4]byte) {
	copy(source[:], ether[26:30])
	copy(destination[:], ether[30:34])
	return source, destination
}

// Unreachable is destination unreachable (RFC 792) about a frame, from a router that is neither
// end; mtu is for code 4 (RFC 1191).
func Unreachable(ether []byte, code byte, mtu int) []byte {
	source, _ := addresses(ether)
	m := []byte{3, code, 0, 0, 0, 0, byte(mtu >> 8), byte(mtu)}
	m = append(m, ether[14:min(len(ether), 14+20+8)]...)
	binary.BigEndian.PutUint16(m[2:], checksum(0, m))
	return ipv4(ether, [4]byte{10, 9, 0, 254}, source, 1, m)
}

// ResetFor answers a segment as a host without the connection would (RFC 9293 section 3.10.7.1), in
// the name of the segment's destination.
func ResetFor(ether []byte) []byte {
	at, _, _ := ipHeader(ether)
	source, destination := addresses(ether)
	t := ether[at:]
	return ipv4(ether, destination, source, 6, resetSegment(destination, source,
		binary.BigEndian.Uint16(t[2:]), binary.BigEndian.Uint16(t), binary.BigEndian.Uint32(t[8:])))
}

// ResetBehind is a reset that takes the place of what follows the segment, in the name of its
// sender.
func ResetBehind(ether []byte) []byte {
	at, length, _ := ipHeader(ether)
	source, destination := addresses(ether)
	t := ether[at:]
	next := binary.BigEndian.Uint32(t[4:]) + uint32(length-int(t[12]>>4)*4)
	f := ipv4(ether, source, destination, 6, resetSegment(source, destination,
		binary.BigEndian.Uint16(t), binary.BigEndian.Uint16(t[2:]), next))
	copy(f[0:12], ether[0:12]) // the way of the segment, not back
	return f
}

func resetSegment(source, destination [4]byte, from, to uint16, seq uint32) []byte {
	b := binary.BigEndian.AppendUint16(nil, from)
	b = binary.BigEndian.AppendUint16(b, to)
	b = binary.BigEndian.AppendUint32(b, seq)
	b = append(b, 0, 0, 0, 0, 5<<4, RST, 0, 0, 0, 0, 0, 0)
	var pseudo []byte
	pseudo = append(append(pseudo, source[:]...), destination[:]...)
	pseudo = append(pseudo, 0, 6, 0, byte(len(b)))
	sum := uint32(^checksum(0, pseudo))
	binary.BigEndian.PutUint16(b[16:], checksum(sum, b))
	return b
}

// Enclosed is a datagram of UDP in an Ethernet frame of a network of its own.
func Enclosed(payload []byte, port, id uint16) []byte {
	outer := []byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1}
	udp := binary.BigEndian.AppendUint16(nil, 49152+id%1024)
	udp = binary.BigEndian.AppendUint16(udp, port)
	udp = binary.BigEndian.AppendUint16(udp, uint16(8+len(payload)))
	udp = append(append(udp, 0, 0), payload...)
	f := ipv4(outer, [4]byte{172, 16, 0, 1}, [4]byte{172, 16, 0, 2}, 17, udp)
	SetID(f, id)
	return f
}
