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
	d.note(PartTCP, p, header)
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
	d.note(PartData, p[header:], wire)
	if at.padded(p[header:]) {
		seg.Len, at.noChecksum = 0, true
		at.complete()
		return Segment
	}
	seg.Payload = p[header:]
	if len(p) < wire {
		seg.Options |= segment.Snapped
	}
	at.complete()
	return Segment
}

// The least that Ethernet carries (IEEE 802.3 §3.2.7), in octets: some hosts fill up their shortest
// datagrams to that, or to what tags leave of it, and count the filling as part of them.
const (
	leastPayload = 46
	// fillingLeast is how much is filling at least where the frame is not of the least length: a
	// single octet is what some hosts probe with (RFC 9293 §3.8.4, §3.8.6.1).
	fillingLeast = 2
	leastFrame   = 60 // without its check sequence; tags leave less for the datagram
)

// padded reports whether what follows the TCP header is such filling: zeros that make the datagram
// no longer than it must be. Data of a few octets ends a write, and that is pushed (RFC 9293
// §3.9.1.2), so that a segment with PSH is what it seems.
func (at *path) padded(data []byte) bool {
	seg := at.seg
	if at.ipLen > leastPayload || seg.Len == 0 || seg.Flags&segment.PSH != 0 || at.reassembled {
		return false
	}
	if seg.Len < fillingLeast && at.ipLen < leastPayload && at.frame.OrigLen != leastFrame {
		return false
	}
	for _, octet := range data {
		if octet != 0 {
			return false
		}
	}
	return true
}
