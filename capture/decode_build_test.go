package capture

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"
)

// The two ends of most hand-built frames.
var (
	client4 = netip.MustParseAddr("10.1.2.3")
	server4 = netip.MustParseAddr("192.0.2.80")
	client6 = netip.MustParseAddr("2001:db8::3")
	server6 = netip.MustParseAddr("2001:db8:1::80")
)

// cat joins octets.
func cat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func u16(v uint16) []byte { return binary.BigEndian.AppendUint16(nil, v) }
func u32(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }

// testTCP describes a TCP segment; zero values give a data segment from port 50000 to 80.
type testTCP struct {
	sport, dport uint16
	seq, ack     uint32
	flags        TCPFlags
	window       uint16
	options      []byte
	payload      []byte
}

// octets is the segment with its checksum.
func (s testTCP) octets(src, dst netip.Addr) []byte {
	if s.sport == 0 {
		s.sport = 50000
	}
	if s.dport == 0 {
		s.dport = 80
	}
	if s.flags == 0 {
		s.flags = ACK
	}
	for len(s.options)%4 != 0 {
		s.options = append(bytes.Clone(s.options), optionNop)
	}
	header := 20 + len(s.options)
	p := cat(u16(s.sport), u16(s.dport), u32(s.seq), u32(s.ack), []byte{byte(header / 4 << 4), byte(s.flags)},
		u16(s.window), u16(0), u16(0), s.options, s.payload)
	binary.BigEndian.PutUint16(p[16:], slowChecksum(cat(src.AsSlice(), dst.AsSlice(), u32(uint32(len(p))), u32(6), p)))
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

// testIPv4 describes an IPv4 header; zero values give a whole datagram from client4 to server4.
type testIPv4 struct {
	src, dst netip.Addr
	id       uint16
	fragment uint16 // flags and offset field
	protocol uint8
	ttl      uint8
	total    int // in the header; 0: the true one, -1: zero
	options  []byte
}

func (h testIPv4) wrap(payload []byte) []byte {
	if !h.src.IsValid() {
		h.src, h.dst = client4, server4
	}
	if h.ttl == 0 {
		h.ttl = 64
	}
	if h.protocol == 0 {
		h.protocol = 6
	}
	header := 20 + len(h.options)
	total := header + len(payload)
	switch {
	case h.total > 0:
		total = h.total
	case h.total < 0:
		total = 0
	}
	return cat([]byte{byte(0x40 | header/4), 0}, u16(uint16(total)), u16(h.id), u16(h.fragment),
		[]byte{h.ttl, h.protocol}, u16(0), h.src.AsSlice(), h.dst.AsSlice(), h.options, payload)
}

// testIPv6 describes an IPv6 header.
type testIPv6 struct {
	src, dst netip.Addr
	next     uint8
	length   int // in the header; 0: the true one, -1: zero
}

func (h testIPv6) wrap(payload []byte) []byte {
	if !h.src.IsValid() {
		h.src, h.dst = client6, server6
	}
	if h.next == 0 {
		h.next = 6
	}
	length := len(payload)
	switch {
	case h.length > 0:
		length = h.length
	case h.length < 0:
		length = 0
	}
	return cat(u32(6<<28), u16(uint16(length)), []byte{h.next, 60}, h.src.AsSlice(), h.dst.AsSlice(), payload)
}

// hello is a small segment of data; plain4 and plain6 are it in IP.
var hello = testTCP{seq: 1000, ack: 2000, flags: ACK | PSH, window: 512, payload: []byte("GET / HTTP/1.1\r\n\r\n")}

func plain4() []byte { return testIPv4{id: 7}.wrap(hello.octets(client4, server4)) }
func plain6() []byte { return testIPv6{}.wrap(hello.octets(client6, server6)) }

// ethernetFrame is an Ethernet frame with a type.
func ethernetFrame(etherType uint16, payload []byte) []byte {
	return cat([]byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1}, u16(etherType), payload)
}

// udpIn is a UDP datagram.
func udpIn(src, dst uint16, payload []byte) []byte {
	return cat(u16(src), u16(dst), u16(uint16(8+len(payload))), u16(0), payload)
}

// bench is a sorter with a clock, for feeding it frames one by one.
type bench struct {
	*sorter
	now   int64
	count uint64
	frame rawFrame
	seg   Segment
}

func newBench(t testing.TB, expr string) *bench {
	t.Helper()
	filter, err := ParseFilter(expr)
	if err != nil {
		t.Fatal(err)
	}
	return &bench{sorter: newSorter(&Stats{}, filter), now: 1e18}
}

// feed decodes a frame that was captured whole, 10 ms after the last, which is too late for a copy.
func (b *bench) feed(link linkType, data []byte) Outcome {
	b.now += 10e6
	return b.show(rawFrame{Link: link, Data: data, OrigLen: uint32(len(data))})
}

// show decodes a frame at the bench's time.
func (b *bench) show(f rawFrame) Outcome {
	b.count++
	f.Number, f.Time = b.count, b.now
	b.frame = f
	b.seg.Mark = Mark{Frame: NewFrameID(0, b.count)}
	return b.sort(&b.frame, &b.seg)
}
