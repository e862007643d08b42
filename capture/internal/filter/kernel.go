package filter

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/net/bpf"

	"tcpwhy/capture/internal/frame"
	"tcpwhy/capture/internal/header"
)

// This file makes the kernel's own filter. It is an optimisation and errs on the side of too much:
// it leaves out only what can be no part of a TCP connection, nor an error about one, nor a look-up
// of a name, which may have led to one, nor QUIC's greeting, which the report tells of. Anything
// that it does not understand to the end (tags, tunnels, fragments, extension headers) passes.

// label names a place of a program that jumps lead to.
type label uint8

const (
	labelNext label = iota // the next instruction
	labelIPv4
	labelIPv6
	labelTCP4
	labelTCP6
	labelHost
	labelUDP4
	labelUDP6
	labelPorts
	labelUDP
	labelGreeting
	labelKeep
	labelDrop
	labels
)

// jump is an instruction with its targets by name.
type jump struct {
	bpf.Instruction
	test        bpf.JumpTest
	value       uint32
	isJump      bool
	then, other label
}

// builder builds a program.
type builder struct {
	code  []jump
	place [labels]int
	base  uint32 // where the IP header begins
	snap  uint32
	hint  hint
}

func (k *builder) do(i bpf.Instruction) { k.code = append(k.code, jump{Instruction: i}) }

func (k *builder) load(offset uint32, size int) {
	k.do(bpf.LoadAbsolute{Off: k.base + offset, Size: size})
}

// when jumps if the loaded value passes the test.
func (k *builder) when(test bpf.JumpTest, value uint32, then, other label) {
	k.code = append(k.code, jump{isJump: true, test: test, value: value, then: then, other: other})
}

// equals jumps to then if the loaded value is one of several.
func (k *builder) equals(then label, values ...uint32) {
	for _, v := range values {
		k.when(bpf.JumpEqual, v, then, labelNext)
	}
}

// always jumps whatever was loaded.
func (k *builder) always(to label) { k.when(bpf.JumpEqual, 0, to, to) }

func (k *builder) mark(l label) { k.place[l] = len(k.code) }

// program resolves the labels.
func (k *builder) program() ([]bpf.Instruction, error) {
	out := make([]bpf.Instruction, len(k.code))
	for i, j := range k.code {
		if !j.isJump {
			out[i] = j.Instruction
			continue
		}
		then, err := k.distance(i, j.then)
		if err != nil {
			return nil, err
		}
		other, err := k.distance(i, j.other)
		if err != nil {
			return nil, err
		}
		if then == other && j.then != labelNext {
			out[i] = bpf.Jump{Skip: uint32(then)}
			continue
		}
		out[i] = bpf.JumpIf{Cond: j.test, Val: j.value, SkipTrue: then, SkipFalse: other}
	}
	return out, nil
}

func (k *builder) distance(from int, to label) (uint8, error) {
	if to == labelNext {
		return 0, nil
	}
	d := k.place[to] - from - 1
	if d < 0 || d > 255 {
		return 0, fmt.Errorf("a jump over %d instructions", d)
	}
	return uint8(d), nil
}

// Program is the program for frames of a link layer and a condition, which must be valid. It
// keeps snap octets of what passes.
func Program(kind frame.LinkType, condition string, snap uint32) ([]bpf.Instruction, error) {
	k := builder{snap: snap, hint: hintOf(condition)}
	k.build(kind)
	return k.program()
}

// build writes the program for a link layer.
func (k *builder) build(kind frame.LinkType) {
	switch kind {
	case frame.LinkEthernet:
		k.do(bpf.LoadAbsolute{Off: 12, Size: 2})
		k.base = header.EthernetSize
	case frame.LinkRaw:
		// A tun device tells the protocol of what it receives, but not always of what it sends.
		k.do(bpf.LoadAbsolute{Off: 0, Size: 1})
		k.do(bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0xf0})
		k.equals(labelIPv4, 0x40)
		k.equals(labelIPv6, 0x60)
		k.always(labelKeep)
	default:
		k.do(bpf.LoadExtension{Num: bpf.ExtProto})
	}
	if kind != frame.LinkRaw {
		k.equals(labelIPv4, header.EtherIPv4)
		k.equals(labelIPv6, header.EtherIPv6)
		const arp, rarp, eapol, lldp, slow = 0x0806, 0x8035, 0x888e, 0x88cc, 0x8809
		k.equals(labelDrop, arp, rarp, eapol, lldp, slow)
		k.always(labelKeep)
	}
	k.ipv4()
	k.ipv6()
	k.ports()
	k.udp()
	k.mark(labelKeep)
	k.do(bpf.RetConstant{Val: k.snap})
	k.mark(labelDrop)
	k.do(bpf.RetConstant{Val: 0})
}

