package decode

import (
	"testing"

	"tcpwhy/capture/internal/frame"
	"tcpwhy/capture/internal/frametest"
	"tcpwhy/capture/segment"
)

func TestIPLengths(t *testing.T) {
	big := make([]byte, 70000)
	whole := frametest.Hello.Octets(frametest.Client4, frametest.Server4)
	segment6 := frametest.Hello.Octets(frametest.Client6, frametest.Server6)
	bigTCP := frametest.TCP{Seq: 1, Payload: big}
	jumbo := func(length int) []byte { return frametest.Cat([]byte{6, 0, 0xc2, 4}, frametest.U32(uint32(length))) }
	tests := []struct {
		name  string
		frame []byte
		want  uint32 // octets of data
	}{
		{"plain", frametest.IPv4{}.Wrap(whole), 18},
		{"ipv4 options", frametest.IPv4{Options: make([]byte, 40)}.Wrap(whole), 18},
		{"total length zero", frametest.IPv4{Total: -1}.Wrap(whole), 18},
		{"total length zero, 70 kB", frametest.IPv4{Total: -1}.Wrap(bigTCP.Octets(frametest.Client4, frametest.Server4)), 70000},
		{"padding", frametest.Cat(frametest.IPv4{}.Wrap(whole), make([]byte, 300)), 18},
		{"total length beyond the frame", frametest.IPv4{Total: 20 + 20 + 1000}.Wrap(whole), 1000},
		{"ipv6 padding", frametest.Cat(frametest.IPv6{}.Wrap(segment6), make([]byte, 300)), 18},
		{"ipv6 zero", frametest.IPv6{Length: -1}.Wrap(segment6), 18},
		{"ipv6 zero, 70 kB", frametest.IPv6{Length: -1}.Wrap(bigTCP.Octets(frametest.Client6, frametest.Server6)), 70000},
		{"ipv6 jumbo option", frametest.IPv6{Length: -1}.WrapHop(frametest.Cat(jumbo(8+20+70000), bigTCP.Octets(frametest.Client6, frametest.Server6))), 70000},
		{"ipv6 jumbo option and padding", frametest.Cat(frametest.IPv6{Length: -1}.WrapHop(frametest.Cat(jumbo(8+20+18), segment6)), make([]byte, 20)), 18},
		{"ipv6 zero, options without jumbo", frametest.IPv6{Length: -1}.WrapHop(frametest.Cat([]byte{6, 0, 0, 1, 3, 0, 0, 0}, segment6)), 18},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench()
			if got := b.feed(frame.LinkRaw, tt.frame); got != Segment {
				t.Fatalf("outcome %v, want tcp", got)
			}
			if b.seg.Len != tt.want {
				t.Errorf("len %d, want %d", b.seg.Len, tt.want)
			}
			if short := uint32(len(b.seg.Payload)) < tt.want; short != b.seg.Options.Has(segment.Snapped) {
				t.Errorf("payload %d, len %d, but options %b", len(b.seg.Payload), b.seg.Len, b.seg.Options)
			}
		})
	}
}

func TestIPMalformed(t *testing.T) {
	whole := frametest.Hello.Octets(frametest.Client4, frametest.Server4)
	shortHeader := frametest.IPv4{}.Wrap(whole)
	shortHeader[0] = 0x44
	tests := []struct {
		name  string
		frame []byte
		want  Outcome
	}{
		{"header length 16", shortHeader, Malformed},
		{"total length within the header", frametest.IPv4{Total: 19}.Wrap(whole), Malformed},
		{"total length within tcp", frametest.IPv4{Total: 39}.Wrap(whole), Malformed},
		{"version 5", append([]byte{0x55}, frametest.IPv4{}.Wrap(whole)[1:]...), Malformed},
		{"extension beyond the packet", frametest.IPv6{}.WrapHop([]byte{6, 200, 0, 0, 0, 0, 0, 0}), Malformed},
		{"no next header", frametest.IPv6{Next: 59}.Wrap(whole), OtherIP},
		{"data offset 16", frametest.IPv4{}.Wrap(withOffset(whole, 4)), Malformed},
		{"data offset beyond the segment", frametest.IPv4{}.Wrap(withOffset(whole, 15)), Malformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := newBench().feed(frame.LinkRaw, tt.frame); got != tt.want {
				t.Errorf("outcome %v, want %v", got, tt.want)
			}
		})
	}
}

// withOffset is a copy of a segment with another data offset.
func withOffset(whole []byte, words byte) []byte {
	p := frametest.Cat(whole)
	p[12] = words << 4
	return p
}

func TestExtensionHeaders(t *testing.T) {
	whole := frametest.Hello.Octets(frametest.Client6, frametest.Server6)
	pad := []byte{1, 4, 0, 0, 0, 0} // PadN fills a header of 8 octets
	tests := []struct {
		name  string
		first uint8
		chain []byte
		want  Outcome
	}{
		{"hop by hop", 0, frametest.Cat([]byte{6, 0}, pad), Segment},
		{"destination", 60, frametest.Cat([]byte{6, 0}, pad), Segment},
		{"routing, used up", 43, []byte{6, 0, 0, 0, 0, 0, 0, 0}, Segment},
		{"routing, segments left", 43, frametest.Cat([]byte{6, 2, 4, 1, 0, 0, 0, 0}, make([]byte, 16)), Segment},
		{"authentication", 51, frametest.Cat([]byte{6, 4, 0, 0}, make([]byte, 20)), Segment},
		{"mobility", 135, frametest.Cat([]byte{6, 0}, pad), Segment},
		{"atomic fragment", 44, []byte{6, 0, 0, 0, 1, 2, 3, 4}, Segment},
		{"four", 0, frametest.Cat([]byte{60, 0}, pad, []byte{44, 0}, pad, []byte{60, 0, 0, 0, 0, 0, 0, 9}, []byte{6, 0}, pad), Segment},
		{"without end", 0, frametest.Cat(make([]byte, 8*40)), Malformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench()
			p := frametest.IPv6{}.Wrap(frametest.Cat(tt.chain, whole))
			p[6] = tt.first
			if got := b.feed(frame.LinkRaw, p); got != tt.want {
				t.Fatalf("outcome %v, want %v", got, tt.want)
			}
			if tt.want == Segment {
				checkHello(t, &b.seg)
			}
		})
	}
}

