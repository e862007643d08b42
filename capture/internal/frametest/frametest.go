// Package frametest makes frames for tests, octet by octet.
package frametest

import (
	"bytes"
	"encoding/binary"
	"net/netip"

	"tcpwhy/capture/internal/header"
	"tcpwhy/capture/segment"
)

// The two ends of most hand-built frames.
var (
	Client4 = netip.MustParseAddr("10.1.2.3")
	Server4 = netip.MustParseAddr("192.0.2.80")
	Client6 = netip.MustParseAddr("2001:db8::3")
	Server6 = netip.MustParseAddr("2001:db8:1::80")
	// and one between them, and one of a host that talks to itself
	Router4   = netip.MustParseAddr("198.51.100.1")
	Loopback4 = netip.MustParseAddr("127.0.0.1")
)

// Cat joins octets.
func Cat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// U16 is a number in network byte order.
func U16(v uint16) []byte { return binary.BigEndian.AppendUint16(nil, v) }

// U32 is one of four octets.
func U32(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }

// TCP describes a TCP segment; zero values give a data segment from port 50000 to 80.
type TCP struct {
	SrcPort, DstPort uint16
	Seq, Ack         uint32
	Flags            segment.TCPFlags
	Window           uint16
	Options          []byte
	Payload          []byte
}

// Octets is the segment with its checksum.
func (s TCP) Octets(src, dst netip.Addr) []byte {
	if s.SrcPort == 0 {
		s.SrcPort = 50000
	}
	if s.DstPort == 0 {
		s.DstPort = 80
	}
	if s.Flags == 0 {
		s.Flags = segment.ACK
	}
	for len(s.Options)%4 != 0 {
		s.Options = append(bytes.Clone(s.Options), 1) // no operation
	}
	size := 20 + len(s.Options)
	p := Cat(U16(s.SrcPort), U16(s.DstPort), U32(s.Seq), U32(s.Ack),
		[]byte{byte(size / 4 << 4), byte(s.Flags)}, U16(s.Window), U16(0), U16(0), s.Options,
		s.Payload)
	pseudo := Cat(src.AsSlice(), dst.AsSlice(), U32(uint32(len(p))), U32(6))
	binary.BigEndian.PutUint16(p[16:], slowChecksum(Cat(pseudo, p)))
	return p
}

