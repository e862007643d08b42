package decode

import (
	"net/netip"

	"tcpwhy/capture/segment"
)

const tcpHeader = 20

// tcp decodes a TCP header (RFC 9293 §3.1). The payload's length is what the IP header says,
// whatever part of it was captured.
func (d *Decoder) tcp(p []byte, wire int) Outcome {
	if wire < tcpHeader {
		return Malformed
	}
	if len(p) < tcpHeader {
		return Short
	}
	header := int(p[12]>>4) * 4
	if header < tcpHeader || header > wire {
		return Malformed
	}
	at, seg := &d.at, d.at.seg
	at.tcp = p
	seg.Src = netip.AddrPortFrom(at.src, be16(p))
	seg.Dst = netip.AddrPortFrom(at.dst, be16(p[2:]))
	seg.Seq, seg.Ack = be32(p[4:]), be32(p[8:])
	seg.Flags = segment.TCPFlags(p[13])
	seg.Window = be16(p[14:])
	seg.Len = uint32(wire - header)
	if at.hasIPID {
		seg.IPID, seg.Options = at.ipID, segment.HasIPID
	}
	if len(p) < header {
		readOptions(seg, p[tcpHeader:], true)
		seg.Options |= segment.Snapped | segment.CutOptions
		at.complete()
		return Segment
	}
	readOptions(seg, p[tcpHeader:header], false)
	seg.Payload = p[header:]
	if len(p) < wire {
		seg.Options |= segment.Snapped
	}
	at.complete()
	return Segment
}
