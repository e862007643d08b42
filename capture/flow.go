package capture

import (
	"encoding/binary"
	"math/bits"
)

// The multipliers are arbitrary odd numbers with evenly spread bits: the fractional parts of square
// roots of primes. They are constants because two runs over the same capture must agree.
const (
	mulA = 0x6a09e667f3bcc909
	mulB = 0xbb67ae8584caa73b
	mulC = 0x3c6ef372fe94f82b
	mulD = 0xa54ff53a5f1d36f1
	mulE = 0x510e527fade682d1
)

// fold multiplies to 128 bits and folds the halves together.
func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// flowKey identifies a connection: the same for both directions, and which direction.
type flowKey struct {
	conn uint64
	path uint64 // another hash, which differs by direction
	dir  uint8  // 0 or 1
}

// addrBits is an IPv6 address, or an IPv4 address in its low half.
type addrBits struct{ high, low uint64 }

// bits4 and bits6 read an address out of a header. Going through netip.Addr would cost more than
// the hash.
func bits4(p []byte) addrBits { return addrBits{low: uint64(binary.BigEndian.Uint32(p))} }
func bits6(p []byte) addrBits {
	return addrBits{high: binary.BigEndian.Uint64(p), low: binary.BigEndian.Uint64(p[8:])}
}

// flowEnds are the addresses of a flow.
type flowEnds struct{ src, dst addrBits }

// key is the key of the flow between the ends' ports.
func (e *flowEnds) key(srcPort, dstPort uint16) flowKey {
	src, dst := endHash(e.src, srcPort), endHash(e.dst, dstPort)
	key := flowKey{conn: fold(src+dst, mulA) | 1, // never that of an empty slot
		path: fold(src^mulC, dst^mulD)}
	if src > dst {
		key.dir = 1
	}
	return key
}

// endHash hashes an address and a port. IPv4 addresses leave room for the port, so there nothing is
// lost.
func endHash(addr addrBits, port uint16) uint64 {
	return fold(addr.high^mulB, addr.low^uint64(port)<<48^mulE)
}
