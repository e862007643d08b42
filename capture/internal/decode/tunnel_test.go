package decode

import (
	"maps"
	"testing"

	"tcpwhy/capture/internal/frame"
	"tcpwhy/capture/internal/frametest"
	"tcpwhy/capture/internal/header"
)

func TestTunnels(t *testing.T) {
	four, six := frametest.Hello4(), frametest.Hello6()
	octets := frametest.Ethernet(header.EtherIPv4, four)
	in4 := func(protocol uint8, p []byte) []byte {
		return frametest.Ethernet(header.EtherIPv4, frametest.IPv4{Src: frametest.Server4, Dst: frametest.Client4, Protocol: protocol, ID: 99}.Wrap(p))
	}
	in6 := func(protocol uint8, p []byte) []byte {
		return frametest.Ethernet(header.EtherIPv6, frametest.IPv6{Src: frametest.Server6, Dst: frametest.Client6, Next: protocol}.Wrap(p))
	}
	udp4 := func(port uint16, p []byte) []byte { return in4(17, frametest.UDP(40000, port, p)) }
	vxlan := frametest.Cat([]byte{8, 0, 0, 0}, frametest.U32(42<<8))
	tests := []struct {
		name    string
		frame   []byte
		tunnels string
	}{
		{"gre ipv4", in4(47, frametest.Cat(frametest.U16(0), frametest.U16(header.EtherIPv4), four)), "gre"},
		{"gre checksum key sequence", in4(47, frametest.Cat(frametest.U16(0xb000), frametest.U16(header.EtherIPv6), make([]byte, 12), six)), "gre"},
		{"gre key", in4(47, frametest.Cat(frametest.U16(0x2000), frametest.U16(header.EtherIPv4), frametest.U32(5), four)), "gre"},
		{"gre ethernet", in6(47, frametest.Cat(frametest.U16(0), frametest.U16(header.EtherTEB), octets)), "gre"},
		{"gre pptp", in4(47, frametest.Cat(frametest.U16(0x3081), frametest.U16(header.EtherPPP), make([]byte, 12), []byte{0xff, 3, 0, 0x21}, four)), "gre"},
		{"gre mpls", in4(47, frametest.Cat(frametest.U16(0), frametest.U16(header.EtherMPLS), label(3, true), four)), "gre mpls"},
		{"erspan 1", in4(47, frametest.Cat(frametest.U16(0), frametest.U16(header.EtherERSPAN), octets)), "gre erspan"},
		{"erspan 2", in4(47, frametest.Cat(frametest.U16(greSequence), frametest.U16(header.EtherERSPAN), frametest.U32(1), []byte{0x10, 1, 2, 3, 0, 0, 0, 1}, octets)), "gre erspan"},
		{"erspan 3", in4(47, frametest.Cat(frametest.U16(greSequence), frametest.U16(header.EtherERSPAN3), frametest.U32(1), []byte{0x20, 1, 2, 3}, make([]byte, 8), octets)), "gre erspan"},
		{"erspan 3 platform", in4(47, frametest.Cat(frametest.U16(greSequence), frametest.U16(header.EtherERSPAN3), frametest.U32(1), []byte{0x20, 1, 2, 3}, make([]byte, 7), []byte{1}, make([]byte, 8), octets)), "gre erspan"},
		{"ip in ip", in4(4, four), "ipip"},
		{"6in4", in4(41, six), "6in4"},
		{"4in6", in6(4, four), "4in6"},
		{"ipv6 in ipv6", in6(41, six), "ipip"},
		{"mpls in ip", in4(137, frametest.Cat(label(3, true), four)), "mpls"},
		{"etherip", in4(97, frametest.Cat([]byte{0x30, 0}, octets)), "etherip"},
		{"vxlan", udp4(4789, frametest.Cat(vxlan, octets)), "vxlan"},
		{
			"vxlan linux port",
			udp4(
				8472,
				frametest.Cat(
					vxlan,
					frametest.Ethernet(header.EtherVLAN,
						frametest.Cat(frametest.Tag(4, header.EtherIPv6), six)),
				),
			),
			"vxlan vlan",
		},
		{
			"vxlan with group policy",
			udp4(4789, frametest.Cat([]byte{0x88, 0, 0, 7}, frametest.U32(42<<8), octets)),
			"vxlan",
		},
		{
			"vxlan with reserved flags",
			udp4(4789, frametest.Cat([]byte{0xfa, 0xff, 0xff, 0xff}, frametest.U32(42<<8), octets)),
			"vxlan",
		},
		{
			"vxlan-gpe ethernet",
			udp4(4790, frametest.Cat([]byte{0x0c, 0, 0, 3}, frametest.U32(42<<8), octets)),
			"vxlan",
		},
		{
			"vxlan-gpe ipv4 at the older port",
			udp4(4789, frametest.Cat([]byte{0x0c, 0, 0, 1}, frametest.U32(42<<8), four)),
			"vxlan",
		},
		{
			"vxlan-gpe ipv6",
			udp4(4790, frametest.Cat([]byte{0x0c, 0, 0, 2}, frametest.U32(42<<8), six)),
			"vxlan",
		},
		{
			"vxlan-gpe nsh",
			udp4(
				4790,
				frametest.Cat([]byte{0x04, 0, 0, 4}, frametest.U32(0), []byte{0x0f, 0xc6, 1, 3},
					make([]byte, 20), octets),
			),
			"vxlan nsh",
		},
		{
			"nsh of variable length",
			frametest.Ethernet(header.EtherNSH,
				frametest.Cat([]byte{0x0f, 0xc3, 2, 1}, make([]byte, 8), four)),
			"nsh",
		},
		{
			"gre in udp",
			udp4(
				4754,
				frametest.Cat(frametest.U16(0x2000), frametest.U16(header.EtherIPv4),
					frametest.U32(5), four),
			),
			"gre",
		},
		{
			"mpls in udp",
			in6(17,
				frametest.UDP(50000, 6635, frametest.Cat(label(3, false), label(4, true), six))),
			"mpls mpls",
		},
		{
			"cisco metadata",
			frametest.Ethernet(header.EtherCMD,
				frametest.Cat([]byte{1, 1, 0, 1, 0, 9}, frametest.U16(header.EtherIPv4), four)),
			"cisco-metadata",
		},
		{
			"cisco metadata in a vlan",
			frametest.Ethernet(
				header.EtherVLAN,
				frametest.Cat(frametest.Tag(4, header.EtherCMD),
					[]byte{1, 2, 0, 1, 0, 9, 0, 1, 0, 0}, frametest.U16(header.EtherIPv6), six),
			),
			"vlan cisco-metadata",
		},
		{
			"vn-tag",
			frametest.Ethernet(
				header.EtherVNTag,
				frametest.Cat(frametest.U32(0x80010002), frametest.U16(header.EtherVLAN),
					frametest.Tag(4, header.EtherIPv4), four),
			),
			"vn-tag vlan",
		},
		{
			"e-tag",
			frametest.Ethernet(
				header.EtherETag,
				frametest.Cat(frametest.U32(5), frametest.U16(1), frametest.U16(header.EtherIPv4),
					four),
			),
			"e-tag",
		},
		{
			"authenticated ipv4",
			in4(51, frametest.Cat([]byte{4, 4, 0, 0}, make([]byte, 20), four)),
			"ah ipip",
		},
		{"vxlan over ipv6", in6(17, frametest.UDP(1, 4789, frametest.Cat(vxlan, octets))), "vxlan"},
		{"geneve ethernet", udp4(6081, frametest.Cat([]byte{0, 0}, frametest.U16(header.EtherTEB), frametest.U32(0), octets)), "geneve"},
		{"geneve options", udp4(6081, frametest.Cat([]byte{2, 0}, frametest.U16(header.EtherIPv4), frametest.U32(0), make([]byte, 8), four)), "geneve"},
		{"gtp", udp4(2152, frametest.Cat([]byte{0x30, 255}, frametest.U16(58), frametest.U32(1), four)), "gtp"},
		{"gtp sequence", udp4(2152, frametest.Cat([]byte{0x32, 255}, frametest.U16(4+78), frametest.U32(1), []byte{0, 1, 0, 0}, six)), "gtp"},
		{"gtp extensions", udp4(2152, frametest.Cat([]byte{0x34, 255}, frametest.U16(12+58), frametest.U32(1), []byte{0, 1, 0, 0x85}, []byte{1, 0x10, 9, 0xc0}, []byte{1, 0, 7, 0}, four)), "gtp"},
		{"vxlan in gre in vlan", frametest.Ethernet(header.EtherVLAN, frametest.Cat(frametest.Tag(9, header.EtherIPv4), frametest.IPv4{Protocol: 47}.Wrap(frametest.Cat(frametest.U16(0), frametest.U16(header.EtherIPv4), frametest.IPv4{Protocol: 17}.Wrap(frametest.UDP(1, 4789, frametest.Cat(vxlan, octets))))))), "vlan gre vxlan"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench()
			if got := b.feed(frame.LinkEthernet, tt.frame); got != Segment {
				t.Fatalf("outcome %v, want tcp", got)
			}
			checkHello(t, &b.seg)
			if want := tunnelCounts(tt.tunnels); !maps.Equal(b.tunnels, want) {
				t.Errorf("tunnels %v, want %v", b.tunnels, want)
			}
		})
	}
}

