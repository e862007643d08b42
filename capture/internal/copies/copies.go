// Package copies decides what is another sighting of a frame that was already handed out: bridges,
// mirror ports, the "any" device and routers that are captured on both sides all show frames twice.
// Analysed, they would be retransmissions. Never may a real retransmission or duplicate
// acknowledgment vanish, so identity needs proof: an IP identification (a retransmission has a new
// one), a timestamp together with data, or a flow that has been shown by such proof to be seen
// twice.
//
// It knows segments, and by a number where each was seen; it does not know frames or files.
package copies

import (
	"tcpwhy/capture/internal/flow"
	"tcpwhy/capture/segment"
)

// How long after a frame another sighting of it may come, in ns.
const (
	// with proof of identity, at the same point: a switch or bridge takes this long at most
	copyWindow  = 2e6
	closeWindow = 150e3 // with less proof: far below the round trip that a retransmission needs
	// at another point, which may be another host: the one-way delay between them; also at the same
	// point, if identification and timestamp agree, or it was routed in between: captures of two
	// hosts were merged into one
	crossWindow = 500e6
	// with an identification of its own, routed in between: how long routers may keep a segment in
	// their queues. What is sent again has another identification, however late it comes.
	queueWindow = 5e9
)

const (
	sightings = 1 << 13 // recent segments remembered
	flowBits  = 12      // connections remembered: 4,096
)

// evidence says how well a segment's fingerprint identifies it.
type evidence uint8

const (
	// acknowledgments and resets without identification: may really come in equal copies
	weak evidence = iota
	// data with a timestamp: a retransmission carries a later one, or comes a round trip later
	stampedTS
	// SYN: sent again after 200 ms at the earliest (RFC 6298 §2: after 1 s)
	handshake
	identified // IPv4 identification: every transmission has its own
)

// sighting is a fingerprint and where it was seen.
type sighting struct {
	print  uint64
	time   int64 // of the latest copy at the point that saw it first
	handed uint8 // copies handed out
	ttl    uint8 // of the first
	at     [4]struct{ point, copies uint8 }
}

// Table recognises frames that were seen before. Its size is fixed.
type Table struct {
	seen   []sighting
	flows  []flowState
	points pointTable
}

// New makes an empty table. continues reports whether an interface of the capture is the same
// as an earlier one, of an input that has ended; nil if there can be none.
func New(continues func(iface, earlier uint32) bool) *Table {
	return &Table{
		seen:   make([]sighting, sightings),
		flows:  make([]flowState, 1<<flowBits),
		points: pointTable{continues: continues},
	}
}

// Duplicate reports whether the segment was handed out before, as seen at this or at another point.
// ends are its addresses, hop stands for the link addresses of its frame, the same in both
// directions (0: there are none), and now is the time of its frame in ns since any moment, always
// the same one.
func (t *Table) Duplicate(seg *segment.Segment, ends *flow.Ends, hop uint32, now int64) bool {
	key := ends.Key(seg.Src.Port(), seg.Dst.Port())
	switch seg.Kind {
	case segment.ICMPError:
		return t.errorSeen(key, seg, now)
	case segment.Datagram:
		return t.datagramSeen(key, seg, now)
	}
	flow := t.flow(key.Conn)
	point := t.points.of(seg.Iface, seg.Device, flow.isAway(hop))
	if t.redundant(flow, key.Dir, point, now) {
		return true
	}
	print := fingerprint(key, seg)
	proof := flow.proof(key.Dir, point, seg, print)
	s, found := t.find(print, now)
	if !found {
		*s = sighting{print: print, time: now, handed: 1, ttl: seg.TTL}
		s.at[0].point, s.at[0].copies = point, 1
		flow.fresh(proof)
		return false
	}
	return t.again(s, flow, key.Dir, point, proof, seg, now)
}