// slowChecksum is RFC 1071 word by word, to check the fast one against.
func slowChecksum(p []byte) uint16 {
	if len(p)%2 == 1 {
		p = append(bytes.Clone(p), 0)
	}
	var sum uint32
	for ; len(p) > 0; p = p[2:] {
		sum += uint32(p[0])<<8 | uint32(p[1])
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// IPv4 describes an IPv4 header; zero values give a whole datagram from Client4 to Server4.
type IPv4 struct {
	Src, Dst netip.Addr
	ID       uint16
	Fragment uint16 // flags and offset field
	Protocol uint8
	TTL      uint8
	Total    int // in the header; 0: the true one, -1: zero
	Options  []byte
}

// Wrap is a datagram.
func (h IPv4) Wrap(payload []byte) []byte {
	if !h.Src.IsValid() {
		h.Src, h.Dst = Client4, Server4
	}
	if h.TTL == 0 {
		h.TTL = 64
	}
	if h.Protocol == 0 {
		h.Protocol = 6
	}
	size := header.IPv4Size + len(h.Options)
	total := size + len(payload)
	switch {
	case h.Total > 0:
		total = h.Total
	case h.Total < 0:
		total = 0
	}
	return Cat([]byte{byte(0x40 | size/4), 0}, U16(uint16(total)), U16(h.ID), U16(h.Fragment),
		[]byte{h.TTL, h.Protocol}, U16(0), h.Src.AsSlice(), h.Dst.AsSlice(), h.Options, payload)
}

// IPv6 describes an IPv6 header.
type IPv6 struct {
	Src, Dst netip.Addr
	Next     uint8
	Length   int // in the header; 0: the true one, -1: zero
}

// Wrap is a datagram.
func (h IPv6) Wrap(payload []byte) []byte {
	if !h.Src.IsValid() {
		h.Src, h.Dst = Client6, Server6
	}
	if h.Next == 0 {
		h.Next = 6
	}
	length := len(payload)
	switch {
	case h.Length > 0:
		length = h.Length
	case h.Length < 0:
		length = 0
	}
	return Cat(U32(6<<28), U16(uint16(length)), []byte{h.Next, 60}, h.Src.AsSlice(),
		h.Dst.AsSlice(), payload)
}

// Hello is a small segment of data.
var Hello = TCP{
	Seq: 1000, Ack: 2000, Flags: segment.ACK | segment.PSH, Window: 512,
	Payload: []byte("GET / HTTP/1.1\r\n\r\n"),
}

// Hello4 is Hello in IPv4.
func Hello4() []byte { return IPv4{ID: 7}.Wrap(Hello.Octets(Client4, Server4)) }

// Hello6 is Hello in IPv6.
func Hello6() []byte { return IPv6{}.Wrap(Hello.Octets(Client6, Server6)) }

// Ethernet is an Ethernet frame with a type.
func Ethernet(etherType uint16, payload []byte) []byte {
	return Cat([]byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1}, U16(etherType), payload)
}

// UDP is a UDP datagram.
func UDP(src, dst uint16, payload []byte) []byte {
	return Cat(U16(src), U16(dst), U16(uint16(8+len(payload))), U16(0), payload)
}

// Cooked2 is the header of a Linux cooked capture, version 2.
func Cooked2(packetType uint8, ifindex uint32, protocol uint16) []byte {
	return Cat(U16(protocol), U16(0), U32(ifindex), U16(1), []byte{packetType, 6}, make([]byte, 8))
}

// Tag is a VLAN tag and the type after it.
func Tag(id, next uint16) []byte { return Cat(U16(0x2000|id), U16(next)) }

// Stamped are the options of a segment with timestamps.
func Stamped(value uint32) []byte { return Cat([]byte{1, 1, 8, 10}, U32(value), U32(1)) }

// Steady are frames of connections in progress, as the hot path meets them.
func Steady() map[string][]byte {
	data := TCP{Seq: 1, Ack: 1, Options: Stamped(5), Payload: make([]byte, 1000)}
	ack := TCP{Seq: 1, Options: Stamped(5)}
	four := IPv4{ID: 1}.Wrap(data.Octets(Client4, Server4))
	six := IPv6{}.Wrap(data.Octets(Client6, Server6))
	unreachable := Cat([]byte{3, 1, 0, 0}, U32(0), Hello4())
	return map[string][]byte{
		"ipv4":      Ethernet(header.EtherIPv4, four),
		"ipv6":      Ethernet(header.EtherIPv6, six),
		"vlan ipv4": Ethernet(header.EtherVLAN, Cat(Tag(5, header.EtherIPv4), four)),
		"ack ipv4":  onEthernet4(IPv4{ID: 1}, ack.Octets(Client4, Server4)),
		"icmp":      onEthernet4(IPv4{Src: Router4, Dst: Client4, Protocol: 1}, unreachable),
		"udp":       onEthernet4(IPv4{Protocol: 17}, UDP(5, 443, make([]byte, 50))),
	}
}

func onEthernet4(ip IPv4, payload []byte) []byte {
	return Ethernet(header.EtherIPv4, ip.Wrap(payload))
}

// SequenceAt is where the sequence number stands in a frame of Steady.
func SequenceAt(frame []byte) int {
	switch binary.BigEndian.Uint16(frame[12:]) {
	case header.EtherIPv6:
		return header.EthernetSize + header.IPv6Size + 4
	case header.EtherVLAN:
		return header.EthernetSize + header.TagSize + header.IPv4Size + 4
	}
	return header.EthernetSize + header.IPv4Size + 4
}

// WrapHop is Wrap with a hop-by-hop options header first, whose number is 0.
func (h IPv6) WrapHop(payload []byte) []byte {
	p := h.Wrap(payload)
	p[6] = 0
	return p
}
