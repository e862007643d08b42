package reassembly

import "tcpwhy/capture"

// place finds the offsets of a segment's numbers, and learns where each side's numbers begin.
func (k *track) place(e *segment) {
	seg, dir := e.seg, e.dir
	d, p := &k.side[dir], &k.side[dir.Peer()]
	h, ph := &k.c.Half[dir], &k.c.Half[dir.Peer()]
	if k.c.State == Connecting && k.strayed(e) {
		k.forgetSYN()
	}
	if k.answersForOld(e) {
		e.wild = true
		return
	}
	k.learn(e)
	near := max(h.Max, h.Una)
	e.seq = d.origin.offset(seg.Seq, near)
	e.end = e.seq + int64(seg.Len)
	if seg.Flags.Has(capture.SYN) {
		e.end++
	}
	if seg.Flags.Has(capture.FIN) {
		e.end++
	}
	e.wild = !d.seqJump.believe(e.seq, e.end, min(h.Una, h.Frontier), near+k.reach(dir))
	e.hasAck = seg.Flags.Has(capture.ACK) && p.origin.set
	if e.hasAck {
		high := max(ph.Max, ph.Una)
		e.ack = p.origin.offset(seg.Ack, high)
		e.wild = !d.ackJump.believe(e.ack, e.ack, min(ph.Una, ph.Frontier), high) || e.wild
	}
	if seg.Flags.Has(capture.RST) && !seg.Flags.Has(capture.ACK) {
		e.hasAck = false
	}
	e.win = k.window(dir, seg)
}

// Number is the raw sequence number of an offset of what dir sends, as long as the connection is
// not over; false if nothing of dir has shown one.
func (c *Conn) Number(dir Dir, offset int64) (uint32, bool) {
	k, ok := c.track.(*track)
	if !ok || !k.side[dir].origin.set {
		return 0, false
	}
	return k.side[dir].origin.zero + uint32(offset), true
}

// reach is how much further than wildJump the window lets the sender of dir go. Windows of a
// gigabyte exist.
func (k *track) reach(dir Dir) int64 { return int64(k.side[dir.Peer()].win) }

// learn sets the origins that the segment tells: a SYN's number is offset -1; without one, offset 0
// is the first octet seen or acknowledged.
func (k *track) learn(e *segment) {
	seg := e.seg
	d, p := &k.side[e.dir], &k.side[e.dir.Peer()]
	h, ph := &k.c.Half[e.dir], &k.c.Half[e.dir.Peer()]
	switch {
	case seg.Flags.Has(capture.RST) && !d.origin.set && !seg.Flags.Has(capture.ACK):
		d.origin.learn(seg.Seq, true)
	case seg.Flags.Has(capture.SYN) && (!d.origin.set || !d.placed && h.untouched()):
		d.origin = origin{zero: seg.Seq + 1, set: true}
		h.Max, h.Una, h.Frontier = -1, -1, 0
	case !d.origin.set:
		d.origin.learn(seg.Seq, false)
	case d.origin.soft && !d.placed && h.untouched():
		// What was on its way when the capture began is not missing from it.
		d.origin.soft = false
		if off := d.origin.offset(seg.Seq, h.Una); off > h.Una && off < h.Una+wildJump {
			h.Max, h.Frontier = off, off
		}
	}
	d.placed = true
	if !seg.Flags.Has(capture.ACK) {
		return
	}
	if !p.origin.set {
		p.origin.learn(seg.Ack, true)
	} else if !d.ackSeen && !ph.HasISN && ph.untouched() && len(p.stream.pend) == 0 && p.placed {
		// The first acknowledgment of a side that has sent nothing new since the capture began
		// tells where it is.
		if off := p.origin.offset(seg.Ack, ph.Max); off > ph.Max && off < ph.Max+wildJump {
			ph.Max, ph.Una, ph.Frontier = off, off, off
		}
	}
	d.ackSeen = true
}

// untouched reports whether nothing of the side's stream has been handed on, so that its offsets
// may still move.
func (h *Half) untouched() bool { return h.Bytes == 0 && h.Missing == 0 && !h.FinSeen }

// strayWithin is how far behind an unanswered SYN its connection's data may be: what a capture that
// lost the SYN-ACK may have lost besides.
const strayWithin = 1 << 20

