package main

import (
	"cmp"
	"container/heap"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"tcpwhy/capture"
)

// This file is a small deterministic TCP and HTTP simulator: two hosts, a path with a capture point
// on it, and applications that write what they are told. Its captures come with the truth.

// fate is what becomes of a segment on its way.
type fate uint8

const (
	arrives   fate = iota
	lostEarly      // before the capture point
	lostLate       // behind the capture point
)

// write is one call of an application to its socket, a pause after the one before.
type appWrite struct {
	pause  time.Duration
	octets int
}

// talk is one exchange as the applications play it.
type talk struct {
	idle     time.Duration // of the client before it
	request  []appWrite
	think    time.Duration // of the server
	response []appWrite
}

// simulation is what is simulated.
type simulation struct {
	near, far time.Duration // one-way delay between client and capture, capture and server
	mss       int
	cwnd      int              // initial congestion window in segments; 0: 10 (RFC 6928)
	nagle     [2]bool          // by host: client, server
	delack    [2]time.Duration // 0: acknowledge at once
	talks     []talk
	opaque    bool // not HTTP
	// of the n-th segment with data of a direction; nil: all arrive
	fate func(dir, n int, repeated bool) fate
	port uint16 // of the client; 0: 40000
	stay bool   // leave the connection open
	// hosts take so many times as long for what they do; 0: once
	slow int
}

// reaction is what a host takes to answer a segment.
const reaction = 20 * time.Microsecond

// own is a time of the hosts' own.
func (s *simulation) own(d time.Duration) time.Duration { return d * time.Duration(cmp.Or(s.slow, 1)) }

// simEvent is something that happens at a moment; events of one moment happen in the order in which
// they were planned.
type simEvent struct {
	at    time.Duration
	order int
	do    func()
}

type simQueue []simEvent

func (q simQueue) Len() int { return len(q) }
func (q simQueue) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(q[i].at, q[j].at), cmp.Compare(q[i].order, q[j].order)) < 0
}
func (q simQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *simQueue) Push(x any)   { *q = append(*q, x.(simEvent)) }
func (q *simQueue) Pop() any {
	old := *q
	e := old[len(old)-1]
	*q = old[:len(old)-1]
	return e
}

// simulator is a simulation under way.
type simulator struct {
	simulation
	now   time.Duration
	queue simQueue
	order int
	hosts [2]*simHost
	seen  []capture.Segment
}

// run plays the simulation and gives what the capture point saw. A simulation that does not end is
// cut off.
func (s simulation) run() []capture.Segment {
	m := &simulator{simulation: s}
	if m.port == 0 {
		m.port = 40000
	}
	addrs := [2]netip.AddrPort{netip.AddrPortFrom(netip.MustParseAddr("10.0.0.1"), m.port), netip.MustParseAddrPort("10.0.0.2:80")}
	for i := range m.hosts {
		m.hosts[i] = &simHost{sim: m, dir: i, addr: addrs[i], isn: uint32(7919 * (i + 1)), cwnd: cmp.Or(s.cwnd, 10) * s.mss,
			waiting: map[int][]byte{}}
	}
	m.hosts[0].peer, m.hosts[1].peer = m.hosts[1], m.hosts[0]
	m.script()
	for steps := 0; len(m.queue) > 0 && steps < 20_000; steps++ {
		e := heap.Pop(&m.queue).(simEvent)
		m.now = e.at
		e.do()
	}
	slices.SortStableFunc(m.seen, func(a, b capture.Segment) int { return cmp.Compare(a.Time, b.Time) })
	for i := range m.seen {
		m.seen[i].Frame = capture.NewFrameID(0, uint64(i+1))
	}
	return m.seen
}

// after plans something.
func (m *simulator) after(d time.Duration, do func()) {
	m.order++
	heap.Push(&m.queue, simEvent{m.now + d, m.order, do})
}

