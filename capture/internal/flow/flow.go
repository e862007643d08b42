// Package flow names flows by hashes: of connections, of their directions, and of what else is told
// apart by its two ends.
package flow

import (
	"encoding/binary"
	"math/bits"
)

// The multipliers are arbitrary odd numbers with evenly spread bits: the fractional parts of square
// roots of primes. They are constants because two runs over the same capture must agree.
const (
	MulA = 0x6a09e667f3bcc909
	MulB = 0xbb67ae8584caa73b
	MulC = 0x3c6ef372fe94f82b
	MulD = 0xa54ff53a5f1d36f1
	MulE = 0x510e527fade682d1
)

// Fold multiplies to 128 bits and folds the halves together.
func Fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// Key identifies a connection: the same for both directions, and which direction.
type Key struct {
	Conn uint64
	Path uint64 // another hash, which differs by direction
	Dir  uint8  // 0 or 1
}

// Address is an IPv6 address, or an IPv4 address in its low half.
type Address struct{ high, low uint64 }

// Address4 reads an IPv4 address out of a header. Going through netip.Addr would cost more than the
// hash.
func Address4(p []byte) Address { return Address{low: uint64(binary.BigEndian.Uint32(p))} }

// Address6 reads an IPv6 address out of a header.
func Address6(p []byte) Address {
	return Address{high: binary.BigEndian.Uint64(p), low: binary.BigEndian.Uint64(p[8:])}
}

// Ends are the addresses of a flow.
type Ends struct{ Src, Dst Address }

// Key is the key of the flow between the ends' ports.
func (e *Ends) Key(srcPort, dstPort uint16) Key {
	src, dst := End(e.Src, srcPort), End(e.Dst, dstPort)
	key := Key{Conn: Fold(src+dst, MulA) | 1, // never that of an empty slot
		Path: Fold(src^MulC, dst^MulD)}
	if src > dst {
		key.Dir = 1
	}
	return key
}

// End hashes an address and a port. IPv4 addresses leave room for the port, so there nothing is
// lost.
func End(addr Address, port uint16) uint64 {
	return Fold(addr.high^MulB, addr.low^uint64(port)<<48^MulE)
}
