package capture

import (
	"bytes"
	"encoding/binary"
	"maps"
	"testing"
)

func le16(v uint16) []byte { return binary.LittleEndian.AppendUint16(nil, v) }
func le32(v uint32) []byte { return binary.LittleEndian.AppendUint32(nil, v) }

// sll is a cooked header of version 1, sll2 one of version 2.
func sll(packetType, protocol uint16) []byte {
	return cat(u16(packetType), u16(1), u16(6), make([]byte, 8), u16(protocol))
}

func sll2(packetType uint8, ifindex uint32, protocol uint16) []byte {
	return cat(u16(protocol), u16(0), u32(ifindex), u16(1), []byte{packetType, 6}, make([]byte, 8))
}

// tag is a VLAN tag and the type after it.
func tag(id, next uint16) []byte { return cat(u16(0x2000|id), u16(next)) }

// label is an MPLS label.
func label(value uint32, bottom bool) []byte {
	entry := value<<12 | 64
	if bottom {
		entry |= 1 << 8
	}
	return u32(entry)
}

func TestLinkLayers(t *testing.T) {
	four, six := plain4(), plain6()
	snap := func(oui byte) []byte { return cat([]byte{0xaa, 0xaa, 3, 0, 0, oui}, u16(etherIPv4), four) }
	pppoe := func(p []byte) []byte { return cat([]byte{0x11, 0}, u16(7), u16(uint16(len(p))), p) }
	tests := []struct {
		name    string
		link    linkType
		frame   []byte
		tunnels string
		side    Options
	}{
		{"ethernet ipv4", 1, ethernetFrame(etherIPv4, four), "", 0},
		{"ethernet ipv6", 1, ethernetFrame(etherIPv6, six), "", 0},
		{"ethernet padding and fcs", 1, cat(ethernetFrame(etherIPv4, four), make([]byte, 22)), "", 0},
		{"vlan 802.1q", 1, ethernetFrame(etherVLAN, cat(tag(5, etherIPv4), four)), "vlan", 0},
		{"vlan 802.1ad", 1, ethernetFrame(etherService, cat(tag(5, etherVLAN), tag(6, etherIPv6), six)), "vlan", 0},
		{"vlan 9100", 1, ethernetFrame(etherQinQ, cat(tag(5, etherVLAN), tag(6, etherIPv4), four)), "vlan", 0},
		{"vlan five deep", 1, ethernetFrame(etherVLAN, cat(tag(1, etherVLAN), tag(2, etherVLAN), tag(3, etherVLAN), tag(4, etherVLAN), tag(5, etherIPv4), four)), "vlan", 0},
		{"llc snap", 1, ethernetFrame(uint16(8+len(four)), snap(0)), "", 0},
		{"llc snap 802.1h", 1, ethernetFrame(uint16(8+len(four)), snap(0xf8)), "", 0},
		{"llc snap padded", 1, cat(ethernetFrame(uint16(8+len(four)), snap(0)), make([]byte, 9)), "", 0},
		{"llc ip", 1, ethernetFrame(uint16(3+len(four)), cat([]byte{6, 6, 3}, four)), "", 0},
		{"sll to us", 113, cat(sll(0, etherIPv4), four), "", Incoming},
		{"sll outgoing", 113, cat(sll(4, etherIPv6), six), "", Outgoing},
		{"sll other host", 113, cat(sll(3, etherIPv4), four), "", 0},
		{"sll vlan", 113, cat(sll(0, etherVLAN), tag(9, etherIPv4), four), "vlan", Incoming},
		{"sll llc", 113, cat(sll(0, 4), snap(0)), "", Incoming},
		{"sll2 outgoing", 276, cat(sll2(4, 3, etherIPv4), four), "", Outgoing},
		{"sll2 incoming", 276, cat(sll2(0, 3, etherIPv6), six), "", Incoming},
		{"null little endian", 0, cat(le32(2), four), "", 0},
		{"null big endian", 0, cat(u32(2), four), "", 0},
		{"null ipv6 linux", 0, cat(le32(10), six), "", 0},
		{"null ipv6 netbsd", 0, cat(u32(24), six), "", 0},
		{"null ipv6 freebsd", 0, cat(le32(28), six), "", 0},
		{"null ipv6 macos", 0, cat(le32(30), six), "", 0},
		{"loop", 108, cat(u32(2), four), "", 0},
		{"loop ipv6", 108, cat(u32(24), six), "", 0},
		{"raw 101 ipv4", 101, four, "", 0},
		{"raw 101 ipv6", 101, six, "", 0},
		{"raw 12", 12, four, "", 0},
		{"raw 14", 14, six, "", 0},
		{"ipv4 228", 228, four, "", 0},
		{"ipv6 229", 229, six, "", 0},
		{"ppp with address", 9, cat([]byte{0xff, 3, 0, 0x21}, four), "", 0},
		{"ppp without address", 9, cat([]byte{0, 0x57}, six), "", 0},
		{"ppp compressed protocol", 9, cat([]byte{0x21}, four), "", 0},
		{"ppp mpls", 9, cat([]byte{0xff, 3, 0x02, 0x81}, label(16, true), four), "mpls", 0},
		{"ppp serial", 50, cat([]byte{0xff, 3, 0, 0x21}, four), "", 0},
		{"ppp serial cisco", 50, cat([]byte{0x0f, 0}, u16(etherIPv4), four), "", 0},
		{"ppp ether", 51, pppoe(cat([]byte{0, 0x21}, four)), "pppoe", 0},
		{"cisco hdlc", 104, cat([]byte{0x8f, 0}, u16(etherIPv6), six), "", 0},
		{"pppoe", 1, ethernetFrame(etherPPPoE, pppoe(cat([]byte{0, 0x57}, six))), "pppoe", 0},
		{"mpls one label", 1, ethernetFrame(etherMPLS, cat(label(100, true), four)), "mpls", 0},
		{"mpls two labels", 1, ethernetFrame(etherMPLSUp, cat(label(100, false), label(200, true), six)), "mpls", 0},
		{"mpls pseudowire", 1, ethernetFrame(etherMPLS, cat(label(100, true), u32(0), ethernetFrame(etherIPv4, four))), "mpls", 0},
		{"mpls pseudowire with sequence", 1, ethernetFrame(etherMPLS, cat(label(100, true), u32(77), ethernetFrame(etherVLAN, cat(tag(3, etherIPv4), four)))), "mpls vlan", 0},
		{"mpls pseudowire without word", 1, ethernetFrame(etherMPLS, cat(label(100, true), ethernetFrame(etherIPv4, four))), "mpls", 0},
		{"nflog", 239, cat([]byte{2, 0}, u16(1), le16(8), le16(1), make([]byte, 4), le16(7), le16(10), []byte("abc\x00"), le16(uint16(4+len(four))), le16(9), four), "", 0},
		{"nflog big endian", 239, cat([]byte{2, 0}, u16(1), u16(8), u16(1), make([]byte, 4), u16(uint16(4+len(four))), u16(9), four), "", 0},
		{"pktap", 258, cat(le32(108), le32(1), le32(1), make([]byte, 96), ethernetFrame(etherIPv4, four)), "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, "")
			if got := b.feed(tt.link, tt.frame); got != OutcomeSegment {
				t.Fatalf("outcome %v, want tcp", got)
			}
			checkHello(t, &b.seg)
			want := tunnelCounts(tt.tunnels)
			if !maps.Equal(b.stats.Tunnels, want) {
				t.Errorf("tunnels %v, want %v", b.stats.Tunnels, want)
			}
			if got := b.seg.Options & (Outgoing | Incoming); got != tt.side {
				t.Errorf("side %b, want %b", got, tt.side)
			}
		})
	}
}

