package filter

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"golang.org/x/net/bpf"

	"tcpwhy/capture/internal/frame"
	"tcpwhy/capture/internal/header"
)

// kernelFrame is an Ethernet frame with the given type and what follows.
func kernelFrame(etherType uint16, payload ...[]byte) []byte {
	octets := binary.BigEndian.AppendUint16(make([]byte, 12), etherType)
	for _, p := range payload {
		octets = append(octets, p...)
	}
	return append(octets, make([]byte, 40)...)
}

// kernelIPv4 is an IPv4 header, from 10.0.0.1 to 10.0.0.2.
func kernelIPv4(protocol byte, fragment uint16) []byte {
	h := make([]byte, 20)
	h[0], h[9] = 0x45, protocol
	binary.BigEndian.PutUint16(h[6:], fragment)
	copy(h[12:], []byte{10, 0, 0, 1, 10, 0, 0, 2})
	return h
}

// kernelIPv6 is an IPv6 header.
func kernelIPv6(next byte) []byte {
	h := make([]byte, 40)
	h[0], h[6] = 0x60, next
	return h
}

// kernelPorts are the ports of TCP or UDP.
func kernelPorts(src, dst uint16, rest ...byte) []byte {
	p := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, src), dst)
	return append(append(p, 0, 0, 0, 0), rest...)
}

func TestKernelFilter(t *testing.T) {
	const tcp, udp, icmp = 6, 17, 1
	tcp4 := kernelFrame(header.EtherIPv4, kernelIPv4(tcp, 0x4000), kernelPorts(40000, 80))
	tests := []struct {
		name, condition string
		frame           []byte
		kept            bool
	}{
		{"TCP", "", tcp4, true},
		{
			"TCP over IPv6",
			"",
			kernelFrame(header.EtherIPv6, kernelIPv6(tcp), kernelPorts(1, 2)),
			true,
		},
		{"ARP", "", kernelFrame(0x0806), false},
		{"VLAN", "", kernelFrame(header.EtherVLAN, []byte{0, 7, 8, 0}, kernelIPv4(udp, 0)), true},
		{"MPLS", "", kernelFrame(header.EtherMPLS), true},
		{
			"DNS",
			"",
			kernelFrame(header.EtherIPv4, kernelIPv4(udp, 0), kernelPorts(40000, 53)),
			true,
		},
		{
			"DNS answer over IPv6, of another host",
			"host 10.0.0.3",
			kernelFrame(header.EtherIPv6, kernelIPv6(udp), kernelPorts(53, 40000)),
			true,
		},
		{
			"multicast DNS",
			"",
			kernelFrame(header.EtherIPv4, kernelIPv4(udp, 0), kernelPorts(5353, 5353)),
			false,
		},
		{
			"QUIC, long header",
			"",
			kernelFrame(header.EtherIPv4, kernelIPv4(udp, 0), kernelPorts(40000, 443, 0xc3)),
			true,
		},
		{
			"QUIC, long header over IPv6",
			"",
			kernelFrame(header.EtherIPv6, kernelIPv6(udp), kernelPorts(443, 40000, 0xc3)),
			true,
		},
		{
			"QUIC, short header",
			"",
			kernelFrame(header.EtherIPv4, kernelIPv4(udp, 0), kernelPorts(40000, 443, 0x43)),
			false,
		},
		{
			"VXLAN",
			"",
			kernelFrame(header.EtherIPv4, kernelIPv4(udp, 0), kernelPorts(40000, header.PortVXLAN)),
			true,
		},
		{
			"Geneve over IPv6",
			"",
			kernelFrame(header.EtherIPv6, kernelIPv6(udp), kernelPorts(40000, header.PortGeneve)),
			true,
		},
		{"fragment of UDP", "", kernelFrame(header.EtherIPv4, kernelIPv4(udp, 0x2000)), true},
		{"later fragment", "", kernelFrame(header.EtherIPv4, kernelIPv4(tcp, 0x0010)), true},
		{"IPv6 fragment", "", kernelFrame(header.EtherIPv6, kernelIPv6(44)), true},
		{"ICMP", "port 99", kernelFrame(header.EtherIPv4, kernelIPv4(icmp, 0)), true},
		{"GRE", "port 99", kernelFrame(header.EtherIPv4, kernelIPv4(47, 0)), true},
		{"OSPF", "", kernelFrame(header.EtherIPv4, kernelIPv4(89, 0)), false},
		{"the port", "port 80", tcp4, true},
		{"the port of the sender", "tcp port 40000", tcp4, true},
		{"another port", "port 81", tcp4, false},
		{
			"another port over IPv6",
			"port 81",
			kernelFrame(header.EtherIPv6, kernelIPv6(tcp), kernelPorts(1, 2)),
			false,
		},
		{"one of two ports", "port 81 or 80", tcp4, true},
		{"none of two ports", "port 81 or port 82", tcp4, false},
		{"not a port", "not port 80", tcp4, true},
		{"the receiver", "host 10.0.0.2 and port 80", tcp4, true},
		{"another host", "host 10.0.0.3", tcp4, false},
		{"a host of IPv6", "host 2001:db8::1", tcp4, false},
		{
			"IPv6 and a host of IPv4",
			"host 10.0.0.1",
			kernelFrame(header.EtherIPv6, kernelIPv6(tcp)),
			false,
		},
		{"a net", "net 10.9.0.0/16", tcp4, true},
		{"host or port", "host 10.0.0.3 or port 80", tcp4, true},
		{"a mixture", "port 81 and host 10.0.0.1 or port 80", tcp4, true},
		{"parentheses", "(port 81) or (port 80)", tcp4, true},
		{"ports of UDP", "udp port 81", tcp4, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Parse(tt.condition); err != nil {
				t.Fatal(err)
			}
			program, err := Program(frame.LinkEthernet, tt.condition, 1<<16)
			if err != nil {
				t.Fatal(err)
			}
			vm, err := bpf.NewVM(program)
			if err != nil {
				t.Fatal(err)
			}
			n, err := vm.Run(tt.frame)
			if err != nil || n > 0 != tt.kept {
				t.Errorf("keeps %d octets, %v; want kept %v", n, err, tt.kept)
			}
		})
	}
}