func TestOffloaded(t *testing.T) {
	large := frametest.TCP{Seq: 1, Payload: make([]byte, 4000)}
	syn := func(mss uint16) []byte {
		return frametest.IPv4{ID: 1}.Wrap(frametest.TCP{Flags: segment.SYN, Options: frametest.Cat([]byte{2, 4}, frametest.U16(mss))}.Octets(frametest.Client4, frametest.Server4))
	}
	tests := []struct {
		name   string
		frames [][]byte
		want   uint64
	}{
		{"larger than ethernet", [][]byte{frametest.IPv4{ID: 2}.Wrap(large.Octets(frametest.Client4, frametest.Server4))}, 1},
		{"after an ordinary syn", [][]byte{syn(1460), frametest.IPv4{ID: 2}.Wrap(large.Octets(frametest.Client4, frametest.Server4))}, 1},
		{"after a jumbo syn", [][]byte{syn(8960), frametest.IPv4{ID: 2}.Wrap(large.Octets(frametest.Client4, frametest.Server4))}, 0},
		{"loopback", [][]byte{frametest.IPv4{Src: frametest.Loopback4, Dst: frametest.Loopback4}.Wrap(large.Octets(frametest.Loopback4, frametest.Loopback4))}, 0},
		{"small", [][]byte{frametest.Hello4()}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench()
			for _, p := range tt.frames {
				b.feed(frame.LinkRaw, p)
			}
			if b.offloaded != tt.want {
				t.Errorf("offloaded %d, want %d", b.offloaded, tt.want)
			}
		})
	}
}

func TestUDPKinds(t *testing.T) {
	initial := frametest.Cat([]byte{0xc3}, frametest.U32(1), []byte{8}, make([]byte, 8), []byte{4}, make([]byte, 1190))
	version := func(v uint32) []byte {
		return frametest.Cat([]byte{0xc3}, frametest.U32(v), []byte{8}, make([]byte, 8), []byte{0, 0})
	}
	short := frametest.Cat([]byte{0x43}, make([]byte, 30))
	datagram := func(src, dst uint16, p []byte) []byte {
		return frametest.IPv4{Protocol: 17}.Wrap(frametest.UDP(src, dst, p))
	}
	reply := func(src, dst uint16, p []byte) []byte {
		return frametest.IPv4{Src: frametest.Server4, Dst: frametest.Client4, Protocol: 17}.Wrap(frametest.UDP(src, dst, p))
	}
	tests := []struct {
		name   string
		frames [][]byte
		want   Outcome // of the last
	}{
		{"dns query", [][]byte{datagram(5000, 53, make([]byte, 20))}, DNS},
		{"dns answer", [][]byte{datagram(53, 5000, make([]byte, 20))}, DNS},
		{"initial", [][]byte{datagram(5000, 443, initial)}, QUIC},
		{"initial at any port", [][]byte{datagram(5000, 9999, initial)}, QUIC},
		{"version 2", [][]byte{datagram(5000, 9999, version(0x6b3343cf))}, QUIC},
		{"draft 29", [][]byte{datagram(5000, 443, version(0xff00001d))}, QUIC},
		{"draft 29 elsewhere", [][]byte{datagram(5000, 444, version(0xff00001d))}, UDP},
		{"reserved version", [][]byte{datagram(5000, 443, version(0x1a2a3a4a))}, QUIC},
		{"version negotiation", [][]byte{datagram(443, 5000, version(0))}, QUIC},
		{"version negotiation elsewhere", [][]byte{datagram(444, 5000, version(0))}, UDP},
		{"unknown version", [][]byte{datagram(5000, 443, version(0x12345678))}, UDP},
		{"identifier too long", [][]byte{datagram(5000, 443, frametest.Cat([]byte{0xc3}, frametest.U32(1), []byte{21}, make([]byte, 60)))}, UDP},
		{"short header after long", [][]byte{datagram(5000, 443, initial), reply(443, 5000, short)}, QUIC},
		{"short header alone", [][]byte{datagram(5000, 443, short)}, UDP},
		{"short header of another flow", [][]byte{datagram(5000, 443, initial), datagram(5001, 443, short)}, UDP},
		{"rtp", [][]byte{datagram(5000, 6000, frametest.Cat([]byte{0x80, 0}, make([]byte, 170)))}, UDP},
		{"cut", [][]byte{frametest.IPv4{Protocol: 17}.Wrap([]byte{1, 2, 3})}, Malformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench()
			var got Outcome
			for _, p := range tt.frames {
				got = b.feed(frame.LinkRaw, p)
			}
			if got != tt.want {
				t.Errorf("outcome %v, want %v", got, tt.want)
			}
		})
	}
}
