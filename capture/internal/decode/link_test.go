package decode

import (
	"bytes"
	"encoding/binary"
	"maps"
	"testing"

	"tcpwhy/capture/internal/frame"
	"tcpwhy/capture/internal/frametest"
	"tcpwhy/capture/internal/header"
	"tcpwhy/capture/segment"
)

func le16(v uint16) []byte { return binary.LittleEndian.AppendUint16(nil, v) }
func le32(v uint32) []byte { return binary.LittleEndian.AppendUint32(nil, v) }

// sll is a cooked header of version 1.
func sll(packetType, protocol uint16) []byte {
	return frametest.Cat(frametest.U16(packetType), frametest.U16(1), frametest.U16(6), make([]byte, 8), frametest.U16(protocol))
}

// label is an MPLS label.
func label(value uint32, bottom bool) []byte {
	entry := value<<12 | 64
	if bottom {
		entry |= 1 << 8
	}
	return frametest.U32(entry)
}

func TestLinkLayers(t *testing.T) {
	four, six := frametest.Hello4(), frametest.Hello6()
	snap := func(oui byte) []byte {
		return frametest.Cat([]byte{0xaa, 0xaa, 3, 0, 0, oui}, frametest.U16(header.EtherIPv4), four)
	}
	pppoe := func(p []byte) []byte {
		return frametest.Cat([]byte{0x11, 0}, frametest.U16(7), frametest.U16(uint16(len(p))), p)
	}
	tests := []struct {
		name    string
		link    frame.LinkType
		frame   []byte
		tunnels string
		side    segment.Options
	}{
		{"ethernet ipv4", 1, frametest.Ethernet(header.EtherIPv4, four), "", 0},
		{"ethernet ipv6", 1, frametest.Ethernet(header.EtherIPv6, six), "", 0},
		{"ethernet padding and fcs", 1, frametest.Cat(frametest.Ethernet(header.EtherIPv4, four), make([]byte, 22)), "", 0},
		{"vlan 802.1q", 1, frametest.Ethernet(header.EtherVLAN, frametest.Cat(frametest.Tag(5, header.EtherIPv4), four)), "vlan", 0},
		{"vlan 802.1ad", 1, frametest.Ethernet(header.EtherService, frametest.Cat(frametest.Tag(5, header.EtherVLAN), frametest.Tag(6, header.EtherIPv6), six)), "vlan", 0},
		{"vlan 9100", 1, frametest.Ethernet(header.EtherQinQ, frametest.Cat(frametest.Tag(5, header.EtherVLAN), frametest.Tag(6, header.EtherIPv4), four)), "vlan", 0},
		{"vlan five deep", 1, frametest.Ethernet(header.EtherVLAN, frametest.Cat(frametest.Tag(1, header.EtherVLAN), frametest.Tag(2, header.EtherVLAN), frametest.Tag(3, header.EtherVLAN), frametest.Tag(4, header.EtherVLAN), frametest.Tag(5, header.EtherIPv4), four)), "vlan", 0},
		{"llc snap", 1, frametest.Ethernet(uint16(8+len(four)), snap(0)), "", 0},
		{"llc snap 802.1h", 1, frametest.Ethernet(uint16(8+len(four)), snap(0xf8)), "", 0},
		{"llc snap padded", 1, frametest.Cat(frametest.Ethernet(uint16(8+len(four)), snap(0)), make([]byte, 9)), "", 0},
		{"llc ip", 1, frametest.Ethernet(uint16(3+len(four)), frametest.Cat([]byte{6, 6, 3}, four)), "", 0},
		{"sll to us", 113, frametest.Cat(sll(0, header.EtherIPv4), four), "", segment.Incoming},
		{"sll outgoing", 113, frametest.Cat(sll(4, header.EtherIPv6), six), "", segment.Outgoing},
		{"sll other host", 113, frametest.Cat(sll(3, header.EtherIPv4), four), "", 0},
		{"sll vlan", 113, frametest.Cat(sll(0, header.EtherVLAN), frametest.Tag(9, header.EtherIPv4), four), "vlan", segment.Incoming},
		{"sll llc", 113, frametest.Cat(sll(0, 4), snap(0)), "", segment.Incoming},
		{"sll2 outgoing", 276, frametest.Cat(frametest.Cooked2(4, 3, header.EtherIPv4), four), "", segment.Outgoing},
		{"sll2 incoming", 276, frametest.Cat(frametest.Cooked2(0, 3, header.EtherIPv6), six), "", segment.Incoming},
		{"null little endian", 0, frametest.Cat(le32(2), four), "", 0},
		{"null big endian", 0, frametest.Cat(frametest.U32(2), four), "", 0},
		{"null ipv6 linux", 0, frametest.Cat(le32(10), six), "", 0},
		{"null ipv6 netbsd", 0, frametest.Cat(frametest.U32(24), six), "", 0},
		{"null ipv6 freebsd", 0, frametest.Cat(le32(28), six), "", 0},
		{"null ipv6 macos", 0, frametest.Cat(le32(30), six), "", 0},
		{"loop", 108, frametest.Cat(frametest.U32(2), four), "", 0},
		{"loop ipv6", 108, frametest.Cat(frametest.U32(24), six), "", 0},
		{"raw 101 ipv4", 101, four, "", 0},
		{"raw 101 ipv6", 101, six, "", 0},
		{"raw 12", 12, four, "", 0},
		{"raw 14", 14, six, "", 0},
		{"ipv4 228", 228, four, "", 0},
		{"ipv6 229", 229, six, "", 0},
		{"ppp with address", 9, frametest.Cat([]byte{0xff, 3, 0, 0x21}, four), "", 0},
		{"ppp without address", 9, frametest.Cat([]byte{0, 0x57}, six), "", 0},
		{"ppp compressed protocol", 9, frametest.Cat([]byte{0x21}, four), "", 0},
		{"ppp mpls", 9, frametest.Cat([]byte{0xff, 3, 0x02, 0x81}, label(16, true), four), "mpls", 0},
		{"ppp serial", 50, frametest.Cat([]byte{0xff, 3, 0, 0x21}, four), "", 0},
		{"ppp serial cisco", 50, frametest.Cat([]byte{0x0f, 0}, frametest.U16(header.EtherIPv4), four), "", 0},
		{"ppp ether", 51, pppoe(frametest.Cat([]byte{0, 0x21}, four)), "pppoe", 0},
		{"cisco hdlc", 104, frametest.Cat([]byte{0x8f, 0}, frametest.U16(header.EtherIPv6), six), "", 0},
		{"pppoe", 1, frametest.Ethernet(header.EtherPPPoE, pppoe(frametest.Cat([]byte{0, 0x57}, six))), "pppoe", 0},
		{"mpls one label", 1, frametest.Ethernet(header.EtherMPLS, frametest.Cat(label(100, true), four)), "mpls", 0},
		{"mpls two labels", 1, frametest.Ethernet(header.EtherMPLSUp, frametest.Cat(label(100, false), label(200, true), six)), "mpls", 0},
		{"mpls pseudowire", 1, frametest.Ethernet(header.EtherMPLS, frametest.Cat(label(100, true), frametest.U32(0), frametest.Ethernet(header.EtherIPv4, four))), "mpls", 0},
		{"mpls pseudowire with sequence", 1, frametest.Ethernet(header.EtherMPLS, frametest.Cat(label(100, true), frametest.U32(77), frametest.Ethernet(header.EtherVLAN, frametest.Cat(frametest.Tag(3, header.EtherIPv4), four)))), "mpls vlan", 0},
		{"mpls pseudowire without word", 1, frametest.Ethernet(header.EtherMPLS, frametest.Cat(label(100, true), frametest.Ethernet(header.EtherIPv4, four))), "mpls", 0},
		{"nflog", 239, frametest.Cat([]byte{2, 0}, frametest.U16(1), le16(8), le16(1), make([]byte, 4), le16(7), le16(10), []byte("abc\x00"), le16(uint16(4+len(four))), le16(9), four), "", 0},
		{"nflog big endian", 239, frametest.Cat([]byte{2, 0}, frametest.U16(1), frametest.U16(8), frametest.U16(1), make([]byte, 4), frametest.U16(uint16(4+len(four))), frametest.U16(9), four), "", 0},
		{"pktap", 258, frametest.Cat(le32(108), le32(1), le32(1), make([]byte, 96), frametest.Ethernet(header.EtherIPv4, four)), "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench()
			if got := b.feed(tt.link, tt.frame); got != Segment {
				t.Fatalf("outcome %v, want tcp", got)
			}
			checkHello(t, &b.seg)
			want := tunnelCounts(tt.tunnels)
			if !maps.Equal(b.tunnels, want) {
				t.Errorf("tunnels %v, want %v", b.tunnels, want)
			}
			if got := b.seg.Options & (segment.Outgoing | segment.Incoming); got != tt.side {
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
func checkHello(t *testing.T, s *segment.Segment) {
	t.Helper()
	src, dst := frametest.Client4, frametest.Server4
	if s.Src.Addr().Is6() {
		src, dst = frametest.Client6, frametest.Server6
	}
	if s.Src.Addr() != src || s.Dst.Addr() != dst || s.Src.Port() != 50000 || s.Dst.Port() != 80 {
		t.Errorf("ends %v %v, want %v:50000 %v:80", s.Src, s.Dst, src, dst)
	}
	if s.Seq != 1000 || s.Ack != 2000 || s.Window != 512 || s.Flags != segment.ACK|segment.PSH {
		t.Errorf("seq %d ack %d win %d flags %b", s.Seq, s.Ack, s.Window, s.Flags)
	}
	if int(s.Len) != len(frametest.Hello.Payload) || !bytes.Equal(s.Payload, frametest.Hello.Payload) {
		t.Errorf("len %d payload %q, want %q", s.Len, s.Payload, frametest.Hello.Payload)
	}
	if bad := s.Options & (segment.BadChecksum | segment.BadOptions | segment.Snapped); bad != 0 {
		t.Errorf("options %b, want none of %b", s.Options, bad)
	}
}

func TestLinkOutcomes(t *testing.T) {
	deepVLAN := frametest.Ethernet(header.EtherVLAN, frametest.Cat(bytes.Repeat(frametest.Tag(1, header.EtherVLAN), 40), frametest.Hello4()))
	deepTEB := frametest.Ethernet(header.EtherTEB, bytes.Repeat(frametest.Ethernet(header.EtherTEB, nil), 40))
	tests := []struct {
		name  string
		link  frame.LinkType
		frame []byte
		want  Outcome
	}{
		{"arp", 1, frametest.Ethernet(0x0806, make([]byte, 28)), NotIP},
		{"lldp", 1, frametest.Ethernet(0x88cc, make([]byte, 28)), NotIP},
		{"spanning tree", 1, frametest.Ethernet(38, frametest.Cat([]byte{0x42, 0x42, 3}, make([]byte, 43))), NotIP},
		{"cisco snap", 1, frametest.Ethernet(38, frametest.Cat([]byte{0xaa, 0xaa, 3, 0, 0, 0x0c, 0x20, 0}, make([]byte, 30))), NotIP},
		{"pppoe padding request", 1, frametest.Ethernet(header.EtherPPPoE, []byte{0x11, 9, 0, 0, 0, 0}), NotIP},
		{"ppp lcp", 9, []byte{0xff, 3, 0xc0, 0x21, 1, 1, 0, 4}, NotIP},
		{"runt", 1, []byte{1, 2, 3}, Malformed},
		{"empty", 1, nil, Malformed},
		{"empty raw", 101, nil, Malformed},
		{"version 6 under type 0800", 1, frametest.Ethernet(header.EtherIPv4, frametest.Hello6()), Malformed},
		{"version 4 under type 86dd", 1, frametest.Ethernet(header.EtherIPv6, frametest.Cat(frametest.Hello4(), make([]byte, 40))), Malformed},
		{"too many tags", 1, deepVLAN, Malformed},
		{"too many bridges", 1, deepTEB, Malformed},
		{"pktap in pktap", 258, frametest.Cat(le32(12), le32(1), le32(258), le32(12)), Malformed},
		{"user link", 147, frametest.Hello4(), UnknownLink},
		{"number beyond 8 bits", 257, frametest.Ethernet(header.EtherIPv4, frametest.Hello4()), UnknownLink},
		{"appletalk in null", 0, frametest.Cat(le32(16), frametest.Hello4()), NotIP},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := newBench().feed(tt.link, tt.frame); got != tt.want {
				t.Errorf("outcome %v, want %v", got, tt.want)
			}
		})
	}
}

func TestDirectionFlags(t *testing.T) {
	for direction, want := range map[frame.Direction]segment.Options{frame.Unknown: 0, frame.Incoming: segment.Incoming, frame.Outgoing: segment.Outgoing} {
		b := newBench()
		p := frametest.Ethernet(header.EtherIPv4, frametest.Hello4())
		b.show(frame.Frame{Link: frame.LinkEthernet, Data: p, OrigLen: uint32(len(p)), Direction: direction})
		if got := b.seg.Options & (segment.Incoming | segment.Outgoing); got != want {
			t.Errorf("direction %d: options %b, want %b", direction, got, want)
		}
	}
}
