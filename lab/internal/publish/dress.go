//go:build linux

package publish

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"tcpwhy/lab/internal/packet"
	"tcpwhy/lab/internal/world"
)

// twice has every frame a second time, 4 us later.
func twice(frames []packet.Frame) []packet.Frame {
	var all []packet.Frame
	for _, f := range frames {
		copied := f
		copied.At += 4000
		all = append(all, f, copied)
	}
	return all
}

// routed has every frame a second time, as it passed behind a router that takes so long.
func routed(frames []packet.Frame, transit int64) []packet.Frame {
	near, far := []byte{2, 0, 0, 0, 0, 0x21}, []byte{2, 0, 0, 0, 0, 0x22}
	client, server := world.ClientStation().MAC, []byte{2, 0, 0, 0, 0, 2}
	var all []packet.Frame
	for _, f := range frames {
		before, behind := f, f
		before.Data, behind.Data = bytes.Clone(f.Data), bytes.Clone(f.Data)
		if bytes.Equal(f.Data[6:12], client) {
			copy(before.Data, near)
			packet.Hop(behind.Data, far, server)
			behind.At += transit
		} else {
			copy(before.Data, far)
			packet.Hop(behind.Data, near, client)
			before.At -= transit
		}
		all = append(all, before, behind)
	}
	slices.SortStableFunc(all, func(a, b packet.Frame) int { return cmp.Compare(a.At, b.At) })
	return all
}

// missing leaves out frames 30 to 35 and 100 to 105: with them go segments of the response and
// ACKs.
func missing(frames []packet.Frame) []packet.Frame {
	var left []packet.Frame
	for i, f := range frames {
		if n := i + 1; (n < 30 || n > 35) && (n < 100 || n > 105) {
			left = append(left, f)
		}
	}
	return left
}

// without leaves out the TCP segments for which is holds: by their flags, octets of data, and
// whether the client sent them.
func without(
	frames []packet.Frame, is func(flags byte, data int, client bool) bool,
) []packet.Frame {
	var left []packet.Frame
	for _, f := range frames {
		ip := f.Data[14:]
		tcp := ip[int(ip[0]&15)*4:]
		data := int(binary.BigEndian.Uint16(ip[2:])) - int(ip[0]&15)*4 - int(tcp[12]>>4)*4
		if !is(tcp[13], data, bytes.Equal(f.Data[6:12], world.ClientStation().MAC)) {
			left = append(left, f)
		}
	}
	return left
}

// What TCP segments are, by their flags.
const (
	flagsOfSYNACK = packet.SYN | packet.ACK
	flagsOfAll    = packet.FIN | packet.SYN | packet.RST | packet.PSH | packet.ACK
)

func isSYNACK(flags byte, _ int, _ bool) bool { return flags&flagsOfSYNACK == flagsOfSYNACK }

func isClientACK(flags byte, data int, client bool) bool {
	return client && data == 0 && flags&flagsOfAll == packet.ACK
}

// fromServer leaves out what the client sent.
func fromServer(frames []packet.Frame) []packet.Frame {
	var left []packet.Frame
	for _, f := range frames {
		if !bytes.Equal(f.Data[6:12], world.ClientStation().MAC) {
			left = append(left, f)
		}
	}
	return left
}

// tagged puts an 802.1Q tag of VLAN 100 into every frame.
func tagged(frames []packet.Frame) []packet.Frame {
	var all []packet.Frame
	for _, f := range frames {
		data := append([]byte(nil), f.Data[:12]...)
		data = append(data, 0x81, 0, 0, 100)
		data = append(data, f.Data[12:]...)
		all = append(all, packet.Frame{At: f.At, Data: data, Wire: f.Wire + 4})
	}
	return all
}

// enclosed puts every frame whole, behind a header, into UDP to a port, from one address to
// another.
func enclosed(frames []packet.Frame, port uint16, head []byte) []packet.Frame {
	var all []packet.Frame
	for i, f := range frames {
		data := packet.Enclosed(append(bytes.Clone(head), f.Data...), port, uint16(i+1))
		all = append(all,
			packet.Frame{At: f.At, Data: data, Wire: f.Wire + len(data) - len(f.Data)})
	}
	return all
}

// linkSLL2 is LINKTYPE_LINUX_SLL2.
const linkSLL2 = 276

// cooked puts a header of LINUX_SLL2 in place of Ethernet's: protocol, reserved, interface, ARPHRD
// type, packet type (4 is outgoing), address length and address. The client's machine made the
// capture.
func cooked(frames []packet.Frame) []packet.Frame {
	var all []packet.Frame
	for _, f := range frames {
		head := make([]byte, 20)
		copy(head, f.Data[12:14])
		binary.BigEndian.PutUint32(head[4:], 2)
		binary.BigEndian.PutUint16(head[8:], 1)
		if bytes.Equal(f.Data[6:12], world.ClientStation().MAC) {
			head[10] = 4
		}
		head[11] = 6
		copy(head[12:], f.Data[6:12])
		data := append(head, f.Data[14:]...)
		all = append(all, packet.Frame{At: f.At, Data: data, Wire: f.Wire + 6})
	}
	return all
}

// nextGeneration is a pcapng file: one section, one interface with if_tsresol 9, enhanced packet
// blocks.
func nextGeneration(frames []packet.Frame) []byte {
	le := binary.LittleEndian
	section := le.AppendUint32(nil, 0x1a2b3c4d)
	section = append(section, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
	// LINKTYPE_ETHERNET, 256 KiB; if_name eth0; if_tsresol 9; end of options
	face := []byte{1, 0, 0, 0, 0, 0, 4, 0, 2, 0, 4, 0, 'e', 't', 'h', '0', 9, 0, 1, 0, 9, 0, 0, 0,
		0, 0, 0, 0}
	all := append(block(0x0a0d0d0a, section), block(1, face)...)
	for _, f := range frames {
		all = append(all, packetBlock(0, f)...)
	}
	return all
}

// packetBlock is an enhanced packet block of a frame of an interface.
func packetBlock(face uint32, f packet.Frame) []byte {
	le := binary.LittleEndian
	body := le.AppendUint32(nil, face)
	body = le.AppendUint32(body, uint32(uint64(f.At)>>32))
	body = le.AppendUint32(body, uint32(f.At))
	body = le.AppendUint32(body, uint32(len(f.Data)))
	body = le.AppendUint32(body, uint32(f.Wire))
	body = append(body, f.Data...)
	return block(6, append(body, make([]byte, (4-len(f.Data)%4)%4)...))
}

// block is a block of pcapng.
func block(kind uint32, body []byte) []byte {
	le := binary.LittleEndian
	b := le.AppendUint32(nil, kind)
	b = le.AppendUint32(b, uint32(len(body)+12))
	b = append(b, body...)
	return le.AppendUint32(b, uint32(len(body)+12))
}
