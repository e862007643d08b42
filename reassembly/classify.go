package reassembly

import (
	"time"

	"tcpwhy/capture"
)

// The kind of a segment (Wireshark's tcp.analysis.* where it has a name). Everything here looks at
// the state before the segment. Times of the sender are translated to the capture point: what
// passed there at t is known to the sender of a segment that passes at t + far or later.

// segment is a segment on its way through the tracker, with its numbers as offsets.
type segment struct {
	dir      Dir
	seg      *capture.Segment
	at       capture.Mark
	seq, end int64 // in sequence space: SYN and FIN count
	ack      int64 // valid with hasAck
	win      uint32
	hasAck   bool
	newSACK  bool // selectively acknowledges what was not before
	dsack    bool // reports a duplicate arrival (RFC 2883)
	wild     bool
}

// data is the offset of the first octet of data.
func (e *segment) data() int64 {
	if e.seg.Flags.Has(capture.SYN) {
		return e.seq + 1
	}
	return e.seq
}

const (
	// dupThreshold is how many duplicate acknowledgments show a loss (RFC 5681 §3.2).
	dupThreshold = 3
	// reaction is how long a sender's kernel takes to answer an acknowledgment, with room: 10 to 70
	// µs are usual, 0.35 ms was measured under load.
	reaction = 500 * time.Microsecond
	// jiffies is how late a kernel timer may be in ticks of 10 ms at most; an eighth of its length
	// comes on top of that (Linux's timer wheel).
	jiffies = 10 * time.Millisecond
)

// classify gives a segment its kind and the traits that go with it.
func (k *track) classify(e *segment) (Kind, Trait) {
	switch f := e.seg.Flags; {
	case f.Has(capture.RST):
		return Plain, 0
	case f.Has(capture.SYN):
		return k.classifySYN(e), 0
	case k.probe(e):
		if k.peerClosed(e.dir) {
			return ZeroWindowProbe, 0
		}
		return KeepAlive, 0
	case e.seq == e.end:
		return k.classifyAck(e)
	}
	return k.classifyData(e)
}

// peerClosed reports whether the peer's last window was zero.
func (k *track) peerClosed(dir Dir) bool {
	p := &k.side[dir.Peer()]
	return p.winSet && p.win == 0
}

// probe reports whether the segment is a keep-alive (RFC 9293 §3.8.4: the octet before the next
// one, or nothing, at its place) or a zero-window probe. On Linux both are alike, and only the
// window tells them apart.
func (k *track) probe(e *segment) bool {
	h := &k.c.Half[e.dir]
	n := e.end - e.seq
	if n > 1 || e.seg.Flags.Has(capture.FIN) || h.Segments == 0 {
		return false
	}
	if k.peerClosed(e.dir) {
		return e.seq == h.Una-1 || e.seq == h.Max-1 || n == 1 && e.seq == h.Max
	}
	return e.seq == h.Max-1 && h.Una >= h.Max
}

// classifySYN knows a SYN or SYN-ACK by its number; it is repeated by a timer only, except that a
// SYN-ACK also answers another copy of the SYN.
func (k *track) classifySYN(e *segment) Kind {
	h, d := &k.c.Half[e.dir], &k.side[e.dir]
	if h.Segments == 0 || !h.HasISN || e.seq != -1 || h.ISN != e.seg.Seq {
		return Plain
	}
	tx := d.sent.find(-1)
	switch {
	case h.Una >= 0:
		return SpuriousRetransmission
	case tx == nil || e.at.Time-tx.last >= rtoFirst*9/10 || e.dir == FromClient:
		return TimeoutRetransmission
	}
	return Retransmission
}

// classifyAck classifies a segment without sequence space.
func (k *track) classifyAck(e *segment) (Kind, Trait) {
	own, peer := &k.side[e.dir], &k.side[e.dir.Peer()]
	h, p := &k.c.Half[e.dir], &k.c.Half[e.dir.Peer()]
	if e.seq > h.Max && h.Segments > 0 {
		return Plain, Hole
	}
	if !e.hasAck || !own.winSet || e.ack != p.Una || e.seq < h.Max {
		return Plain, 0
	}
	same := e.win == own.win
	switch {
	case peer.last == KeepAlive && same:
		return KeepAliveAck, 0
	case peer.last == ZeroWindowProbe && e.win == 0:
		return ZeroWindowProbeAck, 0
	case peer.challenged && same && !e.newSACK:
		return ChallengeAck, 0
	case e.newSACK || e.dsack:
		return DuplicateAck, 0
	case !same && e.win != 0:
		return WindowUpdate, 0
	case same && e.win != 0 && p.Max > p.Una:
		return DuplicateAck, 0
	}
	return Plain, 0
}