// errorSeen reports whether an ICMP error was seen shortly before. Routers limit their rate, so
// equal ones within the window are copies.
func (t *Table) errorSeen(key flow.Key, seg *segment.Segment, now int64) bool {
	print := errorPrint(key, seg)
	s, found := t.find(print, now)
	if found && within(s.time, now, copyWindow) {
		return true
	}
	*s = sighting{print: print, time: now, handed: 1}
	return false
}

// datagramSeen reports whether a datagram was seen shortly before. A resolver that asks again does
// so with another identification; where there is none, what shows the same octets at once at one
// point, or within the delay of a path at two, is a copy: resolvers wait a second and more.
func (t *Table) datagramSeen(key flow.Key, seg *segment.Segment, now int64) bool {
	print, point := datagramPrint(key, seg), t.points.of(seg.Iface, seg.Device, false)
	s, found := t.find(print, now)
	wait := int64(copyWindow)
	if seg.IPID != 0 || s.at[0].point != point {
		wait = crossWindow
	}
	if found && within(s.time, now, wait) {
		return true
	}
	*s = sighting{print: print, time: now, handed: 1}
	s.at[0].point, s.at[0].copies = point, 1
	return false
}

// find is the place of a fingerprint: where it is, or where it goes, which is instead of the older
// of two.
func (t *Table) find(print uint64, now int64) (s *sighting, found bool) {
	i := print % sightings
	a, b := &t.seen[i], &t.seen[i^1]
	switch print {
	case a.print:
		return a, within(a.time, now, queueWindow)
	case b.print:
		return b, within(b.time, now, queueWindow)
	}
	if b.time < a.time {
		return b, false
	}
	return a, false
}

// within reports whether two times are at most window apart, whichever is first: a capture may step
// back.
func within(a, b, window int64) bool {
	return b-a <= window && a-b <= window
}

// again judges a segment whose fingerprint is known.
func (t *Table) again(
	s *sighting,
	flow *flowState,
	dir, point uint8,
	proof evidence,
	seg *segment.Segment,
	now int64,
) bool {
	copies := s.copiesAt(point)
	if copies == nil { // a fifth point: nothing is known about it
		return proof > weak
	}
	elsewhere := *copies < s.handed
	dup := false
	if elsewhere {
		dup = t.crossCopy(s, flow, dir, point, proof, seg, now)
	} else {
		dup = flow.sameCopy(s, proof, seg, *copies, now)
	}
	if *copies < 1<<8-1 {
		*copies++
	}
	if point == s.at[0].point {
		s.time = now
	}
	if !dup {
		s.handed = min(s.handed+1, 1<<8-2)
		flow.fresh(proof)
		return false
	}
	if !elsewhere {
		flow.copied(proof)
	}
	return true
}

// copiesAt is the count of copies at a point, or nil if there is no room to count them.
func (s *sighting) copiesAt(point uint8) *uint8 {
	for i := range s.at {
		at := &s.at[i]
		if at.copies == 0 {
			at.point = point
		}
		if at.point == point {
			return &at.copies
		}
	}
	return nil
}

// crossCopy judges a segment that another point has shown more often than this one. If it is a
// copy, the two points see the same traffic in this direction.
func (t *Table) crossCopy(
	s *sighting,
	flow *flowState,
	dir, point uint8,
	proof evidence,
	seg *segment.Segment,
	now int64,
) bool {
	other := s.at[0].point
	if other == point {
		other = s.at[1].point
	}
	routed := seg.TTL != s.ttl
	switch {
	case proof == weak && !flow.linked(dir, point, other) && !routed:
		return false
	case !within(s.time, now, crossWait(proof, seg, routed)):
		return false
	}
	if proof > weak || routed {
		t.match(flow, dir, point, other)
	}
	return true
}

// crossWait is how much later the other point may show a copy, in ns. Where the time to live
// differs a router was in between, and who sends a segment again sends it with the same.
func crossWait(proof evidence, seg *segment.Segment, routed bool) int64 {
	switch {
	case proof == identified && routed:
		return queueWindow
	case proof == handshake && !seg.Options.Has(segment.HasTS) && !routed:
		return copyWindow
	}
	return crossWindow
}
