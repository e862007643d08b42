package anonym

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"

	"tcpwhy/capture/internal/decode"
	"tcpwhy/capture/internal/frame"
	"tcpwhy/capture/internal/frametest"
	"tcpwhy/capture/internal/header"
	"tcpwhy/capture/segment"
)

// nothing shows nothing of what datagrams carry.
type nothing struct{}

func (nothing) TCP(netip.AddrPort, netip.AddrPort, uint32, []byte, []byte) {}
func (nothing) DNS([]byte, []byte)                                         {}

const secret = "S3CRET7!"

// secretive is data with secrets all over.
func secretive(n int) []byte { return bytes.Repeat([]byte(secret), n) }

// secretTCP is a segment whose data, and options that nobody reads, are secret, in IPv4 and IPv6.
func secretTCP() (four, six []byte) {
	s := frametest.TCP{
		Seq: 0x01020304, Ack: 0x05060708, Flags: segment.ACK | segment.PSH, Window: 501,
		Options: frametest.Cat(frametest.Stamped(77), []byte{34, 10}, []byte(secret), []byte{1, 1}),
		Payload: secretive(5),
	}
	four = frametest.IPv4{ID: 7, Options: frametest.Cat([]byte{7, 11, 4}, []byte(secret), []byte{0})}.
		Wrap(s.Octets(frametest.Client4, frametest.Server4))
	return four, frametest.IPv6{}.Wrap(s.Octets(frametest.Client6, frametest.Server6))
}

