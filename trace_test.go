package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"

	"tcpwhy/capture"
)

// packet is one frame of a capture file, to be changed and written again.
type packet struct {
	at   int64 // ns since the Unix epoch
	wire int   // octets on the wire
	data []byte
}

// trace is the frames of a capture file of one link type.
type trace struct {
	link    uint16
	packets []packet
}

// clone is a copy whose frames may be changed.
func (tr trace) clone() trace {
	out := trace{tr.link, slices.Clone(tr.packets)}
	for i := range out.packets {
		out.packets[i].data = bytes.Clone(out.packets[i].data)
	}
	return out
}

// parseTrace reads a pcap file, or a pcapng file of one interface.
func parseTrace(t tester, file []byte) trace {
	t.Helper()
	switch magic := binary.LittleEndian.Uint32(file); magic {
	case 0xa1b23c4d:
		return parsePcap(file, binary.LittleEndian, 1)
	case 0xa1b2c3d4:
		return parsePcap(file, binary.LittleEndian, 1000)
	case 0xd4c3b2a1:
		return parsePcap(file, binary.BigEndian, 1000)
	case 0x0a0d0d0a:
		return parsePcapng(file)
	default:
		t.Fatal(fmt.Sprintf("no capture: magic number %x", magic))
	}
	return trace{}
}

func parsePcap(file []byte, order binary.ByteOrder, tick int64) trace {
	tr := trace{link: uint16(order.Uint32(file[20:]))}
	for b := file[24:]; len(b) >= 16; {
		n := int(order.Uint32(b[8:]))
		if len(b) < 16+n {
			break
		}
		at := int64(order.Uint32(b))*1e9 + int64(order.Uint32(b[4:]))*tick
		tr.packets = append(tr.packets, packet{at, int(order.Uint32(b[12:])), bytes.Clone(b[16 : 16+n])})
		b = b[16+n:]
	}
	return tr
}

// parsePcapng takes times as nanoseconds if an interface names a resolution at all, as this
// project's files do.
func parsePcapng(file []byte) trace {
	order := binary.LittleEndian
	tr := trace{}
	tick := int64(1000)
	for b := file; len(b) >= 12; b = b[order.Uint32(b[4:]):] {
		switch order.Uint32(b) {
		case 1:
			tr.link = order.Uint16(b[8:])
			if bytes.Contains(b[16:order.Uint32(b[4:])], []byte{9, 0, 1, 0, 9}) {
				tick = 1
			}
		case 6:
			n := order.Uint32(b[20:])
			at := int64(uint64(order.Uint32(b[12:]))<<32|uint64(order.Uint32(b[16:]))) * tick
			tr.packets = append(tr.packets, packet{at, int(order.Uint32(b[24:])), bytes.Clone(b[28 : 28+n])})
		}
	}
	return tr
}

