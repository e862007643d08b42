//go:build linux

package main

import (
	"encoding/binary"

	"tcpwhy/capture"
)

// appendFrame appends a segment as an Ethernet frame with IPv4 and TCP.
func appendFrame(b []byte, s *capture.Segment) []byte {
	options := appendOptions(nil, s)
	head := len(b)
	b = append(b, 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0)
	from, to := s.Src.Addr().As4(), s.Dst.Addr().As4()
	b = appendIP(b, 6, 0, 20+len(options)+len(s.Payload), from, to)
	be := binary.BigEndian
	b = be.AppendUint16(be.AppendUint16(b, s.Src.Port()), s.Dst.Port())
	b = be.AppendUint32(be.AppendUint32(b, s.Seq), s.Ack)
	b = append(b, byte(5+len(options)/4)<<4, byte(s.Flags))
	b = append(be.AppendUint16(b, s.Window), 0, 0, 0, 0)
	b = append(append(b, options...), s.Payload...)
	tcp := b[head+34:]
	sum := add(add(6+uint32(len(tcp)), b[head+26:head+34]), tcp)
	be.PutUint16(tcp[16:], ^fold(sum))
	return b
}

// appendIP appends an IPv4 header for length octets of a protocol. The fragment field is given as
// it is.
func appendIP(b []byte, protocol byte, fragment uint16, length int, from, to [4]byte) []byte {
	head := len(b)
	b = append(b, 0x45, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(20+length))
	b = binary.BigEndian.AppendUint32(b, uint32(fragment))
	b = append(append(append(b, 64, protocol, 0, 0), from[:]...), to[:]...)
	binary.BigEndian.PutUint16(b[head+10:], ^fold(add(0, b[head:])))
	return b
}

// appendOptions appends the options of TCP.
func appendOptions(b []byte, s *capture.Segment) []byte {
	be := binary.BigEndian
	if s.Options.Has(capture.HasMSS) {
		b = be.AppendUint16(append(b, 2, 4), s.MSS)
	}
	if s.Options.Has(capture.HasTS) {
		b = be.AppendUint32(be.AppendUint32(append(b, 1, 1, 8, 10), s.TSVal), s.TSEcr)
	}
	if s.Options.Has(capture.HasWScale) {
		b = append(b, 1, 3, 3, s.WScale)
	}
	n := min(int(s.NSACK), (40-len(b)-4)/8)
	if n > 0 {
		b = append(b, 1, 1, 5, byte(2+8*n))
	}
	for _, block := range s.SACK[:max(n, 0)] {
		b = be.AppendUint32(be.AppendUint32(b, block.Start), block.End)
	}
	return b
}

// add adds words in network order (RFC 1071).
func add(sum uint32, b []byte) uint32 {
	for ; len(b) >= 2; b = b[2:] {
		sum += uint32(b[0])<<8 | uint32(b[1])
	}
	if len(b) == 1 {
		sum += uint32(b[0]) << 8
	}
	return sum
}

func fold(sum uint32) uint16 {
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return uint16(sum)
}
