package decode

import (
	"net/netip"
	"testing"

	"tcpwhy/capture/internal/frame"
	"tcpwhy/capture/internal/frametest"
	"tcpwhy/capture/segment"
)

func TestICMPErrors(t *testing.T) {
	four, six := frametest.Hello4(), frametest.Hello6()
	router6 := netip.MustParseAddr("2001:db8::ffff")
	icmp4 := func(kind, code byte, word uint32, quoted []byte) []byte {
		return frametest.IPv4{Src: frametest.Router4, Dst: frametest.Client4, Protocol: 1, TTL: 250}.Wrap(frametest.Cat([]byte{kind, code, 0, 0}, frametest.U32(word), quoted))
	}
	icmp6 := func(kind, code byte, word uint32, quoted []byte) []byte {
		return frametest.IPv6{Src: router6, Dst: frametest.Client6, Next: 58}.Wrap(frametest.Cat([]byte{kind, code, 0, 0}, frametest.U32(word), quoted))
	}
	tests := []struct {
		name  string
		frame []byte
		want  segment.ICMPInfo
	}{
		{"host unreachable, 8 octets", icmp4(3, 1, 0, four[:28]), segment.ICMPInfo{From: frametest.Router4, Type: 3, Code: 1}},
		{"port unreachable, whole", icmp4(3, 3, 0, four), segment.ICMPInfo{From: frametest.Router4, Type: 3, Code: 3}},
		{"administratively prohibited", icmp4(3, 13, 0, four[:28]), segment.ICMPInfo{From: frametest.Router4, Type: 3, Code: 13}},
		{"fragmentation needed", icmp4(3, 4, 1400, four[:28]), segment.ICMPInfo{From: frametest.Router4, Type: 3, Code: 4, MTU: 1400}},
		{"fragmentation needed, no mtu", icmp4(3, 4, 0, four[:28]), segment.ICMPInfo{From: frametest.Router4, Type: 3, Code: 4}},
		{"time exceeded", icmp4(11, 0, 0, four[:28]), segment.ICMPInfo{From: frametest.Router4, Type: 11}},
		{"packet too big", icmp6(2, 0, 1280, six), segment.ICMPInfo{From: router6, V6: true, Type: 2, MTU: 1280}},
		{"ipv6 no route", icmp6(1, 0, 0, six), segment.ICMPInfo{From: router6, V6: true, Type: 1}},
		{"ipv6 hop limit", icmp6(3, 0, 0, six[:48]), segment.ICMPInfo{From: router6, V6: true, Type: 3}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench()
			if got := b.feed(frame.LinkRaw, tt.frame); got != ICMPError {
				t.Fatalf("outcome %v, want icmp-error", got)
			}
			s := &b.seg
			if s.Kind != segment.ICMPError || s.ICMP != tt.want {
				t.Errorf("kind %d, %+v, want %+v", s.Kind, s.ICMP, tt.want)
			}
			if s.Src.Port() != 50000 || s.Dst.Port() != 80 || s.Seq != 1000 {
				t.Errorf("quoted %v %v seq %d", s.Src, s.Dst, s.Seq)
			}
			if s.Src.Addr() != frametest.Client4 && s.Src.Addr() != frametest.Client6 {
				t.Errorf("source %v is not that of the quoted segment", s.Src)
			}
			if s.Src.Addr().Is4() && (s.IPID != 7 || !s.Options.Has(segment.HasIPID)) {
				t.Errorf("identification %d, want that of the quoted packet", s.IPID)
			}
		})
	}
}

func TestICMPOthers(t *testing.T) {
	four := frametest.Hello4()
	udp := frametest.IPv4{Protocol: 17}.Wrap(frametest.UDP(1, 2, make([]byte, 20)))
	later := frametest.IPv4{Fragment: 5}.Wrap(make([]byte, 20))
	icmp4 := func(kind byte, quoted []byte) []byte {
		return frametest.IPv4{Src: frametest.Router4, Dst: frametest.Client4, Protocol: 1}.Wrap(frametest.Cat([]byte{kind, 0, 0, 0}, frametest.U32(0), quoted))
	}
	tests := map[string][]byte{
		"echo":                     icmp4(8, four),
		"source quench":            icmp4(4, four),
		"udp quoted":               icmp4(3, udp),
		"later fragment quoted":    icmp4(3, later),
		"ports only":               icmp4(3, four[:24]),
		"nothing quoted":           icmp4(3, nil),
		"header only":              icmp4(3, four[:20]),
		"neighbour advertisement":  frametest.IPv6{Next: 58}.Wrap(frametest.Cat([]byte{136, 0, 0, 0}, make([]byte, 20))),
		"empty icmpv6":             frametest.IPv6{Next: 58}.Wrap([]byte{1, 0, 0, 0}),
		"half an icmp":             frametest.IPv4{Protocol: 1}.Wrap([]byte{3, 0}),
		"a quoted extension's cut": frametest.IPv6{Next: 58}.Wrap(frametest.Cat([]byte{1, 0, 0, 0}, frametest.U32(0), frametest.IPv6{Next: 60}.Wrap([]byte{6, 9, 0, 0}))),
	}
	for name, octets := range tests {
		t.Run(name, func(t *testing.T) {
			if got := newBench().feed(frame.LinkRaw, octets); got != OtherIP {
				t.Errorf("outcome %v, want other-ip", got)
			}
		})
	}
}

func TestICMPQuotedAfterExtensions(t *testing.T) {
	quoted := frametest.IPv6{Next: 60}.Wrap(frametest.Cat([]byte{44, 0, 1, 4, 0, 0, 0, 0}, []byte{6, 0, 0, 1, 0, 0, 0, 9}, frametest.Hello.Octets(frametest.Client6, frametest.Server6)))
	b := newBench()
	if got := b.feed(frame.LinkRaw, frametest.IPv6{Next: 58}.Wrap(frametest.Cat([]byte{2, 0, 0, 0}, frametest.U32(1400), quoted))); got != ICMPError {
		t.Fatalf("outcome %v, want icmp-error", got)
	}
	if b.seg.Seq != 1000 || int(b.seg.Len) != len(frametest.Hello.Payload) {
		t.Errorf("seq %d len %d", b.seg.Seq, b.seg.Len)
	}
}
