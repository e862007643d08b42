//go:build linux

package world

import (
	"time"

	"tcpwhy/lab/internal/packet"
	"tcpwhy/lab/internal/phrase"
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
	// a RST for the client in the server's name answers the nth data segment to the server, which
	// passes, with the identification of that segment; 0 is none
	Answer int
	// when so many data segments have gone to the client, that direction stands still
	StallAfter  int
	StallFor    time.Duration // for so long, and then everything passes at once
	StallStride int           // again every so many segments; 0 is once
}

// String is what differs from a plain link.
func (b Box) String() string {
	var l phrase.List
	for d, mtu := range b.MTU {
		l.If(mtu > 0, "IP packets over %d octets to the %s lost, ICMP %v", mtu, endOf(d), b.Tell)
	}
	l.If(b.Forget > 0, "connections forgotten after %v idle, later segments answered by RST: %v",
		b.Forget, b.Reset)
	l.If(b.Reject > 0, "SYNs answered by ICMP type 3 code %d", b.Reject)
	l.If(b.Inject > 0, "a RST of its own to the client after data segment %d", b.Inject)
	l.If(b.Answer > 0, "a RST of its own answers data segment %d to the server", b.Answer)
	l.If(b.StallFor > 0, "to the client nothing for %v after %d data segments",
		b.StallFor, b.StallAfter)
	return l.String()
}

// boxState is what a Box remembers.
type boxState struct {
	lastSeen map[uint32]int64 // by flow: when something passed
	dead     map[uint32]bool
	data     int      // segments with data to the client
	asked    int      // and to the server
	closed   [2]int64 // until when a direction stands still
}

func newBoxState() boxState {
	return boxState{lastSeen: make(map[uint32]int64), dead: make(map[uint32]bool)}
}

// box decides about a frame that enters in direction d: whether it may pass.
func (w *wire) box(d int, ether []byte, now int64) bool {
	b := w.link.Box
	h, ok := packet.ParseTCP(ether, d == toServer)
	if !ok {
		return true
	}
	switch {
	case b.MTU[d] > 0 && len(ether)-14 > b.MTU[d]:
		if b.Tell {
			w.answer(d, packet.Unreachable(ether, 4, b.MTU[d]), now)
		}
		return false
	case b.Reject > 0 && h.Kind() == "syn":
		w.answer(d, packet.Unreachable(ether, byte(b.Reject), 0), now)
		return false
	case b.Forget > 0 && w.forgotten(h, now):
		if b.Reset && h.Flags&packet.RST == 0 {
			w.answer(d, packet.ResetFor(ether), now)
		}
		return false
	}
	switch {
	case h.Length == 0:
	case d == toClient:
		w.countData(ether, now)
	default:
		w.countRequest(ether, now)
	}
	return true
}

// forgotten keeps the table of connections: a SYN makes an entry, silence removes it.
func (w *wire) forgotten(h packet.Header, now int64) bool {
	s := &w.boxed
	if h.Flags&packet.SYN != 0 {
		delete(s.dead, h.Flow)
	} else if now-s.lastSeen[h.Flow] > int64(w.link.Box.Forget) {
		s.dead[h.Flow] = true
	}
	s.lastSeen[h.Flow] = now
	return s.dead[h.Flow]
}

// countRequest answers in the server's name.
func (w *wire) countRequest(ether []byte, now int64) {
	w.boxed.asked++
	if w.link.Box.Answer == w.boxed.asked {
		reset := packet.ResetFor(ether)
		packet.SetID(reset, packet.ID(ether))
		w.answer(toServer, reset, now)
	}
}

// countData injects and stalls.
func (w *wire) countData(ether []byte, now int64) {
	b, s := w.link.Box, &w.boxed
	s.data++
	if b.Inject == s.data {
		f := packet.ResetBehind(ether)
		behind := now + 1000 // so that it comes after the segment that it follows
		w.note(behind+int64(w.link.Delay[toClient]/2), f)
		w.queues[toClient].add(behind+int64(w.link.Delay[toClient]), f)
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
	w.note(there, data)
	w.queues[1-d].add(there+int64(w.link.Delay[1-d]/2), data)
}
