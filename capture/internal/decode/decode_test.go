package decode

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"tcpwhy/capture/internal/frame"
	"tcpwhy/capture/internal/frametest"
	"tcpwhy/capture/segment"
)

func TestDecodeAllocatesNothing(t *testing.T) {
	for name, octets := range frametest.Steady() {
		t.Run(name, func(t *testing.T) {
			b := newBench()
			b.feed(frame.LinkEthernet, octets)
			at := frametest.SequenceAt(octets)
			if allocs := testing.AllocsPerRun(1000, func() {
				octets[at]++
				b.feed(frame.LinkEthernet, octets)
			}); allocs != 0 {
				t.Errorf("%v allocations a frame, want none", allocs)
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, name := range []string{"ipv4", "ipv6", "vlan ipv4", "ack ipv4", "udp"} {
		octets := frametest.Steady()[name]
		b.Run(name, func(b *testing.B) {
			d := newBench()
			d.feed(frame.LinkEthernet, octets)
			f := frame.Frame{Link: frame.LinkEthernet, Data: octets, OrigLen: uint32(len(octets))}
			at := frametest.SequenceAt(octets)
			b.ReportAllocs()
			for b.Loop() {
				// Another segment each time; 8 low bits and 8 higher ones of the sequence number
				// change.
				if octets[at+3]++; octets[at+3] == 0 {
					octets[at+2]++
				}
				f.Time += 10e3
				d.Decode(&f, &d.seg)
			}
		})
	}
}

// BenchmarkChecksum is what judging the checksum of a full segment costs.
func BenchmarkChecksum(b *testing.B) {
	at := path{src: frametest.Client4, dst: frametest.Server4, tcp: make([]byte, 1480)}
	for b.Loop() {
		at.checksumMatches()
	}
}

// TestDecodeAsGopacket compares random segments with what gopacket reads in them.
func TestDecodeAsGopacket(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for i := range 500 {
		octets := randomFrame(rng, i%2 == 1)
		b := newBench()
		if got := b.feed(frame.LinkEthernet, octets); got != Segment {
			t.Fatalf("frame %d: outcome %v: %x", i, got, octets)
		}
		packet := gopacket.NewPacket(octets, layers.LayerTypeEthernet, gopacket.Default)
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
		if s.Flags.Has(segment.SYN) != tcp.SYN || s.Flags.Has(segment.FIN) != tcp.FIN || s.Flags.Has(segment.RST) != tcp.RST ||
			s.Flags.Has(segment.PSH) != tcp.PSH || s.Flags.Has(segment.ACK) != tcp.ACK || s.Flags.Has(segment.CWR) != tcp.CWR {
			t.Errorf("frame %d: flags %b, gopacket %+v", i, s.Flags, tcp)
		}
		if s.Options.Has(segment.BadChecksum) {
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
