//go:build linux

package main

import (
	"encoding/binary"
	"fmt"
)

// tcpHeader is what the lab needs to know of a segment to lose the right one.
type tcpHeader struct {
	flow     uint32 // both ports, client's first
	toServer bool
	flags    byte
	length   int // octets of data
}

const (
	flagFIN = 1
	flagSYN = 2
	flagRST = 4
	flagPSH = 8
	flagACK = 16
)

// ipHeader finds the TCP header in an Ethernet frame: its offset and the octets of the segment.
func ipHeader(data []byte) (offset, length int, ok bool) {
	if len(data) < 14+20 {
		return 0, 0, false
	}
	switch binary.BigEndian.Uint16(data[12:]) {
	case 0x0800:
		head := int(data[14]&15) * 4
		return 14 + head, int(binary.BigEndian.Uint16(data[16:])) - head, data[23] == 6
	case 0x86dd:
		if len(data) < 14+40 {
			return 0, 0, false
		}
		return 54, int(binary.BigEndian.Uint16(data[18:])), data[20] == 6
	}
	return 0, 0, false
}

func isTCP(data []byte) bool {
	_, _, ok := ipHeader(data)
	return ok
}

// isICMP is true of ICMP over IPv4.
func isICMP(data []byte) bool {
	return len(data) >= 34 && binary.BigEndian.Uint16(data[12:]) == 0x0800 && data[23] == 1
}

// parseTCP reads a frame on its way in the given direction.
func parseTCP(data []byte, toServer bool) (tcpHeader, bool) {
	at, length, ok := ipHeader(data)
	if !ok || len(data) < at+20 {
		return tcpHeader{}, false
	}
	b := data[at:]
	src, dst := uint32(binary.BigEndian.Uint16(b)), uint32(binary.BigEndian.Uint16(b[2:]))
	if !toServer {
		src, dst = dst, src
	}
	return tcpHeader{src<<16 | dst, toServer, b[13], length - int(b[12]>>4)*4}, true
}

// kind is a segment in the words of loss rules.
func (h tcpHeader) kind() string {
	switch {
	case h.flags&flagRST != 0:
		return "rst"
	case h.flags&flagSYN != 0 && h.flags&flagACK != 0:
		return "synack"
	case h.flags&flagSYN != 0:
		return "syn"
	case h.flags&flagFIN != 0:
		return "fin"
	case h.length > 0:
		return "data"
	}
	return "ack"
}

// A drop loses one kind of segment: the First-th of it and the Times-1 that follow, in every
// connection, counted from 1 within a direction of the connection as they enter the link,
// retransmissions included.
type drop struct {
	ToServer bool
	Kind     string // syn, synack, ack (without data), data, fin, rst
	First    int
	Times    int // 0 is one
}

func (d drop) String() string {
	way := "to the client"
	if d.ToServer {
		way = "to the server"
	}
	return fmt.Sprintf(
		"%d %s segment(s) from number %d %s lost",
		max(d.Times, 1),
		d.Kind,
		d.First,
		way,
	)
}

// losses counts segments and applies the rules.
type losses struct {
	rules []drop
	seen  map[lossKey]int
}

type lossKey struct {
	flow     uint32
	toServer bool
	kind     string
}

// lose reports whether the frame is to be lost.
func (l *losses) lose(data []byte, toServer bool) bool {
	if len(l.rules) == 0 {
		return false
	}
	h, ok := parseTCP(data, toServer)
	if !ok {
		return false
	}
	key := lossKey{h.flow, toServer, h.kind()}
	l.seen[key]++
	n := l.seen[key]
	for _, d := range l.rules {
		if d.ToServer == toServer && d.Kind == key.kind && n >= d.First &&
			n < d.First+max(d.Times, 1) {
			return true
		}
	}
	return false
}
