package packet

import (
	"bytes"
	"encoding/binary"
)

// offsets from the beginning of an Ethernet frame with IPv4.
const (
	ipLength = 16
	ipID     = 18
	ipTTL    = 22
	ipSum    = 24
)

// IsIPv4 is true of frames of which at least the header of IPv4 is there.
func IsIPv4(ether []byte) bool {
	return len(ether) >= 34 && binary.BigEndian.Uint16(ether[12:]) == 0x0800
}

// ID is the identification of an IPv4 packet.
func ID(ether []byte) uint16 { return binary.BigEndian.Uint16(ether[ipID:]) }

// SetID changes the identification of an IPv4 packet.
func SetID(ether []byte, id uint16) {
	binary.BigEndian.PutUint16(ether[ipID:], id)
	sumHeader(ether)
}

// Hop does to a frame what a router does: one hop less to live, and Ethernet addresses of the other
// side.
func Hop(ether, from, to []byte) {
	copy(ether, to)
	copy(ether[6:], from)
	switch {
	case IsIPv4(ether):
		ether[ipTTL]--
		sumHeader(ether)
	case len(ether) >= 54:
		ether[21]-- // IPv6
	}
}

// Padded is an IPv4 packet with zeros up to so many octets, counted as part of it: not those that
// Ethernet adds behind it.
func Padded(ether []byte, octets int) []byte {
	at, length, ok := ipHeader(ether)
	if !ok || !IsIPv4(ether) || at-14+length >= octets || len(ether) < at+length {
		return ether
	}
	padded := append(bytes.Clone(ether[:at+length]), make([]byte, octets-(at-14+length))...)
	binary.BigEndian.PutUint16(padded[ipLength:], uint16(octets))
	sumHeader(padded)
	sumSegment(padded, at)
	return padded
}

// Summed is the frame of a TCP segment with its checksums set, in the same place.
func Summed(ether []byte) []byte {
	sumHeader(ether)
	sumSegment(ether, 14+int(ether[14]&15)*4)
	return ether
}

func sumHeader(ether []byte) {
	head := 14 + int(ether[14]&15)*4
	if len(ether) < head {
		return
	}
	binary.BigEndian.PutUint16(ether[ipSum:], 0)
	binary.BigEndian.PutUint16(ether[ipSum:], checksum(0, ether[14:head]))
}

// sumSegment sets the checksum of a TCP segment that is there as a whole.
func sumSegment(ether []byte, at int) {
	segment := ether[at:]
	binary.BigEndian.PutUint16(segment[16:], 0)
	pseudo := append(bytes.Clone(ether[26:34]), 0, 6, byte(len(segment)>>8), byte(len(segment)))
	sum := uint32(^checksum(0, pseudo))
	binary.BigEndian.PutUint16(segment[16:], checksum(sum, segment))
}
