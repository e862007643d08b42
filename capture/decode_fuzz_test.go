package capture

import "testing"

// FuzzDecode decodes octets as frames of any link type, several in a row so that tables come into
// play. What must hold: no panic, an outcome of the list, a payload no longer than the segment,
// bounded tables.
func FuzzDecode(f *testing.F) {
	for _, frame := range steady() {
		f.Add(uint16(linkEthernet), uint16(0), frame)
	}
	four := plain4()
	vxlan := udpIn(1, portVXLAN, cat([]byte{8, 0, 0, 0}, u32(0), ethernetFrame(etherVLAN, cat(tag(7, etherIPv4), four))))
	f.Add(uint16(linkRaw), uint16(0), testIPv4{protocol: 17}.wrap(vxlan))
	f.Add(uint16(linkRaw), uint16(0), testIPv4{protocol: 47}.wrap(cat(u16(0xb000), u16(etherERSPAN), make([]byte, 20), ethernetFrame(etherIPv4, four))))
	f.Add(uint16(linkCooked2), uint16(9), cat(sll2(4, 3, etherIPv4), four))
	f.Add(uint16(linkNFLog), uint16(0), cat([]byte{2, 0}, u16(1), le16(uint16(4+len(four))), le16(9), four))
	f.Add(uint16(linkPktap), uint16(0), cat(le32(12), le32(1), le32(1), ethernetFrame(etherMPLS, cat(label(1, true), four))))
	f.Add(uint16(linkRaw), uint16(1), fragments(3, hello.octets(client4, server4), 0, 16)[1])
	f.Add(uint16(linkIPv6), uint16(1), fragments6(3, hello.octets(client6, server6), 0, 16)[0])
	f.Add(uint16(linkRaw), uint16(0), testIPv6{length: -1}.wrapHop(cat([]byte{6, 0, 0xc2, 4}, u32(100), hello.octets(client6, server6))))
	f.Fuzz(func(t *testing.T, link, missing uint16, data []byte) {
		b := newBench(t, "not (src port 1 or net 10.9 or vlan 9)")
		for i := range 3 {
			b.now += int64(i) * 1e5
			frame := rawFrame{Link: linkType(link), Data: data, OrigLen: uint32(len(data)) + uint32(missing), Iface: uint16(i)}
			got := b.show(frame)
			if got >= outcomes {
				t.Fatalf("outcome %d", got)
			}
			if got == OutcomeSegment && len(b.seg.Payload) > int(b.seg.Len) {
				t.Fatalf("payload %d, len %d", len(b.seg.Payload), b.seg.Len)
			}
			if got == OutcomeSegment && b.seg.NSACK > 4 {
				t.Fatalf("%d blocks", b.seg.NSACK)
			}
		}
		b.finish()
		if b.decoder.frags.octets != 0 {
			t.Fatalf("%d octets of fragments are left", b.decoder.frags.octets)
		}
	})
}
