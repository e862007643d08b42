package decode

import (
	"net/netip"

	"tcpwhy/capture/internal/flow"
	"tcpwhy/capture/internal/header"
	"tcpwhy/capture/segment"
)

// icmp4 decodes an ICMP message (RFC 792). Errors that say why TCP did not get through are handed
// out; source quench is not one of them (RFC 6633).
func (d *Decoder) icmp4(p []byte) Outcome {
	if len(p) < header.ICMPSize {
		return OtherIP
	}
	d.note(PartICMP4, p, header.ICMPSize)
	info := segment.ICMPInfo{From: d.at.src, Type: p[0], Code: p[1]}
	switch info.Type {
	case header.ICMP4Unreachable:
		if info.Code == header.ICMP4TooBig {
			// RFC 1191 §4: the low half of the word that other messages leave unused
			info.MTU = uint32(be16(p[6:]))
		}
	case header.ICMP4TimeExceeded, header.ICMP4Parameter:
	default:
		return OtherIP
	}
	return d.icmpError(info, p[header.ICMPSize:])
}

// icmp6 decodes an ICMPv6 message (RFC 4443).
func (d *Decoder) icmp6(p []byte) Outcome {
	if len(p) < header.ICMPSize {
		return OtherIP
	}
	d.note(PartICMP6, p, header.ICMPSize)
	info := segment.ICMPInfo{From: d.at.src, V6: true, Type: p[0], Code: p[1]}
	switch info.Type {
	case header.ICMP6TooBig:
		info.MTU = be32(p[4:])
	case header.ICMP6Unreachable, header.ICMP6TimeExceeded, header.ICMP6Parameter:
	default:
		return OtherIP
	}
	return d.icmpError(info, p[header.ICMPSize:])
}

// icmpError hands out an error whose quoted packet is a TCP segment with at least its ports and
// sequence number, which is as much as RFC 792 promises.
func (d *Decoder) icmpError(info segment.ICMPInfo, quoted []byte) Outcome {
	at, seg := &d.at, d.at.seg
	protocol, p, length := at.quotedIP(quoted)
	d.noteQuoted(quoted, protocol, p)
	if protocol != header.ProtoTCP || len(p) < 8 {
		return OtherIP
	}
	seg.Kind, seg.ICMP = segment.ICMPError, info
	seg.Src = netip.AddrPortFrom(at.src, be16(p))
	seg.Dst = netip.AddrPortFrom(at.dst, be16(p[2:]))
	seg.Seq = be32(p[4:])
	if at.hasIPID {
		seg.IPID, seg.Options = at.ipID, segment.HasIPID
	}
	if len(p) >= tcpHeader {
		seg.Ack, seg.Flags, seg.Window = be32(p[8:]), segment.TCPFlags(p[13]), be16(p[14:])
		seg.Len = uint32(max(0, length-int(p[12]>>4)*4))
	}
	at.complete()
	return ICMPError
}

// quotedIP reads the IP header that an error quotes, and gives what follows it and how long that
// was. Unlike a header at the front of a frame it is allowed to promise more than is there.
func (at *path) quotedIP(p []byte) (protocol header.Protocol, rest []byte, length int) {
	if len(p) >= header.IPv4Size && p[0]>>4 == 4 {
		size := int(p[0]&0x0f) * 4
		if size < header.IPv4Size || size > len(p) || be16(p[6:])&0x1fff != 0 {
			return 0, nil, 0
		}
		at.src, at.dst = netip.AddrFrom4([4]byte(p[12:16])), netip.AddrFrom4([4]byte(p[16:20]))
		at.ends = flow.Ends{Src: flow.Address4(p[12:]), Dst: flow.Address4(p[16:])}
		at.ipID, at.hasIPID = be16(p[4:]), true
		return header.Protocol(p[9]), p[size:], int(be16(p[2:])) - size
	}
	if len(p) < header.IPv6Size || p[0]>>4 != 6 {
		return 0, nil, 0
	}
	at.src, at.dst = netip.AddrFrom16([16]byte(p[8:24])), netip.AddrFrom16([16]byte(p[24:40]))
	at.ends = flow.Ends{Src: flow.Address6(p[8:]), Dst: flow.Address6(p[24:])}
	at.ipID, at.hasIPID = 0, false
	return quotedExtensions(header.Protocol(p[6]), p[header.IPv6Size:], int(be16(p[4:])))
}

// quotedExtensions walks the extension headers of a quoted IPv6 packet that may stand before TCP.
func quotedExtensions(
	next header.Protocol,
	p []byte,
	length int,
) (header.Protocol, []byte, int) {
	for range maxExtensions {
		size := 8
		switch next {
		case header.HopByHop,
			header.DestinationOptions,
			header.Routing:
			if len(p) >= 2 {
				size = 8 * (int(p[1]) + 1)
			}
		case header.Fragment:
			if len(p) >= 4 && be16(p[2:])&0xfff8 != 0 {
				return 0, nil, 0
			}
		default:
			return next, p, length
		}
		if len(p) < size {
			return 0, nil, 0
		}
		next, p, length = header.Protocol(p[0]), p[size:], length-size
	}
	return 0, nil, 0
}