// tunnelProtocols are those in IP that may hold TCP further in.
var tunnelProtocols = []uint32{
	uint32(header.ProtoIPv4), uint32(header.ProtoIPv6), uint32(header.ProtoGRE),
	uint32(header.ProtoEtherIP), uint32(header.ProtoMPLS),
	uint32(header.ProtoAH),
}

// ipv4 sorts by protocol. What is fragmented passes: it may be TCP that only its first fragment
// shows.
func (k *builder) ipv4() {
	const offsetAndMore = 0x3fff
	k.mark(labelIPv4)
	k.load(6, 2)
	k.when(bpf.JumpBitsSet, offsetAndMore, labelKeep, labelNext)
	k.load(9, 1)
	k.equals(labelTCP4, uint32(header.ProtoTCP))
	k.equals(labelUDP4, uint32(header.ProtoUDP))
	k.equals(labelKeep, uint32(header.ProtoICMP4))
	k.equals(labelKeep, tunnelProtocols...)
	k.always(labelDrop)
	k.mark(labelUDP4)
	k.do(bpf.LoadMemShift{Off: k.base})
	k.always(labelUDP)
	k.mark(labelTCP4)
	k.host4()
	k.mark(labelHost)
	k.do(bpf.LoadMemShift{Off: k.base})
	k.always(labelPorts)
}

// host4 drops what is neither from nor to the host that is asked for.
func (k *builder) host4() {
	switch host := k.hint.host; {
	case host.Is4():
		octets := host.As4()
		k.load(12, 4)
		k.equals(labelHost, binary.BigEndian.Uint32(octets[:]))
		k.load(16, 4)
		k.when(bpf.JumpEqual, binary.BigEndian.Uint32(octets[:]), labelHost, labelDrop)
	case host.IsValid():
		k.always(labelDrop)
	}
}

// ipv6 sorts by the first next header. What has extension headers passes.
func (k *builder) ipv6() {
	k.mark(labelIPv6)
	k.load(6, 1)
	k.equals(labelTCP6, uint32(header.ProtoTCP))
	k.equals(labelUDP6, uint32(header.ProtoUDP))
	k.equals(labelKeep, uint32(header.ProtoICMP6), uint32(header.HopByHop),
		uint32(header.Routing), uint32(header.Fragment),
		uint32(header.DestinationOptions),
		uint32(header.Mobility), uint32(header.HIP), uint32(header.Shim6))
	k.equals(labelKeep, tunnelProtocols...)
	k.always(labelDrop)
	k.mark(labelUDP6)
	k.do(bpf.LoadConstant{Dst: bpf.RegX, Val: header.IPv6Size})
	k.always(labelUDP)
	k.mark(labelTCP6)
	if k.hint.host.Is4() {
		k.always(labelDrop)
	}
	k.do(bpf.LoadConstant{Dst: bpf.RegX, Val: header.IPv6Size})
}

// ports judges TCP whose header begins X octets after the IP header. It follows ipv6.
func (k *builder) ports() {
	k.mark(labelPorts)
	for _, offset := range []uint32{0, 2} {
		if len(k.hint.ports) > 0 {
			k.do(bpf.LoadIndirect{Off: k.base + offset, Size: 2})
			k.equals(labelKeep, k.hint.ports...)
		}
	}
	if len(k.hint.ports) > 0 {
		k.always(labelDrop)
	}
	k.always(labelKeep)
}

// udp passes tunnels, look-ups of names, whoever asks, and QUIC's first packets: enough to tell
// that there is HTTP which cannot be analysed.
func (k *builder) udp() {
	const udpSize, longAndFixed = 8, 0xc0
	k.mark(labelUDP)
	k.do(bpf.LoadIndirect{Off: k.base, Size: 2})
	k.equals(labelKeep, header.PortDNS)
	k.equals(labelGreeting, 443, 80, 8443)
	k.do(bpf.LoadIndirect{Off: k.base + 2, Size: 2})
	k.equals(
		labelKeep,
		header.PortDNS,
		header.PortVXLAN,
		header.PortVXLANLx,
		header.PortGPE,
		header.PortGeneve,
		header.PortGTP,
		header.PortGRE,
		header.PortMPLS,
	)
	k.equals(labelGreeting, 443, 80, 8443)
	k.always(labelDrop)
	k.mark(labelGreeting)
	k.do(bpf.LoadIndirect{Off: k.base + udpSize, Size: 1})
	k.do(bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: longAndFixed})
	k.when(bpf.JumpEqual, longAndFixed, labelKeep, labelDrop)
}