// frames are all kinds of frames with secrets in them: most hold a segment of secretTCP.
func frames() map[string]frame.Frame {
	four, six := secretTCP()
	tail := secretive(2) // behind the datagram
	ether := func(t uint16, p []byte) []byte { return frametest.Ethernet(t, frametest.Cat(p, tail)) }
	in4 := func(protocol uint8, p []byte) []byte {
		return frametest.Ethernet(header.EtherIPv4, frametest.IPv4{
			Src: frametest.Server4, Dst: frametest.Client4, Protocol: protocol, ID: 99,
		}.Wrap(p))
	}
	in6 := func(protocol uint8, p []byte) []byte {
		return frametest.Ethernet(header.EtherIPv6, frametest.IPv6{
			Src: frametest.Server6, Dst: frametest.Client6, Next: protocol,
		}.Wrap(p))
	}
	u16, u32, cat := frametest.U16, frametest.U32, frametest.Cat
	octets := frametest.Ethernet(header.EtherIPv4, four)
	udp := func(port uint16, p []byte) []byte { return in4(17, frametest.UDP(40000, port, p)) }
	options := cat([]byte{6, 1, 1, 12}, []byte(secret), []byte("S3CR"))
	route := cat([]byte{6, 2, 0, 0}, u32(0), frametest.Server6.AsSlice())
	all := map[string][]byte{
		"ipv4": ether(header.EtherIPv4, four), "ipv6": ether(header.EtherIPv6, six),
		"vlan":         ether(header.EtherVLAN, cat(frametest.Tag(5, header.EtherIPv4), four)),
		"vlan in vlan": ether(header.EtherService, cat(frametest.Tag(5, header.EtherVLAN), frametest.Tag(6, header.EtherIPv6), six)),
		"gre":          in4(47, cat(u16(0), u16(header.EtherIPv4), four)),
		"gre ethernet": in6(47, cat(u16(0), u16(header.EtherTEB), octets)),
		"erspan":       in4(47, cat(u16(0x1000), u16(header.EtherERSPAN), u32(1), []byte{0x10, 1, 2, 3, 0, 0, 0, 1}, octets)),
		"ipip":         in4(4, four), "6in4": in4(41, six), "4in6": in6(4, four),
		"vxlan":          udp(4789, cat([]byte{8, 0, 0, 0}, u32(42<<8), octets)),
		"vxlan checksum": in6(17, cat(u16(40000), u16(4789), u16(uint16(16+len(octets))), u16(0x1234), []byte{8, 0, 0, 0}, u32(42<<8), octets)),
		"geneve":         udp(6081, cat([]byte{3, 0}, u16(header.EtherIPv6), u32(42<<8), options[4:], six)),
		"gtp":            udp(2152, cat([]byte{0x30, 255}, u16(uint16(len(four))), u32(9), four)),
		"pppoe":          ether(header.EtherPPPoE, cat([]byte{0x11, 0}, u16(1), u16(uint16(len(four)+2)), u16(0x21), four)),
		"destination":    in6(60, cat(options, six[header.IPv6Size:])),
		"routing":        in6(43, cat(route, six[header.IPv6Size:])),
		"icmp error":     in4(1, cat([]byte{3, 4, 0, 0}, u32(1400), four)),
		"icmpv6 error":   in6(58, cat([]byte{2, 0, 0, 0}, u32(1400), six)),
		"icmp of udp":    in4(1, cat([]byte{3, 3, 0, 0}, u32(0), frametest.IPv4{Protocol: 17}.Wrap(frametest.UDP(5, 6, secretive(2))))),
		"ping":           in4(1, cat([]byte{8, 0, 0, 0}, secretive(3))),
		"redirect":       in4(1, cat([]byte{5, 0, 0, 0}, frametest.Client4.AsSlice(), four)),
		"neighbour":      in6(58, cat([]byte{135, 0, 0, 0}, u32(0), frametest.Client6.AsSlice())),
		"udp":            udp(7000, secretive(3)), "quic": udp(443, cat([]byte{0xc0, 0, 0, 0, 1, 8}, secretive(9))),
		"dns": udp(53, secretive(4)), "esp": in4(50, secretive(4)), "arp": ether(header.EtherIPv4+6, secretive(4)),
		"text at the vxlan port": udp(4789, secretive(20)), "text at the geneve port": udp(6081, secretive(20)),
		"802.2": frametest.Ethernet(60, secretive(8)), "tagged 802.2": frametest.Ethernet(header.EtherVLAN, cat(frametest.Tag(5, 60), secretive(8))),
		"nothing known": ether(0x9999, secretive(4)), "short": in4(6, four[20:30]),
		"fragment": in4(0, nil),
	}
	all["fragment"] = ether(header.EtherIPv4, frametest.IPv4{ID: 9, Fragment: 0x2000}.
		Wrap(frametest.TCP{Payload: secretive(4)}.Octets(frametest.Client4, frametest.Server4)[:40]))
	all["later fragment"] = ether(header.EtherIPv4, frametest.IPv4{ID: 9, Fragment: 5}.Wrap(secretive(3)))
	made := map[string]frame.Frame{}
	for name, data := range all {
		made[name] = frame.Frame{Link: frame.LinkEthernet, Data: data}
	}
	cooked := cat(u16(0), u16(1), u16(6), []byte{2, 0, 0, 0, 0, 1}, []byte("S3"), u16(header.EtherIPv4), four)
	made["cooked"] = frame.Frame{Link: frame.LinkCooked, Data: cooked}
	made["cooked 2"] = frame.Frame{Link: frame.LinkCooked2, Data: cat(frametest.Cooked2(0, 3, header.EtherIPv6), six)}
	made["raw"] = frame.Frame{Link: frame.LinkRaw, Data: six}
	made["unknown link"] = frame.Frame{Link: 147, Data: secretive(9)}
	made["bad"] = frame.Frame{Link: frame.LinkEthernet, Data: secretive(9), Bad: true}
	return made
}

// told are octets that must not be in what is shown: secrets, and the addresses of all hosts.
func told() [][]byte {
	all := [][]byte{[]byte("S3CR"), []byte("CRET"), {2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}}
	for _, a := range []netip.Addr{
		frametest.Client4, frametest.Server4, frametest.Client6, frametest.Server6,
	} {
		all = append(all, a.AsSlice())
	}
	return all
}

// TestFrameShowsNothing looks for secrets in what is shown of all kinds of frames. What is not hidden
// is as it was: ports, numbers, flags, options that are read, lengths, and whether checksums are right.
func TestFrameShowsNothing(t *testing.T) {
	for name, f := range frames() {
		a := NewAnonymiser(New(Key{1}), nothing{})
		f.OrigLen = uint32(len(f.Data))
		before := f
		before.Data = bytes.Clone(f.Data)
		a.Frame(&f)
		if len(f.Data) != len(before.Data) {
			t.Errorf("%s: %d octets, want %d", name, len(f.Data), len(before.Data))
		}
		for _, hidden := range told() {
			if i := bytes.Index(f.Data, hidden); i >= 0 {
				t.Errorf("%s: % x at %d of % x", name, hidden, i, f.Data)
			}
		}
		compareDecoded(t, name, &before, &f)
	}
}