// script makes the applications: what they say, and when.
func (m *simulator) script() {
	client, server := m.hosts[0], m.hosts[1]
	asked, answered := 0, 0
	var ask func(i int)
	ask = func(i int) {
		if i == len(m.talks) {
			if !m.stay {
				client.close()
			}
			return
		}
		t := m.talks[i]
		question, reply := m.message(i, true, t.request), m.message(i, false, t.response)
		asked += len(question)
		answered += len(reply)
		server.until, server.then = asked, func() {
			m.after(t.think, func() { server.writes(reply, t.response) })
		}
		client.until, client.then = answered, func() { ask(i + 1) }
		m.after(t.idle, func() { client.writes(question, t.request) })
	}
	client.transmit(capture.SYN, 0, nil)
	client.established = func() { ask(0) }
}

// message is what is written, of the length that the writes add up to, or as long as HTTP needs.
func (m *simulator) message(i int, request bool, writes []appWrite) []byte {
	n := 0
	for _, w := range writes {
		n += w.octets
	}
	if m.opaque {
		return []byte(strings.Repeat("\x00", n))
	}
	head := func(body int) string {
		if request {
			return fmt.Sprintf("POST /%d HTTP/1.1\r\nHost: sim.example\r\nContent-Length: %06d\r\n\r\n", i, body)
		}
		return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %06d\r\n\r\n", body)
	}
	body := max(0, n-len(head(0)))
	return []byte(head(body) + strings.Repeat("b", body))
}

// simHost is one host with one connection.
type simHost struct {
	sim  *simulator
	peer *simHost
	dir  int
	addr netip.AddrPort
	isn  uint32

	out                 []byte // everything written so far; offsets count from its begin
	una, next           int
	cwnd, dup, recover  int
	finned, finSent     bool
	timer, ackTimer     int // generation: an older one has been cancelled
	backoff             uint
	sent                int // segments with data so far
	established         func()
	gotFin              bool
	received, unackedIn int
	waiting             map[int][]byte
	until               int // octets of the peer after which then is called
	then                func()
	id                  uint16
}

// writes plays the writes of one message.
func (h *simHost) writes(message []byte, writes []appWrite) {
	at := time.Duration(0)
	for i, w := range writes {
		at += w.pause
		n := min(w.octets, len(message))
		if i == len(writes)-1 {
			n = len(message)
		}
		part := message[:n]
		message = message[n:]
		h.sim.after(at, func() {
			h.out = append(h.out, part...)
			h.push()
		})
	}
}

func (h *simHost) close() {
	h.finned = true
	h.push()
}

// push sends what may be sent: the congestion window and Nagle's algorithm (RFC 1122 §4.2.3.4) say
// what.
func (h *simHost) push() {
	for h.next < len(h.out) {
		n := min(h.sim.mss, len(h.out)-h.next)
		flying := h.next - h.una
		if flying > 0 && flying+n > h.cwnd || h.sim.nagle[h.dir] && n < h.sim.mss && flying > 0 {
			return
		}
		flags := capture.ACK
		if h.next+n == len(h.out) {
			flags |= capture.PSH
		}
		h.transmit(flags, h.next, h.out[h.next:h.next+n])
		h.next += n
		h.arm()
	}
	if h.finned && !h.finSent {
		h.finSent = true
		h.transmit(capture.FIN|capture.ACK, h.next, nil)
		h.next++
	}
}

// transmit puts a segment on the path.
func (h *simHost) transmit(flags capture.TCPFlags, off int, data []byte) {
	h.id++
	h.unackedIn = 0
	h.ackTimer++
	s := capture.Segment{Src: h.addr, Dst: h.peer.addr, Seq: h.isn + 1 + uint32(off), Flags: flags, Len: uint32(len(data)), Payload: data,
		Window: 65535, TTL: 64, IPID: h.id, Options: capture.HasTS | capture.HasIPID,
		TSVal: uint32((h.sim.now + time.Second) / time.Millisecond)}
	if flags.Has(capture.SYN) {
		s.Seq--
		s.Options |= capture.HasMSS | capture.HasWScale | capture.HasSACKPerm
		s.MSS, s.WScale = uint16(h.sim.mss+12), 7
	}
	if flags.Has(capture.ACK) {
		s.Ack = h.peer.isn + 1 + uint32(h.received)
		s.TSEcr = uint32((max(0, h.sim.now-h.sim.near-h.sim.far) + time.Second) / time.Millisecond)
	}
	legs := [2]time.Duration{h.sim.near, h.sim.far}
	if h.dir == 1 {
		legs = [2]time.Duration{h.sim.far, h.sim.near}
	}
	what := arrives
	if len(data) > 0 {
		h.sent++
		if h.sim.fate != nil {
			what = h.sim.fate(h.dir, h.sent, off < h.next)
		}
	}
	if what != lostEarly {
		s.Time = h.sim.now + legs[0]
		h.sim.seen = append(h.sim.seen, s)
	}
	if what == arrives {
		h.sim.after(legs[0]+legs[1]+h.sim.own(reaction), func() { h.peer.receive(&s, off) })
	}
}

