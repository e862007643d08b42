package capture

import (
	"net/netip"
	"testing"
)

var router4 = netip.MustParseAddr("198.51.100.1")

func TestICMPErrors(t *testing.T) {
	four, six := plain4(), plain6()
	router6 := netip.MustParseAddr("2001:db8::ffff")
	icmp4 := func(kind, code byte, word uint32, quoted []byte) []byte {
		return testIPv4{src: router4, dst: client4, protocol: 1, ttl: 250}.wrap(cat([]byte{kind, code, 0, 0}, u32(word), quoted))
	}
	icmp6 := func(kind, code byte, word uint32, quoted []byte) []byte {
		return testIPv6{src: router6, dst: client6, next: 58}.wrap(cat([]byte{kind, code, 0, 0}, u32(word), quoted))
	}
	tests := []struct {
		name  string
		frame []byte
		want  ICMPInfo
	}{
		{"host unreachable, 8 octets", icmp4(3, 1, 0, four[:28]), ICMPInfo{From: router4, Type: 3, Code: 1}},
		{"port unreachable, whole", icmp4(3, 3, 0, four), ICMPInfo{From: router4, Type: 3, Code: 3}},
		{"administratively prohibited", icmp4(3, 13, 0, four[:28]), ICMPInfo{From: router4, Type: 3, Code: 13}},
		{"fragmentation needed", icmp4(3, 4, 1400, four[:28]), ICMPInfo{From: router4, Type: 3, Code: 4, MTU: 1400}},
		{"fragmentation needed, no mtu", icmp4(3, 4, 0, four[:28]), ICMPInfo{From: router4, Type: 3, Code: 4}},
		{"time exceeded", icmp4(11, 0, 0, four[:28]), ICMPInfo{From: router4, Type: 11}},
		{"packet too big", icmp6(2, 0, 1280, six), ICMPInfo{From: router6, V6: true, Type: 2, MTU: 1280}},
		{"ipv6 no route", icmp6(1, 0, 0, six), ICMPInfo{From: router6, V6: true, Type: 1}},
		{"ipv6 hop limit", icmp6(3, 0, 0, six[:48]), ICMPInfo{From: router6, V6: true, Type: 3}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, "")
			if got := b.feed(linkRaw, tt.frame); got != OutcomeICMP {
				t.Fatalf("outcome %v, want icmp-error", got)
			}
			s := &b.seg
			if s.Kind != ICMPError || s.ICMP != tt.want {
				t.Errorf("kind %d, %+v, want %+v", s.Kind, s.ICMP, tt.want)
			}
			if s.Src.Port() != 50000 || s.Dst.Port() != 80 || s.Seq != 1000 {
				t.Errorf("quoted %v %v seq %d", s.Src, s.Dst, s.Seq)
			}
			if s.Src.Addr() != client4 && s.Src.Addr() != client6 {
				t.Errorf("source %v is not that of the quoted segment", s.Src)
			}
			if s.Src.Addr().Is4() && (s.IPID != 7 || !s.Options.Has(HasIPID)) {
				t.Errorf("identification %d, want that of the quoted packet", s.IPID)
			}
		})
	}
}

func TestICMPOthers(t *testing.T) {
	four := plain4()
	udp := testIPv4{protocol: 17}.wrap(udpIn(1, 2, make([]byte, 20)))
	later := testIPv4{fragment: 5}.wrap(make([]byte, 20))
	icmp4 := func(kind byte, quoted []byte) []byte {
		return testIPv4{src: router4, dst: client4, protocol: 1}.wrap(cat([]byte{kind, 0, 0, 0}, u32(0), quoted))
	}
	tests := map[string][]byte{
		"echo":                     icmp4(8, four),
		"source quench":            icmp4(4, four),
		"udp quoted":               icmp4(3, udp),
		"later fragment quoted":    icmp4(3, later),
		"ports only":               icmp4(3, four[:24]),
		"nothing quoted":           icmp4(3, nil),
		"header only":              icmp4(3, four[:20]),
		"neighbour advertisement":  testIPv6{next: 58}.wrap(cat([]byte{136, 0, 0, 0}, make([]byte, 20))),
		"empty icmpv6":             testIPv6{next: 58}.wrap([]byte{1, 0, 0, 0}),
		"half an icmp":             testIPv4{protocol: 1}.wrap([]byte{3, 0}),
		"a quoted extension's cut": testIPv6{next: 58}.wrap(cat([]byte{1, 0, 0, 0}, u32(0), testIPv6{next: 60}.wrap([]byte{6, 9, 0, 0}))),
	}
	for name, frame := range tests {
		t.Run(name, func(t *testing.T) {
			if got := newBench(t, "").feed(linkRaw, frame); got != OutcomeOtherIP {
				t.Errorf("outcome %v, want other-ip", got)
			}
		})
	}
}

func TestICMPQuotedAfterExtensions(t *testing.T) {
	quoted := testIPv6{next: 60}.wrap(cat([]byte{44, 0, 1, 4, 0, 0, 0, 0}, []byte{6, 0, 0, 1, 0, 0, 0, 9}, hello.octets(client6, server6)))
	b := newBench(t, "")
	if got := b.feed(linkRaw, testIPv6{next: 58}.wrap(cat([]byte{2, 0, 0, 0}, u32(1400), quoted))); got != OutcomeICMP {
		t.Fatalf("outcome %v, want icmp-error", got)
	}
	if b.seg.Seq != 1000 || int(b.seg.Len) != len(hello.payload) {
		t.Errorf("seq %d len %d", b.seg.Seq, b.seg.Len)
	}
}
