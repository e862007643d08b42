package main

import (
	"encoding/binary"
	"math/bits"
)

// protocolTCP is TCP's number in the pseudo header (RFC 9293 §3.1).
const protocolTCP = 6

// seal fills in the checksums of an Ethernet frame with IPv4 without options and TCP.
func seal(f []byte) {
	be := binary.BigEndian
	be.PutUint16(f[24:], ^fold(sum(f[14:34], 0)))
	pseudo := sum(f[26:34], protocolTCP+uint64(len(f)-34))
	be.PutUint16(f[50:], ^fold(sum(f[34:], pseudo)))
}

// sum adds 16-bit words in network order (RFC 1071), eight octets at a time.
func sum(b []byte, total uint64) uint64 {
	for ; len(b) >= 8; b = b[8:] {
		var carry uint64
		total, carry = bits.Add64(total, binary.BigEndian.Uint64(b), 0)
		total += carry
	}
	total = uint64(fold(total))
	for ; len(b) >= 2; b = b[2:] {
		total += uint64(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		total += uint64(b[0]) << 8
	}
	return uint64(fold(total))
}

// fold adds the carries back in.
func fold(v uint64) uint16 {
	v = v>>32 + v&0xffffffff
	for v > 0xffff {
		v = v>>16 + v&0xffff
	}
	return uint16(v)
}