// arm starts the retransmission timer (RFC 6298, with Linux's least of 200 ms).
func (h *simHost) arm() {
	h.timer++
	mine := h.timer
	wait := (h.sim.own(200*time.Millisecond) + 2*(h.sim.near+h.sim.far)) << h.backoff
	h.sim.after(wait, func() {
		if mine == h.timer && h.una < h.next && h.una < len(h.out) {
			h.backoff = min(h.backoff+1, 5)
			h.cwnd = h.sim.mss
			h.recover = h.next
			h.again()
			h.arm()
		}
	})
}

// again sends the first segment that is not acknowledged once more.
func (h *simHost) again() {
	n := min(h.sim.mss, h.next-h.una, len(h.out)-h.una)
	h.transmit(capture.ACK, h.una, h.out[h.una:h.una+n])
}

// receive takes a segment from the path.
func (h *simHost) receive(s *capture.Segment, off int) {
	if s.Flags.Has(capture.SYN) {
		if h.dir == 1 {
			h.transmit(capture.SYN|capture.ACK, 0, nil)
			return
		}
		h.transmit(capture.ACK, 0, nil)
		h.established()
		return
	}
	h.acked(int(s.Ack-h.isn-1), len(s.Payload) == 0 && !s.Flags.Has(capture.FIN))
	if len(s.Payload) > 0 {
		h.data(off, s.Payload)
	}
	if s.Flags.Has(capture.FIN) && !h.gotFin && off == h.received {
		h.gotFin = true
		h.received++
		h.transmit(capture.ACK, h.next, nil)
		h.close()
	}
	h.push()
}

// acked takes an acknowledgment: slow start, and fast retransmission after three duplicates (RFC
// 5681).
func (h *simHost) acked(ack int, bare bool) {
	switch {
	case ack > h.una && ack <= h.next:
		h.cwnd += min(ack-h.una, 2*h.sim.mss)
		h.una, h.dup, h.backoff = ack, 0, 0
		if h.una < h.recover {
			h.again()
		}
		if h.una < h.next {
			h.arm()
		}
	case ack == h.una && bare && h.una < h.next:
		if h.dup++; h.dup == 3 {
			h.recover = h.next
			h.again()
		}
	}
}

// data takes octets, hands them to the application in order, and acknowledges.
func (h *simHost) data(off int, data []byte) {
	if off != h.received {
		if off > h.received {
			h.waiting[off] = data
		}
		h.transmit(capture.ACK, h.next, nil)
		return
	}
	filled := false
	for ; data != nil; data = h.waiting[h.received] {
		delete(h.waiting, h.received)
		h.received += len(data)
		filled = filled || len(h.waiting) > 0
	}
	h.unackedIn++
	if then := h.then; then != nil && h.received >= h.until {
		h.then = nil
		then()
	}
	if wait := h.sim.delack[h.dir]; wait > 0 && h.unackedIn < 2 && !filled {
		h.ackTimer++
		mine := h.ackTimer
		h.sim.after(wait, func() {
			if mine == h.ackTimer {
				h.transmit(capture.ACK, h.next, nil)
			}
		})
		return
	}
	// An application that answers at once gives the acknowledgment a ride.
	h.ackTimer++
	mine := h.ackTimer
	h.sim.after(h.sim.own(time.Microsecond), func() {
		if mine == h.ackTimer {
			h.transmit(capture.ACK, h.next, nil)
		}
	})
}
