package decode

import (
	"testing"

	"tcpwhy/capture/internal/copies"
	"tcpwhy/capture/internal/filter"
	"tcpwhy/capture/internal/frame"
	"tcpwhy/capture/internal/frametest"
	"tcpwhy/capture/internal/header"
)

// FuzzDecode decodes octets as frames of any link type, several in a row so that tables come into
// play, and hands on what comes of them. What must hold: no panic, an outcome of the list, a
// payload no longer than the segment, bounded tables.
func FuzzDecode(f *testing.F) {
	for _, octets := range frametest.Steady() {
		f.Add(uint16(frame.LinkEthernet), uint16(0), octets)
	}
	four := frametest.Hello4()
	vxlan := frametest.UDP(1, header.PortVXLAN, frametest.Cat([]byte{8, 0, 0, 0}, frametest.U32(0), frametest.Ethernet(header.EtherVLAN, frametest.Cat(frametest.Tag(7, header.EtherIPv4), four))))
	f.Add(uint16(frame.LinkRaw), uint16(0), frametest.IPv4{Protocol: 17}.Wrap(vxlan))
	f.Add(uint16(frame.LinkRaw), uint16(0), frametest.IPv4{Protocol: 47}.Wrap(frametest.Cat(frametest.U16(0xb000), frametest.U16(header.EtherERSPAN), make([]byte, 20), frametest.Ethernet(header.EtherIPv4, four))))
	f.Add(uint16(frame.LinkCooked2), uint16(9), frametest.Cat(frametest.Cooked2(4, 3, header.EtherIPv4), four))
	f.Add(uint16(frame.LinkNFLog), uint16(0), frametest.Cat([]byte{2, 0}, frametest.U16(1), le16(uint16(4+len(four))), le16(9), four))
	f.Add(uint16(frame.LinkPktap), uint16(0), frametest.Cat(le32(12), le32(1), le32(1), frametest.Ethernet(header.EtherMPLS, frametest.Cat(label(1, true), four))))
	f.Add(uint16(frame.LinkRaw), uint16(1), fragments(3, frametest.Hello.Octets(frametest.Client4, frametest.Server4), 0, 16)[1])
	f.Add(uint16(frame.LinkIPv6), uint16(1), fragments6(3, frametest.Hello.Octets(frametest.Client6, frametest.Server6), 0, 16)[0])
	f.Add(uint16(frame.LinkRaw), uint16(0), frametest.IPv6{Length: -1}.WrapHop(frametest.Cat([]byte{6, 0, 0xc2, 4}, frametest.U32(100), frametest.Hello.Octets(frametest.Client6, frametest.Server6))))
	filter, err := filter.Parse("not (src port 1 or net 10.9 or vlan 9)")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, link, missing uint16, data []byte) {
		b, copies := newBench(), copies.New(nil)
		for i := range 3 {
			b.now += int64(i) * 1e5
			octets := frame.Frame{Link: frame.LinkType(link), Data: data, OrigLen: uint32(len(data)) + uint32(missing), Iface: uint32(i)}
			got := b.show(octets)
			if got > Short {
				t.Fatalf("outcome %d", got)
			}
			if got <= ICMPError && filter.Match(&b.seg, b.VLANs()) {
				copies.Duplicate(&b.seg, b.Ends(), b.Hop(), b.now)
			}
			if got == Segment && len(b.seg.Payload) > int(b.seg.Len) {
				t.Fatalf("payload %d, len %d", len(b.seg.Payload), b.seg.Len)
			}
			if got == Segment && b.seg.NSACK > 4 {
				t.Fatalf("%d blocks", b.seg.NSACK)
			}
		}
		b.Finish()
		if b.frags.octets != 0 {
			t.Fatalf("%d octets of fragments are left", b.frags.octets)
		}
	})
}