// strayed reports whether the segment shows that the SYN which began this connection was an old
// copy that neither side took notice of: they go on with the connection that they had, at other
// numbers. A bare acknowledgment from the server shows nothing, as it is how a server that still
// has an old connection answers a new SYN (RFC 9293 §3.10.7.4).
func (k *track) strayed(e *segment) bool {
	h := &k.c.Half
	if !h[FromClient].HasISN || h[FromServer].HasISN || !h[0].untouched() || !h[1].untouched() ||
		e.seg.Flags&(capture.SYN|capture.RST|capture.ACK) != capture.ACK {
		return false
	}
	if e.dir == FromClient {
		return e.seg.Seq-h[FromClient].ISN-1 > strayWithin
	}
	return e.seg.Len > 0 && e.seg.Ack-h[FromClient].ISN-1 > strayWithin
}

// answersForOld reports whether the segment is how a server that still has an old connection
// answers a new SYN: a bare acknowledgment of other numbers (RFC 9293 §3.10.7.4, RFC 5961 §4). It
// says nothing about the new connection.
func (k *track) answersForOld(e *segment) bool {
	h := &k.c.Half
	return k.c.State == Connecting && e.dir == FromServer && e.seg.Len == 0 &&
		h[FromClient].HasISN && !h[FromServer].HasISN &&
		e.seg.Flags&(capture.SYN|capture.RST|capture.FIN|capture.ACK) == capture.ACK &&
		e.seg.Ack-h[FromClient].ISN-1 > strayWithin
}

// forgetSYN makes of the connection one whose start the capture lacks.
func (k *track) forgetSYN() {
	c := k.c
	for dir := range k.side {
		d := &k.side[dir]
		k.t.held -= d.stream.held
		*d = side{
			rtt:   d.rtt,
			clues: d.clues,
		}
		h := &c.Half[dir]
		c.Half[dir] = Half{Segments: h.Segments, TTLMin: h.TTLMin, TTLMax: h.TTLMax, RTT: h.RTT}
	}
	c.State, c.MidStream, k.sniffed = Established, true, false
	c.Caveats.Add(CaveatMidStream)
}

// window is the window that a segment offers, in octets. It is scaled only if both sides offered
// that, and never in a SYN (RFC 7323 §2.2). Without the SYNs it stays as it is in the header.
func (k *track) window(dir Dir, seg *capture.Segment) uint32 {
	w := uint32(seg.Window)
	if seg.Flags.Has(capture.SYN) || !k.c.Scaled() || !k.c.Half[0].HasWS || !k.c.Half[1].HasWS {
		return w
	}
	return w << min(k.c.Half[dir].WScale, 14) // RFC 7323 §2.3: 14 at most
}

// selective takes the SACK blocks of a segment (RFC 2018). The first one may report a duplicate
// instead (RFC 2883 §4): it lies below the acknowledgment, or within the second block.
func (k *track) selective(e *segment) {
	n := min(e.seg.NSACK, 4)
	if n == 0 {
		return
	}
	p := &k.side[e.dir.Peer()]
	high := max(k.c.Half[e.dir.Peer()].Max, e.ack)
	var block [4]span
	for i, b := range e.seg.SACK[:n] {
		block[i] = span{p.origin.offset(b.Start, e.ack), p.origin.offset(b.End, e.ack)}
	}
	e.dsack = block[0].lo < e.ack ||
		n > 1 && block[1].lo <= block[0].lo && block[0].hi <= block[1].hi
	for i, b := range block[:n] {
		if i == 0 && e.dsack || b.lo < e.ack || b.lo >= b.hi || b.hi > high+wildJump {
			continue
		}
		e.newSACK = p.sacked.add(b.lo, b.hi) || e.newSACK
	}
}

// orient turns a connection round whose start the capture lacks, if the first data shows that the
// client is the other side than the Table took for it. Afterwards, and with a SYN, the orientation
// is final.
func (k *track) orient(dir Dir, seg *capture.Segment) Dir {
	switch {
	case !k.c.Half[0].untouched() || !k.c.Half[1].untouched():
		k.sniffed = true
		return dir
	case seg.Flags.Has(capture.SYN):
		k.sniffed = true
		if seg.Flags.Has(capture.ACK) == (dir == FromServer) {
			return dir
		}
	case seg.Len > 0:
		k.sniffed = true
		speaker, known := speaks(seg.Payload)
		if !known || speaker == dir {
			return dir
		}
	default:
		return dir
	}
	k.turn()
	return dir.Peer()
}

// turn exchanges client and server.
func (k *track) turn() {
	c := k.c
	k.turned = !k.turned
	c.Client, c.Server = c.Server, c.Client
	c.Half[0], c.Half[1] = c.Half[1], c.Half[0]
	k.side[0], k.side[1] = k.side[1], k.side[0]
	for i := range c.Records {
		c.Records[i].Dir ^= 1
	}
	if c.FirstCloseAt.Frame != 0 {
		c.FirstClose ^= 1
	}
	k.hist.flip()
}
