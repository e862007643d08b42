package ledger

import (
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// maxTrail is how many outstanding segments of one direction are remembered with their times.
const maxTrail = 256

// view is what a sender learned since it last sent something new, as far as it is too long ago to
// have released what it sends now. What came later is in release.
type view struct {
	ack, edge int64         // when it could first have known what released it
	acked     int64         // packets acknowledged by then
	cwnd      int64         // its congestion window then, as far as the replica goes
	oldest    time.Duration // when the first segment passed that was outstanding then, if any was
	heard     time.Duration // when the latest new acknowledgment passed
	closed    bool          // a window of zero was offered
	open      capture.Mark  // latest segment that moved the receive window's edge since then
	needless  capture.Mark  // the first that it sent again without need
	// latest of its acknowledgments by which it had not gone beyond what has passed
	unsent time.Duration
	// packets that it sent and that never passed the capture point, by IP identification
	missing int
	beyond  capture.Mark // first segment that shows that it had sent more than has passed
}

// reset begins a new wait.
func (v *view) reset() {
	v.closed, v.unsent, v.missing = false, 0, 0
	v.open, v.beyond, v.needless = capture.Mark{}, capture.Mark{}, capture.Mark{}
}

// release is what a sender learned just before it sent: what may have released the segment.
type release struct {
	any bool // the peer was heard at all
	// first acknowledgment of something new, selective ones included; no frame if none
	ack  capture.Mark
	open capture.Mark  // first that moved the receive window's edge
	late time.Duration // by how much ack came later than a prompt acknowledgment would have
	// open acknowledged nothing new, or a window's worth at once: it told of room
	moved bool
	part  bool // ack acknowledged less than half of what was outstanding
	// round trip that ack shows, between the capture point and the peer; 0: not known
	round time.Duration
}

// learn lets the sender know everything that had reached it when it sent record n. What reached it
// within the time that a kernel takes to react may have released the record; what it knew before
// has not.
func (s *sender) learn(w *walker, n int, r *reassembly.Record) {
	c := w.s.Conn
	horizon := r.Time - c.Far(r.Dir) - s.late
	since := horizon - max(w.s.eps(r.Dir)+s.jitter(w, r), s.sluggish(w, r)) - s.carried(w, r)
	if s.late > 0 {
		since -= s.Stamps.Tick
	}
	s.look()
	s.release = release{}
	i := max(s.known, c.Released)
	for ; i < n; i++ {
		a := &c.Records[i-c.Released]
		if a.Time > horizon+w.quicker(r.Dir) {
			break
		}
		if a.Dir == r.Dir {
			continue
		}
		if a.Time < since {
			s.absorb(c, a)
			s.look()
			continue
		}
		s.released(c, a)
		s.absorb(c, a)
	}
	s.known = i
	s.cwnd.surely(since)
}

// quicker is by how much the sender of dir may go on sooner than the least round trip to it says:
// that contains what the host took to answer, and few samples have not seen the least. Next to the
// host it may be all of it, and then the order of segments is the order of events.
func (w *walker) quicker(dir reassembly.Dir) time.Duration {
	return min(w.s.Conn.Far(dir), w.s.eps(dir))
}

// look takes what the sender knows now as what it knew before anything could release the record in
// hand.
func (s *sender) look() {
	s.view.ack, s.view.edge = s.ack, s.edge
	s.view.acked, s.view.cwnd = s.trail.acked, s.cwnd.size
	if len(s.trail.q) > 0 {
		s.view.oldest = s.trail.q[0].at
	}
}

// released notes what a, which the sender has just learned of, may have released.
func (s *sender) released(c *reassembly.Conn, a *reassembly.Record) {
	if a.Flags&capture.ACK == 0 {
		return
	}
	s.release.any = true
	if (a.Ack > s.ack || a.SACK > 0) && !Seen(s.release.ack) {
		s.release.ack = a.Mark()
		s.release.late, s.release.round = s.lateness(c, a)
		s.release.part = (a.Ack-s.ack)*2 < s.Max-s.ack
	}
	if a.Ack+int64(a.Window) > s.edge && !Seen(s.release.open) {
		s.release.open, s.release.moved = a.Mark(), a.Ack <= s.ack || s.atOnce(c, a)
	}
}

// atOnce reports whether a acknowledges a full window, many segments, that nothing had been
// acknowledged of: a kernel that has no more room to offer keeps quiet until its program has read.
func (s *sender) atOnce(c *reassembly.Conn, a *reassembly.Record) bool {
	const many = 4
	octets := a.Ack - s.ack
	return a.Ack >= s.before && octets*4 >= (s.edge-s.ack)*3 &&
		octets >= many*int64(c.Half[a.Dir.Peer()].Eff)
}

// lateness is by how much acknowledgment a came later than a prompt one, if that is for want of a
// second full segment (RFC 1122 §4.2.3.2), and the round trip that it shows. On a path with a queue
// all acknowledgments are late, so one after one that was late, too, is no evidence; nor is one
// that does not cover what must have reached a receiver that had waited so long: that was late
// itself.
func (s *sender) lateness(c *reassembly.Conn, a *reassembly.Record) (late, round time.Duration) {
	sent, ok := s.trail.sentAt(a.Ack)
	if !ok {
		return 0, 0
	}
	near := c.Half[a.Dir].RTT
	round = a.Time - sent
	late = round - near.Min
	mss := int64(c.Half[a.Dir.Peer()].Eff)
	before := s.delay[0]
	if s.Max-s.ack <= mss {
		before = 0 // one segment at a time makes no queue
	}
	if !a.PureAck() || a.Ack-s.ack >= 2*mss || late < max(DelackFloor, 4*near.Jitter, 4*before) ||
		late > delackCeil ||
		s.trail.passed(a.Ack, a.Time-near.Min-near.Jitter) {
		return 0, round
	}
	return late, round
}

// absorb takes in one segment of the peer.
func (s *sender) absorb(c *reassembly.Conn, a *reassembly.Record) {
	if a.Len > 0 {
		s.small.turn = true
	}
	if a.Flags&capture.ACK == 0 || a.Flags&capture.RST != 0 {
		return
	}
	if s.small.valid && !s.small.acked && a.Ack >= s.small.end {
		s.small.acked, s.small.pure, s.small.ack = true, a.PureAck(), a.Mark()
		s.delayed(c, a)
	}
	if a.Ack > s.ack {
		s.inflate(c, a)
		s.ackPrev, s.ack = s.ack, a.Ack
		s.partly, s.covered, s.coveredPure = s.covered.Time, a.Mark(), a.PureAck()
		s.view.heard = a.Time
		s.measure(c, a)
		before := s.trail.acked
		s.trail.drop(a.Ack, s.Max, c.Half[a.Dir.Peer()].Eff)
		if s.Growth.slow && s.cwnd.size > 0 {
			s.cwnd.acked(s.trail.acked - before)
			s.cwnd.heard(a.Time, s.trail.acked)
		}
	}
	s.rwnd.Offered = max(s.rwnd.Offered, int64(a.Window))
	if s.rwnd.Times > earlyTimes {
		s.rwnd.room = max(s.rwnd.room, int64(a.Window))
	}
	if a.Window == 0 && a.Flags&(capture.FIN|capture.SYN) == 0 {
		s.view.closed = true
	}
	if edge := a.Ack + int64(a.Window); edge > s.edge {
		s.edge = edge
		s.view.open = a.Mark()
	}
}

// measure takes the path's rate from acknowledgment a.
func (s *sender) measure(c *reassembly.Conn, a *reassembly.Record) {
	if a.Ack <= s.Growth.past {
		s.ackRate.at = 0 // what waited behind a hole is acknowledged all at once
		return
	}
	if sent, ok := s.trail.sentAt(a.Ack); ok {
		s.ackRate.add(a.Ack, a.Time, sent, int64(c.Half[a.Dir.Peer()].Eff))
	}
}

// inflate takes note of how much longer than the least a round trip is that acknowledgment a shows.
// A single one may have waited at its host; a queue shows in each of several, and not while
// something is missing.
func (s *sender) inflate(c *reassembly.Conn, a *reassembly.Record) {
	sent, ok := s.trail.sentAt(a.Ack)
	if !ok {
		return
	}
	s.delay = [3]time.Duration{a.Time - sent - c.Half[a.Dir].RTT.Min, s.delay[0], s.delay[1]}
	if s.deep++; s.Max-s.ack < 2*int64(c.Half[a.Dir.Peer()].Eff) {
		// nothing that could queue, and little enough for its acknowledgment to be delayed (RFC
		// 1122 §4.2.3.2)
		s.deep = 0
	}
	if a.Ack > s.Growth.past && len(s.holes) == 0 && s.deep >= len(s.delay) {
		s.queue = max(s.queue, min(s.delay[0], s.delay[1], s.delay[2]))
	}
}

// jitter is how much later than the least round trip what this sender reacts to may have reached
// it.
func (s *sender) jitter(w *walker, r *reassembly.Record) time.Duration {
	return w.s.Conn.Half[r.Dir].RTT.Jitter
}

// bulkReaction is how late a busy host may go on with a transfer when an acknowledgment has made
// room: less than a program takes for granted to produce a segment's worth by accident just then.
const bulkReaction = time.Millisecond

// sluggish is how late a busy host may react in the midst of a transfer, where that is little
// beside a round trip.
func (s *sender) sluggish(w *walker, r *reassembly.Record) time.Duration {
	if s.last == nil || !s.last.full || !r.Trait.Has(reassembly.Full) ||
		w.s.Conn.RTTMin() < 4*bulkReaction {
		return 0
	}
	return bulkReaction
}

// carried is how long the path takes to carry r besides: the least round trip was that of small
// segments.
func (s *sender) carried(w *walker, r *reassembly.Record) time.Duration {
	if s.rate.best == 0 || !r.Trait.Has(reassembly.Full) {
		return 0
	}
	return min(s.rate.perSegment(), w.s.Conn.RTTMin()/4)
}

// trail is when the segments that are outstanding passed. Beyond maxTrail the later ones are not
// noted.
type trail struct {
	q           []trailMark
	sent, acked int64 // packets, offload unfolded
}

// trailMark is the offset after a segment, and when it passed.
type trailMark struct {
	end  int64
	at   time.Duration
	sent int64 // packets up to here
}

// add notes segment r, of a sender whose effective MSS is eff.
func (t *trail) add(r *reassembly.Record, eff uint32) {
	t.sent++
	if eff > 0 && r.Len > eff {
		t.sent += int64((r.Len - 1) / eff)
	}
	end := r.Seq + int64(r.Len)
	if n := len(t.q); n < maxTrail && (n == 0 || t.q[n-1].end < end) {
		t.q = append(t.q, trailMark{end, r.Time, t.sent})
	}
}

// upTo is how many of the noted segments end at or before off.
func (t *trail) upTo(off int64) int {
	lo, hi := 0, len(t.q)
	for lo < hi {
		if mid := (lo + hi) / 2; t.q[mid].end <= off {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// sentAt is when the last segment that ends at or before ack passed; false if that is not known.
func (t *trail) sentAt(ack int64) (time.Duration, bool) {
	n := t.upTo(ack)
	if n == 0 {
		return 0, false
	}
	return t.q[n-1].at, true
}

// passed reports whether a segment that ends behind ack had passed by then.
func (t *trail) passed(ack int64, by time.Duration) bool {
	n := t.upTo(ack)
	return n < len(t.q) && t.q[n].at < by
}

// drop forgets what is acknowledged. sent is the offset after everything that was sent, eff the
// effective MSS.
func (t *trail) drop(ack, sent int64, eff uint32) {
	n := t.upTo(ack)
	if n == len(t.q) {
		// What is outstanding was not noted, and is no more than full segments.
		t.acked = max(t.acked, t.sent-(max(0, sent-ack)+int64(eff)-1)/max(int64(eff), 1))
	}
	if n == 0 {
		return
	}
	t.acked = max(t.acked, t.q[n-1].sent)
	t.q = append(t.q[:0], t.q[n:]...)
	if len(t.q) == 0 && cap(t.q) > maxTrail/4 {
		t.q = nil
	}
}
