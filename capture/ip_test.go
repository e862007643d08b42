package capture

import (
	"testing"
)

func TestIPLengths(t *testing.T) {
	big := make([]byte, 70000)
	segment := hello.octets(client4, server4)
	segment6 := hello.octets(client6, server6)
	bigTCP := testTCP{seq: 1, payload: big}
	jumbo := func(length int) []byte { return cat([]byte{6, 0, 0xc2, 4}, u32(uint32(length))) }
	tests := []struct {
		name  string
		frame []byte
		want  uint32 // octets of data
	}{
		{"plain", testIPv4{}.wrap(segment), 18},
		{"ipv4 options", testIPv4{options: make([]byte, 40)}.wrap(segment), 18},
		{"total length zero", testIPv4{total: -1}.wrap(segment), 18},
		{"total length zero, 70 kB", testIPv4{total: -1}.wrap(bigTCP.octets(client4, server4)), 70000},
		{"padding", cat(testIPv4{}.wrap(segment), make([]byte, 300)), 18},
		{"total length beyond the frame", testIPv4{total: 20 + 20 + 1000}.wrap(segment), 1000},
		{"ipv6 padding", cat(testIPv6{}.wrap(segment6), make([]byte, 300)), 18},
		{"ipv6 zero", testIPv6{length: -1}.wrap(segment6), 18},
		{"ipv6 zero, 70 kB", testIPv6{length: -1}.wrap(bigTCP.octets(client6, server6)), 70000},
		{"ipv6 jumbo option", testIPv6{length: -1}.wrapHop(cat(jumbo(8+20+70000), bigTCP.octets(client6, server6))), 70000},
		{"ipv6 jumbo option and padding", cat(testIPv6{length: -1}.wrapHop(cat(jumbo(8+20+18), segment6)), make([]byte, 20)), 18},
		{"ipv6 zero, options without jumbo", testIPv6{length: -1}.wrapHop(cat([]byte{6, 0, 0, 1, 3, 0, 0, 0}, segment6)), 18},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, "")
			if got := b.feed(linkRaw, tt.frame); got != OutcomeSegment {
				t.Fatalf("outcome %v, want tcp", got)
			}
			if b.seg.Len != tt.want {
				t.Errorf("len %d, want %d", b.seg.Len, tt.want)
			}
			if short := uint32(len(b.seg.Payload)) < tt.want; short != b.seg.Options.Has(Snapped) {
				t.Errorf("payload %d, len %d, but options %b", len(b.seg.Payload), b.seg.Len, b.seg.Options)
			}
		})
	}
}

// wrapHop is wrap with a hop-by-hop options header first, whose number is 0.
func (h testIPv6) wrapHop(payload []byte) []byte {
	p := h.wrap(payload)
	p[6] = 0
	return p
}

func TestIPMalformed(t *testing.T) {
	segment := hello.octets(client4, server4)
	shortHeader := testIPv4{}.wrap(segment)
	shortHeader[0] = 0x44
	tests := []struct {
		name  string
		frame []byte
		want  Outcome
	}{
		{"header length 16", shortHeader, OutcomeMalformed},
		{"total length within the header", testIPv4{total: 19}.wrap(segment), OutcomeMalformed},
		{"total length within tcp", testIPv4{total: 39}.wrap(segment), OutcomeMalformed},
		{"version 5", append([]byte{0x55}, testIPv4{}.wrap(segment)[1:]...), OutcomeMalformed},
		{"extension beyond the packet", testIPv6{}.wrapHop([]byte{6, 200, 0, 0, 0, 0, 0, 0}), OutcomeMalformed},
		{"no next header", testIPv6{next: 59}.wrap(segment), OutcomeOtherIP},
		{"data offset 16", testIPv4{}.wrap(withOffset(segment, 4)), OutcomeMalformed},
		{"data offset beyond the segment", testIPv4{}.wrap(withOffset(segment, 15)), OutcomeMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := newBench(t, "").feed(linkRaw, tt.frame); got != tt.want {
				t.Errorf("outcome %v, want %v", got, tt.want)
			}
		})
	}
}

// withOffset is a copy of a segment with another data offset.
func withOffset(segment []byte, words byte) []byte {
	p := cat(segment)
	p[12] = words << 4
	return p
}

func TestExtensionHeaders(t *testing.T) {
	segment := hello.octets(client6, server6)
	pad := []byte{1, 4, 0, 0, 0, 0} // PadN fills a header of 8 octets
	tests := []struct {
		name  string
		first uint8
		chain []byte
		want  Outcome
	}{
		{"hop by hop", 0, cat([]byte{6, 0}, pad), OutcomeSegment},
		{"destination", 60, cat([]byte{6, 0}, pad), OutcomeSegment},
		{"routing, used up", 43, []byte{6, 0, 0, 0, 0, 0, 0, 0}, OutcomeSegment},
		{"routing, segments left", 43, cat([]byte{6, 2, 4, 1, 0, 0, 0, 0}, make([]byte, 16)), OutcomeSegment},
		{"authentication", 51, cat([]byte{6, 4, 0, 0}, make([]byte, 20)), OutcomeSegment},
		{"mobility", 135, cat([]byte{6, 0}, pad), OutcomeSegment},
		{"atomic fragment", 44, []byte{6, 0, 0, 0, 1, 2, 3, 4}, OutcomeSegment},
		{"four", 0, cat([]byte{60, 0}, pad, []byte{44, 0}, pad, []byte{60, 0, 0, 0, 0, 0, 0, 9}, []byte{6, 0}, pad), OutcomeSegment},
		{"without end", 0, cat(make([]byte, 8*40)), OutcomeMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, "")
			p := testIPv6{}.wrap(cat(tt.chain, segment))
			p[6] = tt.first
			if got := b.feed(linkRaw, p); got != tt.want {
				t.Fatalf("outcome %v, want %v", got, tt.want)
			}
			if tt.want == OutcomeSegment {
				checkHello(t, &b.seg)
			}
		})
	}
}

