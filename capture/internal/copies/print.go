package copies

import (
	"encoding/binary"

	"tcpwhy/capture/internal/flow"
	"tcpwhy/capture/segment"
)

// printedPayload is how much of the data goes into a fingerprint that has no identification to rely
// on.
const printedPayload = 64

// fingerprint hashes everything that two sightings of one frame have in common: not the time to
// live, which routers change, nor link addresses and tags.
func fingerprint(key flow.Key, s *segment.Segment) uint64 {
	h := flow.Fold(key.Path^(uint64(s.Seq)<<32|uint64(s.Ack)),
		flow.MulA^(uint64(s.Len)<<32|uint64(s.Window)<<16|uint64(s.Flags)))
	h = flow.Fold(h^(uint64(s.TSVal)<<32|uint64(s.TSEcr)),
		flow.MulB^(uint64(s.IPID)<<16|uint64(s.NSACK)<<8|uint64(s.Options&segment.HasTS)))
	for _, b := range s.SACK[:s.NSACK] {
		h = flow.Fold(h^(uint64(b.Start)<<32|uint64(b.End)), flow.MulC)
	}
	if s.IPID == 0 {
		h = foldOctets(h, s.Payload[:min(len(s.Payload), printedPayload)])
	}
	return h
}

// errorPrint is the fingerprint of an ICMP error.
func errorPrint(key flow.Key, s *segment.Segment) uint64 {
	from := s.ICMP.From.As16()
	h := flow.End(flow.Address6(from[:]), uint16(s.ICMP.Type)<<8|uint16(s.ICMP.Code))
	h = flow.Fold(h^(uint64(s.Seq)<<32|uint64(s.ICMP.MTU)), flow.MulC^uint64(s.IPID))
	return flow.Fold(h^key.Path, flow.MulD)
}

// datagramPrint is the fingerprint of a datagram: no checksum covers it that could tell more.
func datagramPrint(key flow.Key, s *segment.Segment) uint64 {
	h := flow.Fold(key.Path^uint64(s.Len), flow.MulE^uint64(s.IPID))
	return foldOctets(h, s.Payload)
}

func foldOctets(h uint64, p []byte) uint64 {
	for ; len(p) >= 8; p = p[8:] {
		h = flow.Fold(h^binary.BigEndian.Uint64(p), flow.MulD)
	}
	for _, b := range p {
		h = flow.Fold(h^uint64(b), flow.MulE)
	}
	return h
}