// TestKernelFilterKeeps checks the one promise of the kernel's filter on all link layers: whatever
// --filter lets pass is not left out.
func TestKernelFilterKeeps(t *testing.T) {
	packets := [][]byte{
		append(append(kernelIPv4(6, 0), kernelPorts(40000, 80)...), make([]byte, 40)...),
		append(append(kernelIPv6(6), kernelPorts(40000, 80)...), make([]byte, 40)...),
	}
	for _, p := range packets {
		for _, condition := range []string{"", "port 80", "src port 40000 and dst port 80", "tcp", "port 1 or 2 or 80"} {
			program, err := Program(frame.LinkRaw, condition, 1<<16)
			if err != nil {
				t.Fatal(err)
			}
			vm, err := bpf.NewVM(program)
			if err != nil {
				t.Fatal(err)
			}
			if n, err := vm.Run(p); n == 0 || err != nil {
				t.Errorf("%q drops a packet of IPv%d: %v", condition, p[0]>>4, err)
			}
		}
	}
	for _, kind := range []frame.LinkType{frame.LinkEthernet, frame.LinkRaw, frame.LinkCooked2} {
		program, err := Program(kind, "host 10.0.0.1 and port 80", 96)
		if err == nil {
			_, err = bpf.Assemble(program)
		}
		if err != nil {
			t.Errorf("%v: %v", kind, err)
		}
	}
}

func TestHint(t *testing.T) {
	host := netip.MustParseAddr("10.0.0.1")
	if h := hintOf("tcp and src host 10.0.0.1 and dst port https"); h.host != host ||
		len(h.ports) != 1 ||
		h.ports[0] != 443 {
		t.Errorf("hint %+v", h)
	}
	for _, none := range []string{"", "host 10", "not host 10.0.0.1", "net 10.0.0.0/8", "host 10.0.0.1 or host 10.0.0.2", "portrange 1-2"} {
		if h := hintOf(none); h.host.IsValid() || h.ports != nil {
			t.Errorf("%q: hint %+v", none, h)
		}
	}
}