func TestNotTunnels(t *testing.T) {
	udp := func(src, dst uint16, p []byte) []byte {
		return frametest.IPv4{Protocol: 17}.Wrap(frametest.UDP(src, dst, p))
	}
	text := []byte("just some text that is long enough")
	nested := frametest.Hello4()
	for range 40 {
		nested = frametest.IPv4{Protocol: 4}.Wrap(nested)
	}
	tests := []struct {
		name  string
		frame []byte
		want  Outcome
	}{
		{"text at the vxlan port", udp(1, 4789, text), UDP},
		{"text at the geneve port", udp(1, 6081, text), UDP},
		{
			"arp in vxlan with group policy",
			udp(
				1,
				4789,
				frametest.Cat([]byte{0x88, 0, 0, 0}, frametest.U32(0),
					frametest.Ethernet(0x0806, make([]byte, 28))),
			),
			UDP,
		},
		{
			"vxlan-gpe of an unknown protocol",
			udp(1, 4790,
				frametest.Cat([]byte{0x0c, 0, 0, 9}, frametest.U32(0), frametest.Hello4())),
			UDP,
		},
		{"text at the gre port", udp(1, 4754, text), OtherIP},
		{"gtp echo request", udp(2152, 2152, frametest.Cat([]byte{0x32, 1}, make([]byte, 10))), UDP},
		{"gtp empty extension", udp(2152, 2152, frametest.Cat([]byte{0x34, 255}, frametest.U16(0), frametest.U32(1), []byte{0, 1, 0, 0x85}, make([]byte, 8))), Malformed},
		{"gre with routing", frametest.IPv4{Protocol: 47}.Wrap(frametest.Cat(frametest.U16(greRouting), frametest.U16(header.EtherIPv4), frametest.Hello4())), OtherIP},
		{"gre keepalive", frametest.IPv4{Protocol: 47}.Wrap(frametest.Cat(frametest.U16(0), frametest.U16(0))), NotIP},
		{"arp in vxlan", udp(1, 4789, frametest.Cat([]byte{8, 0, 0, 0}, frametest.U32(0), frametest.Ethernet(0x0806, make([]byte, 28)))), NotIP},
		{"ip in ip forty deep", nested, Malformed},
		{"ospf", frametest.IPv4{Protocol: 89}.Wrap(text), OtherIP},
		{"esp", frametest.IPv4{Protocol: 50}.Wrap(text), OtherIP},
		{"sctp over ipv6", frametest.IPv6{Next: 132}.Wrap(text), OtherIP},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := newBench().feed(frame.LinkRaw, tt.frame); got != tt.want {
				t.Errorf("outcome %v, want %v", got, tt.want)
			}
		})
	}
}