// classifyData classifies a segment with data or a FIN.
func (k *track) classifyData(e *segment) (Kind, Trait) {
	h, d := &k.c.Half[e.dir], &k.side[e.dir]
	var trait Trait
	if d.sizes.full(e.seg, h.Eff) {
		trait |= Full
	}
	if d.edgeSet && e.end > d.edge+int64(h.Eff) && k.c.Scaled() {
		trait |= Overrun
	}
	switch {
	case h.Segments == 0 || e.seq == h.Max:
		return Plain, trait
	case e.seq > h.Max:
		return Plain, trait | Hole
	case e.end > h.Max && d.last == ZeroWindowProbe && e.seq == h.Max-1:
		return Plain, trait // the probe's octet once more, with what follows it
	}
	if e.seq >= h.Frontier && !d.stream.seen(e.seq) {
		if k.overtaken(e) {
			return OutOfOrder, trait
		}
		return k.resent(e), trait | Unseen
	}
	if e.end <= h.Una || d.sacked.covers(e.seq, e.end) {
		return SpuriousRetransmission, trait
	}
	return k.resent(e), trait
}

// overtaken decides whether octets that pass for the first time, after later ones, were overtaken
// on the way (true) or are the second copy of a segment that was lost before the capture point.
func (k *track) overtaken(e *segment) bool {
	d := &k.side[e.dir]
	above := d.stream.above(e.seq)
	if above == nil {
		return false
	}
	if before, known := d.sentBefore(markOf(e.seg), above.mark, k.roundTrip()); known {
		return before
	}
	// The signal of a loss takes a whole round trip: the later segment to the peer, its
	// acknowledgment to the sender, the copy to here. What comes sooner was not sent because of it.
	bound := unknownRTT
	if r := k.roundTrip(); r > 0 {
		bound = r * 9 / 10
	}
	return e.at.Time-above.since < bound
}

// resent tells why octets were sent again.
func (k *track) resent(e *segment) Kind {
	h, d := &k.c.Half[e.dir], &k.side[e.dir]
	far, now := k.far(e.dir), e.at.Time
	last := d.lastSend
	tx := d.sent.find(e.seq)
	if tx != nil {
		last = tx.last
	}
	heard := d.ackedAt + far              // when the sender last learned of progress
	quiet := now - max(d.lastSend, heard) // since it sent or learned anything new
	due := k.rto(e.dir) * 9 / 10
	expired := now-max(last, heard) >= due && e.seq <= h.Una
	switch {
	case tx != nil && k.nextTo(e.dir.Peer()) && !d.signal && d.dupAcks == 0:
		return SpuriousRetransmission // where it passed before, it had arrived
	case expired && quiet >= due:
		d.point, d.timeout = h.Max, true
		return TimeoutRetransmission
	case k.signalled(d, far, now):
		d.point, d.timeout = h.Max, false
		return FastRetransmission
	case k.tailProbe(e, tx, quiet):
		return TailLossProbe
	case h.Una < d.point && e.seq < d.point && !d.timeout:
		return FastRetransmission // the same recovery goes on (RFC 6675 §5)
	case expired, k.unprompted(e, tx, now-max(last, heard)):
		d.point, d.timeout = h.Max, true
		return TimeoutRetransmission
	}
	return Retransmission
}

const (
	// nextTo: a host that is this near to the capture point, and so many times nearer than the
	// other, has what has passed there. What answers within half a millisecond is on the same wire.
	nearest  = 500 * time.Microsecond
	nearness = 8
)

// nextTo reports whether the capture point is next to the host of dir, so that what passes there
// has arrived. A server that has acknowledged no data may not have accepted the connection, and
// drops it.
func (k *track) nextTo(dir Dir) bool {
	r := &k.c.Half[dir].RTT
	accepted := dir == FromClient || k.c.Half[FromClient].Una > 0
	return accepted && r.Firm && r.Min < nearest &&
		k.far(dir.Peer()) >= max(nearness*r.Min, 2*time.Millisecond)
}

// unprompted reports whether a copy of the first octets that are outstanding left though no
// acknowledgment told of a loss, and after waited, longer than the acknowledgment takes: what
// remains is a timer, though one shorter than is known of any system.
func (k *track) unprompted(e *segment, tx *tx, waited time.Duration) bool {
	h, d := &k.c.Half[e.dir], &k.side[e.dir]
	return tx != nil && tx.times == 1 && e.seq <= h.Una && !d.signal && d.dupAcks == 0 &&
		k.c.Half[e.dir.Peer()].RTT.Firm && waited >= k.roundTrip()+jiffies
}

// signalled reports whether the sender has just learned of a loss: a third duplicate
// acknowledgment, or a selective acknowledgment (RFC 8985 waits a quarter of a round trip for
// reordering before it believes it).
func (k *track) signalled(d *side, far, now time.Duration) bool {
	if !d.signal {
		return false
	}
	early := far/10 + reaction
	patience := k.roundTrip()/4 + jiffies
	return now >= d.signalAt+far-early && now-d.signalLast-far <= patience
}

// tailProbe reports whether the segment is a probe for tail loss: the last one that was sent, again
// after two round trips of silence (RFC 8985 §7.2). With one segment outstanding the probe and the
// retransmission timer coincide, and it is called a timeout.
func (k *track) tailProbe(e *segment, tx *tx, quiet time.Duration) bool {
	h, d := &k.c.Half[e.dir], &k.side[e.dir]
	if e.end != h.Max || d.signal || d.dupAcks > 0 || tx == nil || tx.times > 1 {
		return false
	}
	low := 2 * k.roundTrip() * 97 / 100
	high := (2*k.srtt(e.dir)+2*time.Millisecond)*115/100 + jiffies
	return quiet >= low && quiet <= high
}
