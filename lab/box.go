//go:build linux

package main

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"
)

// A Box sits in the middle of the link and does what routers and firewalls do. Its own packets have
// a time to live of their own, as those of a real one have. It understands IPv4 without offloads.
type Box struct {
	MTU  [2]int // longer IP packets are lost, by direction; 0 is no limit
	Tell bool   // says so by ICMP "fragmentation needed" (RFC 1191)
	// a connection on which nothing passed for so long is forgotten; 0 is never
	Forget time.Duration
	// answers segments of a forgotten connection with RST; else they are lost
	Reset bool
	// ICMP code with which a SYN to the server is answered: 1 unreachable, 13 prohibited; 0 is none
	Reject int
	// a RST for the client follows the nth data segment to the client; 0 is none
	Inject int
	// when so many data segments have gone to the client, that direction stands still
	StallAfter  int
	StallFor    time.Duration // for so long, and then everything passes at once
	StallStride int           // again every so many segments; 0 is once
}

// String is what differs from a plain link.
func (b Box) String() string {
	var words []string
	for d, way := range []string{"server", "client"} {
		if b.MTU[d] > 0 {
			words = append(
				words,
				fmt.Sprintf(
					"IP packets over %d octets to the %s lost, ICMP %v",
					b.MTU[d],
					way,
					b.Tell,
				),
			)
		}
	}
	if b.Forget > 0 {
		words = append(
			words,
			fmt.Sprintf(
				"connections forgotten after %v idle, later segments answered by RST: %v",
				b.Forget,
				b.Reset,
			),
		)
	}
	if b.Reject > 0 {
		words = append(words, fmt.Sprintf("SYNs answered by ICMP type 3 code %d", b.Reject))
	}
	if b.Inject > 0 {
		words = append(
			words,
			fmt.Sprintf("a RST of its own to the client after data segment %d", b.Inject),
		)
	}
	if b.StallFor > 0 {
		words = append(
			words,
			fmt.Sprintf(
				"to the client nothing for %v after %d data segments",
				b.StallFor,
				b.StallAfter,
			),
		)
	}
	return strings.Join(words, "; ")
}

// boxState is what a Box remembers.
type boxState struct {
	lastSeen map[uint32]int64 // by flow: when something passed
	dead     map[uint32]bool
	data     int      // segments with data to the client
	closed   [2]int64 // until when a direction stands still
}

func newBoxState() boxState {
	return boxState{lastSeen: make(map[uint32]int64), dead: make(map[uint32]bool)}
}

// box decides about a frame that enters in direction d: whether it may pass.
func (w *wire) box(d int, ether []byte, now int64) bool {
	b := w.link.Box
	h, ok := parseTCP(ether, d == toServer)
	if !ok {
		return true
	}
	switch {
	case b.MTU[d] > 0 && len(ether)-14 > b.MTU[d]:
		if b.Tell {
			w.answer(d, icmpFor(ether, 4, b.MTU[d]), now)
		}
		return false
	case b.Reject > 0 && h.kind() == "syn":
		w.answer(d, icmpFor(ether, byte(b.Reject), 0), now)
		return false
	case b.Forget > 0 && w.forgotten(h, now):
		if b.Reset && h.flags&flagRST == 0 {
			w.answer(d, resetFor(ether), now)
		}
		return false
	}
	if d == toClient && h.length > 0 {
		w.countData(ether, now)
	}
	return true
}

// forgotten keeps the table of connections: a SYN makes an entry, silence removes it.
func (w *wire) forgotten(h tcpHeader, now int64) bool {
	s := &w.boxed
	if h.flags&flagSYN != 0 {
		delete(s.dead, h.flow)
	} else if now-s.lastSeen[h.flow] > int64(w.link.Box.Forget) {
		s.dead[h.flow] = true
	}
	s.lastSeen[h.flow] = now
	return s.dead[h.flow]
}

// countData injects and stalls.
func (w *wire) countData(ether []byte, now int64) {
	b, s := w.link.Box, &w.boxed
	s.data++
	if b.Inject == s.data {
		f := resetBehind(ether)
		w.middle = append(
			w.middle,
			frame{at: now + int64(w.link.Delay[toClient]/2) + 1000, data: f, wire: len(f)},
		)
		w.queues[toClient].add(now+int64(w.link.Delay[toClient])+1000, f)
	}
	past := s.data - b.StallAfter
	if b.StallFor > 0 && past >= 0 &&
		(past == 0 || (b.StallStride > 0 && past%b.StallStride == 0)) {
		s.closed[toClient] = now + int64(b.StallFor)
	}
}