// tunnelCounts is one for each of the names, which stand in one string.
func tunnelCounts(names string) map[string]uint64 {
	counts := make(map[string]uint64)
	for name := range bytes.FieldsSeq([]byte(names)) {
		counts[string(name)] = 1
	}
	return counts
}

// checkHello compares a segment with hello.
func checkHello(t *testing.T, s *Segment) {
	t.Helper()
	src, dst := client4, server4
	if s.Src.Addr().Is6() {
		src, dst = client6, server6
	}
	if s.Src.Addr() != src || s.Dst.Addr() != dst || s.Src.Port() != 50000 || s.Dst.Port() != 80 {
		t.Errorf("ends %v %v, want %v:50000 %v:80", s.Src, s.Dst, src, dst)
	}
	if s.Seq != 1000 || s.Ack != 2000 || s.Window != 512 || s.Flags != ACK|PSH {
		t.Errorf("seq %d ack %d win %d flags %b", s.Seq, s.Ack, s.Window, s.Flags)
	}
	if int(s.Len) != len(hello.payload) || !bytes.Equal(s.Payload, hello.payload) {
		t.Errorf("len %d payload %q, want %q", s.Len, s.Payload, hello.payload)
	}
	if bad := s.Options & (BadChecksum | BadOptions | Snapped); bad != 0 {
		t.Errorf("options %b, want none of %b", s.Options, bad)
	}
}