// compareDecoded compares what two frames hold.
func compareDecoded(t *testing.T, name string, before, after *frame.Frame) {
	t.Helper()
	var segs [2]segment.Segment
	var outcomes [2]decode.Outcome
	if before.Bad {
		return
	}
	for i, f := range []*frame.Frame{before, after} {
		d := decode.New(new(uint64))
		if outcomes[i] = d.Decode(f, &segs[i]); outcomes[i] == decode.Segment {
			d.Inspect()
		}
		s := &segs[i]
		s.Src, s.Dst = netip.AddrPortFrom(netip.Addr{}, s.Src.Port()), netip.AddrPortFrom(netip.Addr{}, s.Dst.Port())
		s.Payload, s.ICMP.From = nil, netip.Addr{}
	}
	switch outcomes[0] {
	case decode.Segment, decode.ICMPError, decode.DNS, decode.QUIC, decode.Fragment:
	default:
		return
	}
	a, b := segs[0], segs[1]
	if outcomes[0] != outcomes[1] || a.Seq != b.Seq || a.Ack != b.Ack || a.Len != b.Len || a.Flags != b.Flags ||
		a.Options != b.Options || a.TSVal != b.TSVal || a.Src != b.Src || a.Dst != b.Dst || a.ICMP != b.ICMP {
		t.Errorf("%s: %v %+v,\nwant %v %+v", name, outcomes[1], b, outcomes[0], a)
	}
}

// TestChecksums: what was right is right, what a card was to fill in looks like that, and what was
// wrong is wrong.
func TestChecksums(t *testing.T) {
	four, _ := secretTCP()
	at := header.IPv4Size + 12 + 16
	right := binary.BigEndian.Uint16(four[at:])
	rest := uint64(6 + len(four) - header.IPv4Size - 12)
	partial := fold(sum(four[12:20], -1) + rest)
	for field, want := range map[uint16]string{right: "right", right + 1: "wrong", partial: "partial", 0: "wrong"} {
		data := bytes.Clone(four)
		binary.BigEndian.PutUint16(data[at:], field)
		f := frame.Frame{Link: frame.LinkRaw, Data: data, OrigLen: uint32(len(data))}
		NewAnonymiser(New(Key{1}), nothing{}).Frame(&f)
		got := "wrong"
		pseudo := sum(f.Data[12:20], -1) + rest
		switch field = binary.BigEndian.Uint16(f.Data[at:]); {
		case fold(sum(f.Data[header.IPv4Size+12:], -1)+pseudo) == 0xffff:
			got = "right"
		case field == fold(pseudo):
			got = "partial"
		}
		if got != want {
			t.Errorf("a %s checksum is %s", want, got)
		}
	}
}

// TestShortData: a short segment is not shown as what a host fills up a frame with, and that is not
// shown as data.
func TestShortData(t *testing.T) {
	for _, data := range []string{"ab\x00", "\x00\x00\x00\x00\x00\x00"} {
		p := frametest.TCP{Payload: []byte(data)}.Octets(frametest.Client4, frametest.Server4)
		f := frame.Frame{Link: frame.LinkRaw, Data: frametest.IPv4{}.Wrap(p)}
		NewAnonymiser(New(Key{}), nothing{}).Frame(&f)
		if filling := allZero([]byte(data)); filling != allZero(f.Data[40:]) {
			t.Errorf("%q is shown as %q", data, f.Data[40:])
		}
	}
}

func FuzzFrame(f *testing.F) {
	for _, one := range frames() {
		f.Add(uint16(one.Link), one.Data)
	}
	f.Fuzz(func(t *testing.T, link uint16, data []byte) {
		a := NewAnonymiser(New(Key{}), nothing{})
		for range 2 {
			fr := frame.Frame{Link: frame.LinkType(link), Data: data, OrigLen: uint32(len(data))}
			a.Frame(&fr)
			if len(fr.Data) != len(data) {
				t.Errorf("%d octets, want %d", len(fr.Data), len(data))
			}
		}
	})
}

