package capture

import "encoding/binary"

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