func TestOffloaded(t *testing.T) {
	large := testTCP{seq: 1, payload: make([]byte, 4000)}
	syn := func(mss uint16) []byte {
		return testIPv4{id: 1}.wrap(testTCP{flags: SYN, options: cat([]byte{2, 4}, u16(mss))}.octets(client4, server4))
	}
	tests := []struct {
		name   string
		frames [][]byte
		want   uint64
	}{
		{"larger than ethernet", [][]byte{testIPv4{id: 2}.wrap(large.octets(client4, server4))}, 1},
		{"after an ordinary syn", [][]byte{syn(1460), testIPv4{id: 2}.wrap(large.octets(client4, server4))}, 1},
		{"after a jumbo syn", [][]byte{syn(8960), testIPv4{id: 2}.wrap(large.octets(client4, server4))}, 0},
		{"loopback", [][]byte{testIPv4{src: loopback4, dst: loopback4}.wrap(large.octets(loopback4, loopback4))}, 0},
		{"small", [][]byte{plain4()}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, "")
			for _, p := range tt.frames {
				b.feed(linkRaw, p)
			}
			if b.stats.Offloaded != tt.want {
				t.Errorf("offloaded %d, want %d", b.stats.Offloaded, tt.want)
			}
		})
	}
}

func TestUDPKinds(t *testing.T) {
	initial := cat([]byte{0xc3}, u32(1), []byte{8}, make([]byte, 8), []byte{4}, make([]byte, 1190))
	version := func(v uint32) []byte { return cat([]byte{0xc3}, u32(v), []byte{8}, make([]byte, 8), []byte{0, 0}) }
	short := cat([]byte{0x43}, make([]byte, 30))
	datagram := func(src, dst uint16, p []byte) []byte { return testIPv4{protocol: 17}.wrap(udpIn(src, dst, p)) }
	reply := func(src, dst uint16, p []byte) []byte {
		return testIPv4{src: server4, dst: client4, protocol: 17}.wrap(udpIn(src, dst, p))
	}
	tests := []struct {
		name   string
		frames [][]byte
		want   Outcome // of the last
	}{
		{"dns query", [][]byte{datagram(5000, 53, make([]byte, 20))}, OutcomeDNS},
		{"dns answer", [][]byte{datagram(53, 5000, make([]byte, 20))}, OutcomeDNS},
		{"initial", [][]byte{datagram(5000, 443, initial)}, OutcomeQUIC},
		{"initial at any port", [][]byte{datagram(5000, 9999, initial)}, OutcomeQUIC},
		{"version 2", [][]byte{datagram(5000, 9999, version(0x6b3343cf))}, OutcomeQUIC},
		{"draft 29", [][]byte{datagram(5000, 443, version(0xff00001d))}, OutcomeQUIC},
		{"draft 29 elsewhere", [][]byte{datagram(5000, 444, version(0xff00001d))}, OutcomeUDP},
		{"reserved version", [][]byte{datagram(5000, 443, version(0x1a2a3a4a))}, OutcomeQUIC},
		{"version negotiation", [][]byte{datagram(443, 5000, version(0))}, OutcomeQUIC},
		{"version negotiation elsewhere", [][]byte{datagram(444, 5000, version(0))}, OutcomeUDP},
		{"unknown version", [][]byte{datagram(5000, 443, version(0x12345678))}, OutcomeUDP},
		{"identifier too long", [][]byte{datagram(5000, 443, cat([]byte{0xc3}, u32(1), []byte{21}, make([]byte, 60)))}, OutcomeUDP},
		{"short header after long", [][]byte{datagram(5000, 443, initial), reply(443, 5000, short)}, OutcomeQUIC},
		{"short header alone", [][]byte{datagram(5000, 443, short)}, OutcomeUDP},
		{"short header of another flow", [][]byte{datagram(5000, 443, initial), datagram(5001, 443, short)}, OutcomeUDP},
		{"rtp", [][]byte{datagram(5000, 6000, cat([]byte{0x80, 0}, make([]byte, 170)))}, OutcomeUDP},
		{"cut", [][]byte{testIPv4{protocol: 17}.wrap([]byte{1, 2, 3})}, OutcomeMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, "")
			var got Outcome
			for _, p := range tt.frames {
				got = b.feed(linkRaw, p)
			}
			if got != tt.want {
				t.Errorf("outcome %v, want %v", got, tt.want)
			}
		})
	}
}
