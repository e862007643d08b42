package capture

import (
	"maps"
	"testing"
)

func TestTunnels(t *testing.T) {
	four, six := plain4(), plain6()
	frame := ethernetFrame(etherIPv4, four)
	in4 := func(protocol uint8, p []byte) []byte {
		return ethernetFrame(etherIPv4, testIPv4{src: server4, dst: client4, protocol: protocol, id: 99}.wrap(p))
	}
	in6 := func(protocol uint8, p []byte) []byte {
		return ethernetFrame(etherIPv6, testIPv6{src: server6, dst: client6, next: protocol}.wrap(p))
	}
	udp4 := func(port uint16, p []byte) []byte { return in4(17, udpIn(40000, port, p)) }
	vxlan := cat([]byte{8, 0, 0, 0}, u32(42<<8))
	tests := []struct {
		name    string
		frame   []byte
		tunnels string
	}{
		{"gre ipv4", in4(47, cat(u16(0), u16(etherIPv4), four)), "gre"},
		{"gre checksum key sequence", in4(47, cat(u16(0xb000), u16(etherIPv6), make([]byte, 12), six)), "gre"},
		{"gre key", in4(47, cat(u16(0x2000), u16(etherIPv4), u32(5), four)), "gre"},
		{"gre ethernet", in6(47, cat(u16(0), u16(etherTEB), frame)), "gre"},
		{"gre pptp", in4(47, cat(u16(0x3081), u16(etherPPP), make([]byte, 12), []byte{0xff, 3, 0, 0x21}, four)), "gre"},
		{"gre mpls", in4(47, cat(u16(0), u16(etherMPLS), label(3, true), four)), "gre mpls"},
		{"erspan 1", in4(47, cat(u16(0), u16(etherERSPAN), frame)), "gre erspan"},
		{"erspan 2", in4(47, cat(u16(greSequence), u16(etherERSPAN), u32(1), []byte{0x10, 1, 2, 3, 0, 0, 0, 1}, frame)), "gre erspan"},
		{"erspan 3", in4(47, cat(u16(greSequence), u16(etherERSPAN3), u32(1), []byte{0x20, 1, 2, 3}, make([]byte, 8), frame)), "gre erspan"},
		{"erspan 3 platform", in4(47, cat(u16(greSequence), u16(etherERSPAN3), u32(1), []byte{0x20, 1, 2, 3}, make([]byte, 7), []byte{1}, make([]byte, 8), frame)), "gre erspan"},
		{"ip in ip", in4(4, four), "ipip"},
		{"6in4", in4(41, six), "6in4"},
		{"4in6", in6(4, four), "4in6"},
		{"ipv6 in ipv6", in6(41, six), "ipip"},
		{"mpls in ip", in4(137, cat(label(3, true), four)), "mpls"},
		{"etherip", in4(97, cat([]byte{0x30, 0}, frame)), "etherip"},
		{"vxlan", udp4(4789, cat(vxlan, frame)), "vxlan"},
		{"vxlan linux port", udp4(8472, cat(vxlan, ethernetFrame(etherVLAN, cat(tag(4, etherIPv6), six)))), "vxlan vlan"},
		{"vxlan over ipv6", in6(17, udpIn(1, 4789, cat(vxlan, frame))), "vxlan"},
		{"geneve ethernet", udp4(6081, cat([]byte{0, 0}, u16(etherTEB), u32(0), frame)), "geneve"},
		{"geneve options", udp4(6081, cat([]byte{2, 0}, u16(etherIPv4), u32(0), make([]byte, 8), four)), "geneve"},
		{"gtp", udp4(2152, cat([]byte{0x30, 255}, u16(58), u32(1), four)), "gtp"},
		{"gtp sequence", udp4(2152, cat([]byte{0x32, 255}, u16(4+78), u32(1), []byte{0, 1, 0, 0}, six)), "gtp"},
		{"gtp extensions", udp4(2152, cat([]byte{0x34, 255}, u16(12+58), u32(1), []byte{0, 1, 0, 0x85}, []byte{1, 0x10, 9, 0xc0}, []byte{1, 0, 7, 0}, four)), "gtp"},
		{"vxlan in gre in vlan", ethernetFrame(etherVLAN, cat(tag(9, etherIPv4), testIPv4{protocol: 47}.wrap(cat(u16(0), u16(etherIPv4), testIPv4{protocol: 17}.wrap(udpIn(1, 4789, cat(vxlan, frame))))))), "vlan gre vxlan"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, "")
			if got := b.feed(linkEthernet, tt.frame); got != OutcomeSegment {
				t.Fatalf("outcome %v, want tcp", got)
			}
			checkHello(t, &b.seg)
			if want := tunnelCounts(tt.tunnels); !maps.Equal(b.stats.Tunnels, want) {
				t.Errorf("tunnels %v, want %v", b.stats.Tunnels, want)
			}
		})
	}
}

func TestNotTunnels(t *testing.T) {
	udp := func(src, dst uint16, p []byte) []byte { return testIPv4{protocol: 17}.wrap(udpIn(src, dst, p)) }
	text := []byte("just some text that is long enough")
	nested := plain4()
	for range 40 {
		nested = testIPv4{protocol: 4}.wrap(nested)
	}
	tests := []struct {
		name  string
		frame []byte
		want  Outcome
	}{
		{"text at the vxlan port", udp(1, 4789, text), OutcomeUDP},
		{"text at the geneve port", udp(1, 6081, text), OutcomeUDP},
		{"gtp echo request", udp(2152, 2152, cat([]byte{0x32, 1}, make([]byte, 10))), OutcomeUDP},
		{"gtp empty extension", udp(2152, 2152, cat([]byte{0x34, 255}, u16(0), u32(1), []byte{0, 1, 0, 0x85}, make([]byte, 8))), OutcomeMalformed},
		{"gre with routing", testIPv4{protocol: 47}.wrap(cat(u16(greRouting), u16(etherIPv4), plain4())), OutcomeOtherIP},
		{"gre keepalive", testIPv4{protocol: 47}.wrap(cat(u16(0), u16(0))), OutcomeNotIP},
		{"arp in vxlan", udp(1, 4789, cat([]byte{8, 0, 0, 0}, u32(0), ethernetFrame(0x0806, make([]byte, 28)))), OutcomeNotIP},
		{"ip in ip forty deep", nested, OutcomeMalformed},
		{"ospf", testIPv4{protocol: 89}.wrap(text), OutcomeOtherIP},
		{"esp", testIPv4{protocol: 50}.wrap(text), OutcomeOtherIP},
		{"sctp over ipv6", testIPv6{next: 132}.wrap(text), OutcomeOtherIP},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := newBench(t, "").feed(linkRaw, tt.frame); got != tt.want {
				t.Errorf("outcome %v, want %v", got, tt.want)
			}
		})
	}
}
