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
func bits4(p []byte) addrBits { return addrBits{low: uint64(be32(p))} }
func bits6(p []byte) addrBits {
	return addrBits{high: binary.BigEndian.Uint64(p), low: binary.BigEndian.Uint64(p[8:])}
}

// flowOf is the key of the innermost addresses with the given ports.
func flowOf(at *path, srcPort, dstPort uint16) flowKey {
	src, dst := endHash(at.srcBits, srcPort), endHash(at.dstBits, dstPort)
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

// printedPayload is how much of the data goes into a fingerprint that has no identification to rely
// on.
const printedPayload = 64

// fingerprint hashes everything that two sightings of one frame have in common: not the time to
// live, which routers change, nor link addresses and tags.
func fingerprint(key flowKey, s *Segment) uint64 {
	h := fold(
		key.path^(uint64(s.Seq)<<32|uint64(s.Ack)),
		mulA^(uint64(s.Len)<<32|uint64(s.Window)<<16|uint64(s.Flags)),
	)
	h = fold(
		h^(uint64(s.TSVal)<<32|uint64(s.TSEcr)),
		mulB^(uint64(s.IPID)<<16|uint64(s.NSACK)<<8|uint64(s.Options&HasTS)),
	)
	for _, b := range s.SACK[:s.NSACK] {
		h = fold(h^(uint64(b.Start)<<32|uint64(b.End)), mulC)
	}
	if s.IPID == 0 {
		h = foldOctets(h, s.Payload[:min(len(s.Payload), printedPayload)])
	}
	return h
}

// errorPrint is the fingerprint of an ICMP error.
func errorPrint(key flowKey, s *Segment) uint64 {
	from := s.ICMP.From.As16()
	h := endHash(bits6(from[:]), uint16(s.ICMP.Type)<<8|uint16(s.ICMP.Code))
	h = fold(h^(uint64(s.Seq)<<32|uint64(s.ICMP.MTU)), mulC^uint64(s.IPID))
	return fold(h^key.path, mulD)
}

func foldOctets(h uint64, p []byte) uint64 {
	for ; len(p) >= 8; p = p[8:] {
		h = fold(h^binary.BigEndian.Uint64(p), mulD)
	}
	for _, b := range p {
		h = fold(h^uint64(b), mulE)
	}
	return h
}