func TestAddr(t *testing.T) {
	m := New(Key{1, 2, 3})
	addr := netip.MustParseAddr
	same := []string{"127.0.0.1", "127.8.9.1", "0.0.0.0", "255.255.255.255", "224.0.0.251", "::1", "::"}
	for _, s := range same {
		if got := m.Addr(addr(s)); got != addr(s) {
			t.Errorf("%s stands for %s", got, s)
		}
	}
	for _, kind := range []struct{ a, prefix string }{
		{"10.1.2.3", "10.0.0.0/8"}, {"172.20.1.1", "172.16.0.0/12"}, {"192.168.7.9", "192.168.0.0/16"},
		{"169.254.1.1", "169.254.0.0/16"}, {"100.99.1.1", "100.64.0.0/10"}, {"239.1.1.1", "224.0.0.0/4"},
		{"fe80::1234", "fe80::/64"}, {"fd12::1", "fd00::/8"}, {"2001:db8::1", "2000::/3"},
		{"::ffff:10.1.2.3", "::ffff:10.0.0.0/104"}, {"64:ff9b::a01:203", "64:ff9b::a00:0/104"},
	} {
		if got := m.Addr(addr(kind.a)); !netip.MustParsePrefix(kind.prefix).Contains(got) || got == addr(kind.a) {
			t.Errorf("%s stands for %s, want one of %s", got, kind.a, kind.prefix)
		}
	}
	public := []string{"8.8.8.8", "52.1.2.3", "172.32.0.1", "192.169.0.1", "11.0.0.1", "128.0.0.1"}
	for _, s := range public {
		if got := m.Addr(addr(s)); got.IsPrivate() || got.IsLoopback() || got.IsLinkLocalUnicast() || got.IsMulticast() {
			t.Errorf("%s stands for %s", got, s)
		}
	}
}

// TestPrefixes: two addresses have as many first bits in common as those that they stand for.
func TestPrefixes(t *testing.T) {
	m := New(Key{9})
	checkPrefixes(t, m, strings.Fields("10.1.2.3 10.1.2.4 10.1.9.3 10.200.2.3 8.8.8.8 8.8.4.4 52.1.2.3 52.1.2.2 203.0.113.9 172.16.0.1 "+
		"172.31.255.1 172.32.0.1 192.168.1.1 192.167.1.1 2001:db8::1 2001:db8::2 2001:db8:1::1 fd00::1 fe80::1 fe80::2 2a00::1"))
	if New(Key{9}).Addr(netip.MustParseAddr("52.1.2.3")) == New(Key{8}).Addr(netip.MustParseAddr("52.1.2.3")) {
		t.Error("the key does not matter")
	}
}

// checkPrefixes checks that of all of some addresses.
func checkPrefixes(t *testing.T, m *Mapper, all []string) {
	t.Helper()
	common := func(a, b netip.Addr) (n int) {
		x, y := a.AsSlice(), b.AsSlice()
		for ; n < 8*len(x) && (x[n/8]^y[n/8])>>(7-n%8)&1 == 0; n++ {
		}
		return n
	}
	for _, s := range all {
		for _, u := range all {
			a, b := netip.MustParseAddr(s), netip.MustParseAddr(u)
			if a.Is4() != b.Is4() {
				continue
			}
			if want, got := common(a, b), common(m.Addr(a), m.Addr(b)); got != want {
				t.Errorf("%s and %s have %d bits in common, %s and %s %d", a, b, want, m.Addr(a), m.Addr(b), got)
			}
		}
	}
}

func TestWord(t *testing.T) {
	m := New(Key{4})
	seen := map[string]string{}
	for _, w := range strings.Fields("a b c d 1 2 3 item items 17 18 550e8400-e29b-41d4-a716-446655440000 report_2024-05 x-y") {
		to := m.Word(w)
		if len(to) != len(w) || m.Word(w) != to || seen[to] != "" {
			t.Errorf("%q stands for %q, and for %q", to, w, seen[to])
		}
		seen[to] = w
		for i := range w {
			if digit := w[i] >= '0' && w[i] <= '9'; digit != (to[i] >= '0' && to[i] <= '9') || (w[i] == '-') != (to[i] == '-') {
				t.Errorf("%q stands for %q", to, w)
			}
		}
	}
}
