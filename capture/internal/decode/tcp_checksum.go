package decode

import (
	"encoding/binary"

	"tcpwhy/capture/internal/header"
	"tcpwhy/capture/segment"
)

// A wrong TCP checksum matters here only as a sign that the capture was taken on the sending host,
// before the network card filled it in. That shows on every segment, SYNs included, so SYNs are
// always judged (they are short), and of the others as many as are needed to know an interface.
const checksumVerdicts = 512

// judgeChecksum sets BadChecksum if the segment is one to be judged and its checksum is wrong.
// Segments that offload made larger than a frame, or of which octets are missing, cannot be judged.
func (d *Decoder) judgeChecksum(link *linkState) {
	at, seg := &d.at, d.at.seg
	if seg.Flags&segment.SYN == 0 && link.verdicts >= checksumVerdicts {
		return
	}
	if seg.Options.Has(segment.Snapped) || seg.Len > ethernetMTU ||
		at.reassembled || at.noChecksum {
		return
	}
	if link.verdicts < checksumVerdicts {
		link.verdicts++
	}
	if !at.checksumMatches() {
		seg.Options |= segment.BadChecksum
	}
}

// checksumMatches adds up the TCP segment and its pseudo header (RFC 9293 §3.1, RFC 8200 §8.1).
func (at *path) checksumMatches() bool {
	src, dst := at.src.As16(), at.dst.As16()
	var sum uint64
	if at.src.Is4() {
		// As16 puts ::ffff: before the address, which the pseudo header does not have.
		sum = sumOctets(sumOctets(0, src[12:]), dst[12:])
	} else {
		sum = sumOctets(sumOctets(0, src[:]), dst[:])
	}
	sum += uint64(len(at.tcp)) + uint64(header.ProtoTCP)
	sum = sumOctets(sum, at.tcp)
	for sum>>16 != 0 {
		sum = sum>>16 + sum&0xffff
	}
	return sum == 0xffff
}

// sumOctets adds p to a one's complement sum (RFC 1071 §2), 32 bits at a time: carries gather in
// the upper half, which has room for 2^32 of them.
func sumOctets(sum uint64, p []byte) uint64 {
	for ; len(p) >= 8; p = p[8:] {
		v := binary.BigEndian.Uint64(p)
		sum += v>>32 + v&0xffffffff
	}
	for ; len(p) >= 2; p = p[2:] {
		sum += uint64(be16(p))
	}
	if len(p) == 1 {
		sum += uint64(p[0]) << 8
	}
	return sum
}