func TestLinkOutcomes(t *testing.T) {
	deepVLAN := ethernetFrame(etherVLAN, cat(bytes.Repeat(tag(1, etherVLAN), 40), plain4()))
	deepTEB := ethernetFrame(etherTEB, bytes.Repeat(ethernetFrame(etherTEB, nil), 40))
	tests := []struct {
		name  string
		link  linkType
		frame []byte
		want  Outcome
	}{
		{"arp", 1, ethernetFrame(0x0806, make([]byte, 28)), OutcomeNotIP},
		{"lldp", 1, ethernetFrame(0x88cc, make([]byte, 28)), OutcomeNotIP},
		{"spanning tree", 1, ethernetFrame(38, cat([]byte{0x42, 0x42, 3}, make([]byte, 43))), OutcomeNotIP},
		{"cisco snap", 1, ethernetFrame(38, cat([]byte{0xaa, 0xaa, 3, 0, 0, 0x0c, 0x20, 0}, make([]byte, 30))), OutcomeNotIP},
		{"pppoe padding request", 1, ethernetFrame(etherPPPoE, []byte{0x11, 9, 0, 0, 0, 0}), OutcomeNotIP},
		{"ppp lcp", 9, []byte{0xff, 3, 0xc0, 0x21, 1, 1, 0, 4}, OutcomeNotIP},
		{"runt", 1, []byte{1, 2, 3}, OutcomeMalformed},
		{"empty", 1, nil, OutcomeMalformed},
		{"empty raw", 101, nil, OutcomeMalformed},
		{"version 6 under type 0800", 1, ethernetFrame(etherIPv4, plain6()), OutcomeMalformed},
		{"version 4 under type 86dd", 1, ethernetFrame(etherIPv6, cat(plain4(), make([]byte, 40))), OutcomeMalformed},
		{"too many tags", 1, deepVLAN, OutcomeMalformed},
		{"too many bridges", 1, deepTEB, OutcomeMalformed},
		{"pktap in pktap", 258, cat(le32(12), le32(1), le32(258), le32(12)), OutcomeMalformed},
		{"user link", 147, plain4(), OutcomeUnknownLink},
		{"number beyond 8 bits", 257, ethernetFrame(etherIPv4, plain4()), OutcomeUnknownLink},
		{"appletalk in null", 0, cat(le32(16), plain4()), OutcomeNotIP},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, "")
			if got := b.feed(tt.link, tt.frame); got != tt.want {
				t.Errorf("outcome %v, want %v", got, tt.want)
			}
			if unknown := len(b.stats.UnknownLinks); (unknown == 1) != (tt.want == OutcomeUnknownLink) {
				t.Errorf("unknown links %v", b.stats.UnknownLinks)
			}
		})
	}
}

func TestDirectionFlags(t *testing.T) {
	for direction, want := range map[uint8]Options{directionUnknown: 0, directionIncoming: Incoming, directionOutgoing: Outgoing} {
		b := newBench(t, "")
		p := ethernetFrame(etherIPv4, plain4())
		b.show(rawFrame{Link: linkEthernet, Data: p, OrigLen: uint32(len(p)), Direction: direction})
		if got := b.seg.Options & (Incoming | Outgoing); got != want {
			t.Errorf("direction %d: options %b, want %b", direction, got, want)
		}
	}
}