// answer sends a frame of the box back to the sender of what entered in direction d.
func (w *wire) answer(d int, data []byte, now int64) {
	there := now + int64(w.link.Delay[d]/2)
	w.middle = append(w.middle, frame{at: there, data: data, wire: len(data)})
	w.queues[1-d].add(there+int64(w.link.Delay[1-d]/2), data)
}

// boxTTL is what remains of the box's time to live, unlike that of the ends.
const boxTTL = 58

// ipv4 wraps a payload, from one address to another, for the Ethernet addresses of a frame the
// other way round.
func ipv4(answered []byte, source, destination [4]byte, protocol byte, payload []byte) []byte {
	f := make([]byte, 0, 34+len(payload))
	f = append(f, answered[6:12]...)
	f = append(f, answered[0:6]...)
	f = append(f, 8, 0, 0x45, 0)
	f = binary.BigEndian.AppendUint16(f, uint16(20+len(payload)))
	f = append(f, 0, 0, 0x40, 0, boxTTL, protocol, 0, 0)
	f = append(append(f, source[:]...), destination[:]...)
	binary.BigEndian.PutUint16(f[24:], checksum(0, f[14:34]))
	return append(f, payload...)
}

// checksum is that of RFC 1071.
func checksum(sum uint32, b []byte) uint16 {
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(b[i])<<8 | uint32(b[i+1])
	}
	if len(b)%2 == 1 {
		sum += uint32(b[len(b)-1]) << 8
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

func addresses(ether []byte) (source, destination [4]byte) {
	copy(source[:], ether[26:30])
	copy(destination[:], ether[30:34])
	return source, destination
}

// icmpFor is destination unreachable (RFC 792) about a frame, from a router that is neither end.
func icmpFor(ether []byte, code byte, mtu int) []byte {
	source, _ := addresses(ether)
	m := []byte{3, code, 0, 0, 0, 0, byte(mtu >> 8), byte(mtu)}
	m = append(m, ether[14:min(len(ether), 14+20+8)]...)
	binary.BigEndian.PutUint16(m[2:], checksum(0, m))
	return ipv4(ether, [4]byte{10, 9, 0, 254}, source, 1, m)
}

// resetFor answers a segment as a host without the connection would (RFC 9293 section 3.10.7.1), in
// the name of the segment's destination.
func resetFor(ether []byte) []byte {
	at, _, _ := ipHeader(ether)
	source, destination := addresses(ether)
	t := ether[at:]
	return ipv4(ether, destination, source, 6, resetSegment(destination, source,
		binary.BigEndian.Uint16(t[2:]), binary.BigEndian.Uint16(t), binary.BigEndian.Uint32(t[8:])))
}

// resetBehind is a reset that takes the place of what follows the segment, in the name of its
// sender.
func resetBehind(ether []byte) []byte {
	at, length, _ := ipHeader(ether)
	source, destination := addresses(ether)
	t := ether[at:]
	next := binary.BigEndian.Uint32(t[4:]) + uint32(length-int(t[12]>>4)*4)
	f := ipv4(ether, source, destination, 6, resetSegment(source, destination,
		binary.BigEndian.Uint16(t), binary.BigEndian.Uint16(t[2:]), next))
	copy(f[0:12], ether[0:12]) // the way of the segment, not back
	return f
}

func resetSegment(source, destination [4]byte, from, to uint16, seq uint32) []byte {
	b := binary.BigEndian.AppendUint16(nil, from)
	b = binary.BigEndian.AppendUint16(b, to)
	b = binary.BigEndian.AppendUint32(b, seq)
	b = append(b, 0, 0, 0, 0, 5<<4, flagRST, 0, 0, 0, 0, 0, 0)
	var pseudo []byte
	pseudo = append(append(pseudo, source[:]...), destination[:]...)
	pseudo = append(pseudo, 0, 6, 0, byte(len(b)))
	sum := uint32(^checksum(0, pseudo))
	binary.BigEndian.PutUint16(b[16:], checksum(sum, b))
	return b
}
