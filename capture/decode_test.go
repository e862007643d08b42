package capture

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// steady are frames of connections in progress, as the hot path meets them.
func steady() map[string][]byte {
	segment := testTCP{seq: 1, ack: 1, options: stamped(5), payload: make([]byte, 1000)}
	four := testIPv4{id: 1}.wrap(segment.octets(client4, server4))
	six := testIPv6{}.wrap(segment.octets(client6, server6))
	return map[string][]byte{
		"ipv4":      ethernetFrame(etherIPv4, four),
		"ipv6":      ethernetFrame(etherIPv6, six),
		"vlan ipv4": ethernetFrame(etherVLAN, cat(tag(5, etherIPv4), four)),
		"ack ipv4":  ethernetFrame(etherIPv4, testIPv4{id: 1}.wrap(testTCP{seq: 1, options: stamped(5)}.octets(client4, server4))),
		"icmp":      ethernetFrame(etherIPv4, testIPv4{src: router4, dst: client4, protocol: 1}.wrap(cat([]byte{3, 1, 0, 0}, u32(0), plain4()))),
		"udp":       ethernetFrame(etherIPv4, testIPv4{protocol: 17}.wrap(udpIn(5, 443, make([]byte, 50)))),
	}
}

// sequenceAt is where the sequence number stands in a frame of steady.
func sequenceAt(frame []byte) int {
	switch be16(frame[12:]) {
	case etherIPv6:
		return 14 + 40 + 4
	case etherVLAN:
		return 18 + 20 + 4
	}
	return 14 + 20 + 4
}

func TestDecodeAllocatesNothing(t *testing.T) {
	for name, frame := range steady() {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, "host 10.1.2.3 or 2001:db8::3")
			b.feed(linkEthernet, frame)
			at := sequenceAt(frame)
			if allocs := testing.AllocsPerRun(1000, func() {
				frame[at]++
				b.feed(linkEthernet, frame)
			}); allocs != 0 {
				t.Errorf("%v allocations a frame, want none", allocs)
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, name := range []string{"ipv4", "ipv6", "vlan ipv4", "ack ipv4", "udp"} {
		frame := steady()[name]
		b.Run(name, func(b *testing.B) {
			d := newBench(b, "")
			d.feed(linkEthernet, frame)
			f := rawFrame{Link: linkEthernet, Data: frame, OrigLen: uint32(len(frame))}
			at := sequenceAt(frame)
			b.ReportAllocs()
			for b.Loop() {
				// Another segment each time; 8 low bits and 8 higher ones of the sequence number
				// change.
				if frame[at+3]++; frame[at+3] == 0 {
					frame[at+2]++
				}
				f.Time += 10e3
				d.sort(&f, &d.seg)
			}
		})
	}
}

// BenchmarkConnections decodes segments of many connections in turn, so that tables do not stay in
// the cache.
func BenchmarkConnections(b *testing.B) {
	frame := steady()["ipv4"]
	d := newBench(b, "")
	f := rawFrame{Link: linkEthernet, Data: frame, OrigLen: uint32(len(frame))}
	n := uint32(0)
	for b.Loop() {
		n = n*1664525 + 1013904223 // some order that is not that of the table
		frame[14+20], frame[14+21] = byte(n>>24), byte(n>>16)
		frame[18]++
		f.Time += 10e3
		d.sort(&f, &d.seg)
	}
}

// BenchmarkChecksum is what judging the checksum of a full segment costs.
func BenchmarkChecksum(b *testing.B) {
	at := path{src: client4, dst: server4, tcp: make([]byte, 1480)}
	for b.Loop() {
		at.checksumMatches()
	}
}

// TestDecodeAsGopacket compares random segments with what gopacket reads in them.
func TestDecodeAsGopacket(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for i := range 500 {
		frame := randomFrame(rng, i%2 == 1)
		b := newBench(t, "")
		if got := b.feed(linkEthernet, frame); got != OutcomeSegment {
			t.Fatalf("frame %d: outcome %v: %x", i, got, frame)
		}
		packet := gopacket.NewPacket(frame, layers.LayerTypeEthernet, gopacket.Default)
		tcp, ok := packet.Layer(layers.LayerTypeTCP).(*layers.TCP)
		if !ok {
			t.Fatalf("frame %d: gopacket finds no TCP: %v", i, packet.ErrorLayer())
		}
		src, _ := netip.AddrFromSlice(packet.NetworkLayer().NetworkFlow().Src().Raw())
		s := &b.seg
		if s.Src != netip.AddrPortFrom(src, uint16(tcp.SrcPort)) || s.Dst.Port() != uint16(tcp.DstPort) ||
			s.Seq != tcp.Seq || s.Ack != tcp.Ack || s.Window != tcp.Window || !bytes.Equal(s.Payload, tcp.Payload) {
			t.Errorf("frame %d: got %+v, gopacket %+v", i, s, tcp)
		}
		if s.Flags.Has(SYN) != tcp.SYN || s.Flags.Has(FIN) != tcp.FIN || s.Flags.Has(RST) != tcp.RST ||
			s.Flags.Has(PSH) != tcp.PSH || s.Flags.Has(ACK) != tcp.ACK || s.Flags.Has(CWR) != tcp.CWR {
			t.Errorf("frame %d: flags %b, gopacket %+v", i, s.Flags, tcp)
		}
		if s.Options.Has(BadChecksum) {
			t.Errorf("frame %d: checksum that gopacket computed is taken for wrong", i)
		}
	}
}

// randomFrame is a segment that gopacket wrote.
func randomFrame(rng *rand.Rand, v6 bool) []byte {
	random := func(n int) []byte {
		p := make([]byte, n)
		for i := range p {
			p[i] = byte(rng.Uint32())
		}
		return p
	}
	tcp := &layers.TCP{SrcPort: layers.TCPPort(rng.Uint32()), DstPort: layers.TCPPort(rng.Uint32()), Seq: rng.Uint32(),
		Ack: rng.Uint32(), Window: uint16(rng.Uint32()), SYN: rng.IntN(2) == 0, FIN: rng.IntN(2) == 0, RST: rng.IntN(2) == 0,
		PSH: rng.IntN(2) == 0, ACK: rng.IntN(2) == 0, CWR: rng.IntN(2) == 0,
		Options: []layers.TCPOption{{OptionType: 8, OptionLength: 10, OptionData: random(8)}}}
	ethernet := &layers.Ethernet{SrcMAC: random(6), DstMAC: random(6), EthernetType: layers.EthernetTypeIPv4}
	var ip gopacket.SerializableLayer
	if v6 {
		ethernet.EthernetType = layers.EthernetTypeIPv6
		six := &layers.IPv6{Version: 6, NextHeader: layers.IPProtocolTCP, HopLimit: 64, SrcIP: random(16), DstIP: random(16)}
		_ = tcp.SetNetworkLayerForChecksum(six)
		ip = six
	} else {
		four := &layers.IPv4{Version: 4, Protocol: layers.IPProtocolTCP, TTL: 64, Id: 1, SrcIP: random(4), DstIP: random(4)}
		_ = tcp.SetNetworkLayerForChecksum(four)
		ip = four
	}
	buffer := gopacket.NewSerializeBuffer()
	options := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	if err := gopacket.SerializeLayers(buffer, options, ethernet, ip, tcp, gopacket.Payload(random(rng.IntN(1400)))); err != nil {
		panic(err)
	}
	return buffer.Bytes()
}