// pcap is the trace as a pcap file.
func (tr trace) pcap(t tester, nano bool) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := capture.NewPcapWriter(&b, tr.link, nano)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range tr.packets {
		if err := w.WriteFrame(p.at, p.data, p.wire); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// pcapng is the trace as a pcapng file.
func (tr trace) pcapng(t tester) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := capture.NewPcapngWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.AddInterface("", tr.link, 0); err != nil {
		t.Fatal(err)
	}
	for _, p := range tr.packets {
		if err := w.WriteFrame(0, p.at, p.data, p.wire, ""); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// linkEthernet is the only link layer that snoop files are read of.
const linkEthernet = 1

// snoop is a file of Solaris' snoop, with microseconds (RFC 1761).
func (tr trace) snoop() []byte {
	be := binary.BigEndian
	b := be.AppendUint32([]byte("snoop\x00\x00\x00\x00\x00\x00\x02"), 4)
	for _, p := range tr.packets {
		padding := (4 - len(p.data)%4) % 4
		b = be.AppendUint32(b, uint32(p.wire))
		b = be.AppendUint32(b, uint32(len(p.data)))
		b = be.AppendUint32(b, uint32(24+len(p.data)+padding))
		b = be.AppendUint32(b, 0)
		b = be.AppendUint32(b, uint32(p.at/1e9))
		b = be.AppendUint32(b, uint32(p.at%1e9/1e3))
		b = append(append(b, p.data...), make([]byte, padding)...)
	}
	return b
}

// headers are the headers of a frame with TCP, as parts of the frame's octets.
type headers struct {
	ip, tcp []byte // tcp reaches to the end of the packet as captured
	v6      bool
	data    int // octets of data on the wire
}

// headers finds the headers; ok tells that this is TCP, whole as far as the TCP header's options.
// What else a capture holds, and tunnels, stay as they are.
func (p *packet) headers(link uint16) (h headers, ok bool) {
	b, kind := p.data, uint16(0)
	switch {
	case link == 1 && len(b) > 14:
		kind, b = binary.BigEndian.Uint16(b[12:]), b[14:]
	case link == 113 && len(b) > 16:
		kind, b = binary.BigEndian.Uint16(b[14:]), b[16:]
	case link == 276 && len(b) > 20:
		kind, b = binary.BigEndian.Uint16(b), b[20:]
	}
	for kind == 0x8100 && len(b) > 4 {
		kind, b = binary.BigEndian.Uint16(b[2:]), b[4:]
	}
	switch {
	case kind == 0x0800 && len(b) > 20 && b[9] == 6:
		n := int(b[0]&15) * 4
		h = headers{ip: b[:n], tcp: b[n:], data: int(binary.BigEndian.Uint16(b[2:])) - n}
	case kind == 0x86dd && len(b) > 40 && b[6] == 6:
		h = headers{ip: b[:40], tcp: b[40:], v6: true, data: int(binary.BigEndian.Uint16(b[4:]))}
	}
	if len(h.tcp) < 20 {
		return headers{}, false
	}
	h.tcp = h.tcp[:min(len(h.tcp), h.data)]
	h.data -= int(h.tcp[12]>>4) * 4
	return h, true
}

// put16 changes a field of the TCP header at an even offset, and the checksum with it (RFC 1624): a
// wrong one stays wrong.
func (h *headers) put16(at int, v uint16) {
	old := binary.BigEndian.Uint16(h.tcp[at:])
	binary.BigEndian.PutUint16(h.tcp[at:], v)
	h.adjust(old, v)
}

func (h *headers) adjust(old, v uint16) {
	sum := uint32(^binary.BigEndian.Uint16(h.tcp[16:])) + uint32(^old) + uint32(v)
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	binary.BigEndian.PutUint16(h.tcp[16:], ^uint16(sum))
}

// put32 changes a field of four octets at any offset of the TCP header.
func (h *headers) put32(at int, v uint32) {
	if at%2 == 0 {
		h.put16(at, uint16(v>>16))
		h.put16(at+2, uint16(v))
		return
	}
	even := at - 1
	b := bytes.Clone(h.tcp[even : even+6])
	binary.BigEndian.PutUint32(b[1:], v)
	for i := 0; i < 6; i += 2 {
		h.put16(even+i, binary.BigEndian.Uint16(b[i:]))
	}
}

// get32 is a field of the TCP header.
func (h *headers) get32(at int) uint32 { return binary.BigEndian.Uint32(h.tcp[at:]) }

// src and dst are the sender and the receiver.
func (h *headers) src() netip.AddrPort { return h.endpoint(0) }
func (h *headers) dst() netip.AddrPort { return h.endpoint(1) }

func (h *headers) endpoint(i int) netip.AddrPort {
	at, n := 12, 4
	if h.v6 {
		at, n = 8, 16
	}
	addr, _ := netip.AddrFromSlice(h.ip[at+i*n : at+i*n+n])
	return netip.AddrPortFrom(addr, binary.BigEndian.Uint16(h.tcp[2*i:]))
}

// setEndpoint changes the sender (0) or the receiver (1) to an address of the same family.
func (h *headers) setEndpoint(i int, to netip.AddrPort) {
	at, n := 12, 4
	if h.v6 {
		at, n = 8, 16
	}
	field := h.ip[at+i*n : at+i*n+n]
	was := bytes.Clone(field)
	copy(field, to.Addr().AsSlice())
	for k := 0; k < n; k += 2 {
		h.adjust(binary.BigEndian.Uint16(was[k:]), binary.BigEndian.Uint16(field[k:]))
	}
	h.put16(2*i, to.Port())
	h.sealIP()
}

// sealIP sets the checksum of an IPv4 header.
func (h *headers) sealIP() {
	if !h.v6 {
		h.ip[10], h.ip[11] = 0, 0
		binary.BigEndian.PutUint16(h.ip[10:], checksum(h.ip, 0))
	}
}

// setTTL changes the time to live, or hop limit.
func (h *headers) setTTL(change func(uint8) uint8) {
	at := 8
	if h.v6 {
		at = 7
	}
	h.ip[at] = change(h.ip[at])
	h.sealIP()
}

// sackFields are the offsets of the numbers in the SACK blocks of the TCP header.
func (h *headers) sackFields() []int {
	var at []int
	end := min(h.head(), len(h.tcp))
	for i := 20; i < end && h.tcp[i] != 0; {
		if h.tcp[i] == 1 {
			i++
			continue
		}
		if i+1 >= end || h.tcp[i+1] < 2 || i+int(h.tcp[i+1]) > end {
			break
		}
		if h.tcp[i] == 5 {
			for k := i + 2; k+4 <= i+int(h.tcp[i+1]); k += 4 {
				at = append(at, k)
			}
		}
		i += int(h.tcp[i+1])
	}
	return at
}

// flags of the TCP header.
func (h *headers) flags() capture.TCPFlags { return capture.TCPFlags(h.tcp[13]) }

// edit changes every TCP frame of a copy of the trace.
func (tr trace) edit(change func(*headers)) trace {
	out := tr.clone()
	for i := range out.packets {
		if h, ok := out.packets[i].headers(out.link); ok {
			change(&h)
		}
	}
	return out
}
