package sender

import (
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// known is what of its peer's word had reached a sender when it sent the record in hand.
type known struct {
	upTo   int           // absolute number of the peer's record before which all is known
	ack    int64         // highest acknowledgment
	former int64         // the one before
	by     capture.Mark  // the segment that told of ack
	pure   bool          // that one carried no data
	partly time.Duration // when the segment passed that had told of former
	edge   int64         // right edge of the receive window
	acks   unread
	// the peer's program has read what had come long before: a segment told of room that
	// acknowledged nothing new
	readLate bool
}

// prior is what a sender knew before anything that may have released the record in hand.
type prior struct {
	ack, edge int64
	acked     int64         // packets acknowledged
	cwnd      int64         // its congestion window, packets, by the replica; 0: not known
	oldest    time.Duration // when the first segment passed that was outstanding, if one was
}

// Release is what a sender learned just before it sent the record in hand: what may have released
// that.
type Release struct {
	// Ack is the first acknowledgment of something new, selective ones included; no frame if none
	Ack       capture.Mark
	Late      time.Duration // by how much Ack came later than a prompt acknowledgment would have
	RoundTrip time.Duration // that Ack shows, between capture point and peer; 0: not known
	// Opening is the first that moved the receive window's edge; no frame if none
	Opening capture.Mark
	Heard   bool // the peer was heard at all
	Partly  bool // Ack covers little of what was outstanding
	// Room says that Opening told of room in the receiver's buffer, and not of an arrival: it
	// acknowledged nothing new, or a window's worth at once.
	Room bool
	// Unread says that even then the receiver's program had left unread what had come long before.
	Unread bool
}

// Learn lets the sender know everything that had reached it when it sent r. What reached it within
// the time that a kernel takes to react may have released r; what it knew before has not.
func (s *State) Learn(r *reassembly.Record) {
	c := s.path.Conn
	horizon := s.knownBy(r)
	since := horizon - s.reaction(r) - s.carried(r)
	if s.hand.late > 0 {
		since -= s.stamps.tick
	}
	latest := horizon + s.sooner()
	s.look()
	s.hand.release = Release{}
	i := max(s.known.upTo, c.Released)
	for ; i < s.hand.n; i++ {
		a := s.path.record(i)
		if a.Time > latest {
			break
		}
		if a.Dir == s.dir {
			continue
		}
		if a.Time < since {
			s.absorb(a)
			s.look()
			continue
		}
		s.released(a)
		s.absorb(a)
	}
	s.known.upTo = i
	s.cwnd.surely(since)
}

// sooner is by how much the sender may have heard of something sooner than the least round trip to
// it says: that contains what the host took to answer, and few samples have not seen the least.
// Next to the host it may be all of it, and then the order of segments is the order of events.
func (s *State) sooner() time.Duration { return min(s.far(), s.path.AtOnce(s.dir)) }

const (
	// bulkReaction is how late a busy host may go on with a transfer when an acknowledgment has
	// made room: less than a program takes for granted to produce a segment's worth by accident
	// just then.
	bulkReaction = time.Millisecond
	// bulkTrips is of how many of those a round trip must consist for one to be little beside it
	// (reasoning: the tolerance is to stay below a quarter of what it is compared with).
	bulkTrips = 4
	// carriedParts: of what the path takes to carry a full segment besides, one of so many parts of
	// the round trip is believed (reasoning: more than that is no longer a tolerance).
	carriedParts = 4
)

// reaction is how late the sender of r may react to what reaches it, jitter of the path included.
// In the midst of a transfer a busy host may take longer, where that is little beside a round trip.
func (s *State) reaction(r *reassembly.Record) time.Duration {
	late := s.path.AtOnce(s.dir) + s.path.Conn.Half[s.dir].RTT.Jitter
	if s.last.full && s.beginsFull(r) &&
		s.path.Conn.RTTMin() >= bulkTrips*bulkReaction {
		return max(late, bulkReaction)
	}
	return late
}

// beginsFull reports whether the first segment of r is a full one: a network card may have merged
// it with the last of the message, which is not, or be left to cut the two.
func (s *State) beginsFull(r *reassembly.Record) bool {
	return r.Trait.Has(reassembly.Full) || s.mss() > 0 && r.Len > s.mss()
}

// carried is how long the path takes to carry r besides: the least round trip was that of small
// segments.
func (s *State) carried(r *reassembly.Record) time.Duration {
	if !s.rates.segments.known() || !r.Trait.Has(reassembly.Full) {
		return 0
	}
	return min(s.rates.segments.perSegment(), s.path.Conn.RTTMin()/carriedParts)
}

// look takes what the sender knows now as what it knew before anything could release the record in
// hand.
func (s *State) look() {
	s.prior.ack, s.prior.edge = s.known.ack, s.known.edge
	s.prior.acked, s.prior.cwnd = s.flying.acked, s.cwnd.size
	if at, ok := s.flying.oldest(); ok {
		s.prior.oldest = at
	}
}

// partly is up to what part of what was outstanding, in percent, an acknowledgment covers little of
// it (reasoning: one that a receiver was late with for want of a second segment covers nearly all).
const partly = 50

// released notes what a, which the sender has just learned of, may have released.
func (s *State) released(a *reassembly.Record) {
	if a.Flags&capture.ACK == 0 {
		return
	}
	v := &s.hand.release
	v.Heard = true
	if (a.Ack > s.known.ack || a.SACK > 0) && !Seen(v.Ack) {
		v.Ack = a.Mark()
		v.Late, v.RoundTrip = s.lateness(a)
		v.Partly = (a.Ack-s.known.ack)*100 < (s.stream.sent-s.known.ack)*partly
	}
	if a.Ack+int64(a.Window) > s.known.edge && !Seen(v.Opening) {
		v.Opening, v.Room = a.Mark(), s.readMore(a) || s.atOnce(a)
		v.Unread = s.leftUnread(a)
	}
}

// readParts: a window that moves by so many times what is acknowledged anew moved because a program
// read (reasoning: an arrival that is read at once moves it by as much as is acknowledged, and by
// twice as much where the one before is read with it).
const readParts = 4

// readMore reports whether a made room mostly because its host's program had read.
func (s *State) readMore(a *reassembly.Record) bool {
	return a.Ack+int64(a.Window)-s.known.edge >= readParts*max(0, a.Ack-s.known.ack)
}

const (
	// A full window that is acknowledged at once is one of manySegments at least, of which so many
	// percent and more are acknowledged. Both rest on reasoning: two segments, or half a window,
	// are what an ordinary acknowledgment covers (RFC 9293 §3.8.6.3).
	manySegments = 4
	wholeWindow  = 75
)

// atOnce reports whether a acknowledges a full window, many segments, that nothing had been
// acknowledged of: a kernel that has no more room to offer keeps quiet until its program has read.
func (s *State) atOnce(a *reassembly.Record) bool {
	octets := a.Ack - s.known.ack
	return a.Ack >= s.stream.before &&
		octets*100 >= (s.known.edge-s.known.ack)*wholeWindow &&
		octets >= manySegments*int64(s.mss())
}

// ackEvery is how many full segments must be acknowledged at once at the latest (RFC 1122
// §4.2.3.2).
const ackEvery = 2

// lateness is by how much acknowledgment a came later than a prompt one, if that is for want of a
// second full segment (RFC 1122 §4.2.3.2), and the round trip that it shows. On a path with a queue
// all acknowledgments are late, so one after one that was late, too, is no evidence; nor is one
// that does not cover what must have reached a receiver that had waited so long: that was late
// itself.
func (s *State) lateness(a *reassembly.Record) (late, round time.Duration) {
	sent, ok := s.flying.sentAt(a.Ack)
	if !ok {
		return 0, 0
	}
	near := s.path.Conn.Half[a.Dir].RTT
	round = a.Time - sent
	late = round - near.Min
	mss := int64(s.mss())
	before := s.queue.excess[0]
	if s.stream.sent-s.known.ack <= mss {
		before = 0 // one segment at a time makes no queue
	}
	if !a.PureAck() || a.Ack-s.known.ack >= ackEvery*mss ||
		late < max(DelackFloor, delackBeyond*near.Jitter, delackBeyond*before) ||
		late > DelackCeil ||
		s.flying.passed(a.Ack, a.Time-near.Min-near.Jitter) {
		return 0, round
	}
	return late, round
}

// absorb takes in one segment of the peer.
func (s *State) absorb(a *reassembly.Record) {
	if a.Len > 0 {
		s.nagle.small.answered = true
	}
	if a.Flags&capture.ACK == 0 || a.Flags&capture.RST != 0 {
		return
	}
	if s.nagle.small.acknowledge(a, a.Ack-s.known.ack) {
		s.noteLateAck(a)
	}
	edge := a.Ack + int64(a.Window)
	moved := s.known.edge > 0 && edge-s.known.edge >= int64(s.mss())
	if a.Ack > s.known.ack {
		s.advance(a)
	} else if moved && a.SACK == 0 && a.Time-s.known.by.Time >= unreadLeast &&
		!s.offered.emptied(int64(a.Window)) {
		s.known.readLate = true
	}
	s.offered.offer(int64(a.Window), moved)
	if a.Window == 0 && a.Flags&(capture.FIN|capture.SYN) == 0 {
		s.since.closed = true
	}
	if edge > s.known.edge {
		s.known.edge = edge
		s.since.opening = a.Mark()
		if !Seen(s.since.room) && edge-s.stream.sent >= s.leastRoom() {
			s.since.room, s.since.unread = a.Mark(), s.leftUnread(a)
		}
	}
}

// advance takes in that a acknowledges something new.
func (s *State) advance(a *reassembly.Record) {
	k := &s.known
	s.noteRoundTrip(a)
	k.acks.add(a.Ack, a.Time)
	k.former, k.ack = k.ack, a.Ack
	k.partly, k.by, k.pure = k.by.Time, a.Mark(), a.PureAck()
	s.noteAckRate(a)
	before := s.flying.acked
	s.flying.drop(a.Ack, s.stream.sent, s.mss())
	if s.growth.slow && s.cwnd.size > 0 {
		s.cwnd.acked(s.flying.acked - before)
		s.cwnd.heard(a.Time, s.flying.acked)
	}
}

// noteAckRate takes the path's rate from acknowledgment a.
func (s *State) noteAckRate(a *reassembly.Record) {
	if a.Ack <= s.growth.past {
		s.rates.acks.at = 0 // what waited behind a hole is acknowledged all at once
		return
	}
	if sent, ok := s.flying.sentAt(a.Ack); ok {
		s.rates.acks.add(a.Ack, a.Time, sent, int64(s.mss()))
	}
}

// noteRoundTrip takes note of how much longer than the least the round trip is that acknowledgment
// a shows.
func (s *State) noteRoundTrip(a *reassembly.Record) {
	sent, ok := s.flying.sentAt(a.Ack)
	if !ok {
		return
	}
	s.queue.add(a.Time-sent-s.path.Conn.Half[a.Dir].RTT.Min,
		s.stream.sent-s.known.ack >= ackEvery*int64(s.mss()),
		a.Ack > s.growth.past && len(s.stream.holes) == 0)
}

// presume takes it that the peer has acknowledged everything before the given offset, where the
// capture lacks all that it said.
func (s *State) presume(ack int64) {
	if ack > s.known.ack {
		s.known.former, s.known.ack = s.known.ack, ack
		s.flying.drop(ack, s.stream.sent, s.mss())
	}
}
