package sender

import (
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// State is what the records so far show of one sender. Each field is one algorithm's, with its
// methods beside its type.
type State struct {
	path *Path
	dir  reassembly.Dir
	hand hand // of the record in hand

	// what was sent, and what the sender knew of it
	stream stream
	flying outstanding
	last   lastSent
	known  known
	prior  prior
	since  sinceSent

	// what holds it back
	rounds  rounds
	growth  growth
	cwnd    replica
	offered ReceiveWindow
	own     ownPace
	nagle   Nagle
	corks   corks

	// what the path and the hosts do
	rates    rates
	queue    queueing
	stamps   stamps
	echoes   echoes
	ids      packetIDs
	segments SegmentCounts
	full     fullPass
	lateAcks lateAcks
}

// hand is what belongs to the record in hand alone.
type hand struct {
	n       int           // its absolute number
	late    time.Duration // by how much longer than the least it was under way; 0: not known
	release Release       // what may have released it; valid once it has been learned of
	probe   bool          // a tail loss probe may have sent it, though it is new data
	// a slow link let it through behind the one before, which had been acknowledged by then
	trickled bool
}

// ownPace is what a sender keeps to by itself, whatever the windows allow: a pace, and a limit.
type ownPace struct {
	pacing pacing
	limit  sendLimit
}

// lastSent is the last new segment with data; no frame if there was none.
type lastSent struct {
	capture.Mark
	full bool  // it was as large as the path allows
	end  int64 // the offset after it
	ack  int64 // the highest acknowledgment that its sender knew then
}

// any reports whether anything was sent yet.
func (l *lastSent) any() bool { return Seen(l.Mark) }

// sinceSent is what became known since a sender last sent something new.
type sinceSent struct {
	closed   bool         // a window of zero was offered
	full     bool         // the receive window had no room for another segment even then
	probed   bool         // its kernel asked for room
	opening  capture.Mark // latest segment that moved the receive window's edge
	room     capture.Mark // the first that made room for a segment
	unread   bool         // even then the receiver's program had left octets unread
	needless capture.Mark // the first segment that was sent again without need
	// the latest of the sender's acknowledgments by which it had not gone beyond what has passed
	unsent  time.Duration
	missing int          // packets that never passed the capture point, by IP identification
	gap     IDGap        // from the first of those to the last, by their identifications
	skipped capture.Mark // first segment that shows that more had been sent than has passed
}

// lacks takes note of packets that are missing.
func (s *sinceSent) lacks(missing int, gap IDGap) {
	if s.missing > 0 {
		gap.First, gap.From = s.gap.First, s.gap.From
	}
	s.missing, s.gap = s.missing+missing, gap
}

// begin makes s the sender of dir, of which nothing is known. What room s had is used again.
func (s *State) begin(p *Path, dir reassembly.Dir) {
	holes, repairs := s.stream.holes[:0], s.stream.repairs[:0]
	flying, list, next := s.flying.list[:0], s.rounds.list[:0], s.cwnd.next[:0]
	runs := s.ids.runs.ended[:0]
	*s = State{}
	s.path, s.dir = p, dir
	s.stream.holes, s.stream.repairs = holes, repairs
	s.flying.list, s.rounds.list, s.cwnd.next = flying, list, next
	s.ids.runs.ended = runs
}

// mss is the sender's effective MSS; 0 if it is not known.
func (s *State) mss() uint32 { return s.path.Conn.Half[s.dir].Eff }

// far is the least round trip between the capture point and the sender.
func (s *State) far() time.Duration { return s.path.Conn.Far(s.dir) }

// knownBy is the moment up to which what passed the capture point had reached r's sender when it
// sent r.
func (s *State) knownBy(r *reassembly.Record) time.Duration {
	return r.Time - s.far() - s.hand.late
}

// waited is how long the sender had neither sent anything new nor heard of a new acknowledgment
// when it sent r.
func (s *State) waited(r *reassembly.Record) time.Duration {
	return r.Time - max(s.last.Time, s.known.by.Time+s.far())
}

// Sent takes note of r after it has been judged. first tells that it is the first of a message,
// headers that a header section ends where it ends.
func (s *State) Sent(r *reassembly.Record, first, headers bool) {
	switch {
	case r.Len == 0:
	case r.Kind.Retransmitted():
		s.sentAgain(r)
	default:
		s.sentNew(r, first)
		if endsSmall(r) {
			s.nagle.sent(r, headers, s.hand.probe)
		}
	}
}

// sentAgain takes note of a retransmission.
func (s *State) sentAgain(r *reassembly.Record) {
	if r.Kind != reassembly.SpuriousRetransmission {
		s.growth.lose(s.stream.sent)
		s.cwnd.size = 0
	}
	s.rounds.now.Bytes += int64(r.Len)
	s.since.missing = 0
}

// sentNew takes note of new data.
func (s *State) sentNew(r *reassembly.Record, first bool) {
	full, mss := r.Trait.Has(reassembly.Full), s.mss()
	flows := s.known.ack < s.stream.before || s.hand.trickled
	s.rates.segments.add(r, full && r.Len <= mss && flows)
	s.nagle.tails.alone = s.nagle.tails.alone || full && s.waitedAlone()
	s.countRound(r, first)
	gap := time.Duration(0)
	if s.last.any() && !first {
		gap = r.Time - s.last.Time
	}
	s.segments.count(r, gap, full)
	s.last = lastSent{r.Mark(), full, r.Seq + int64(r.Len), s.known.ack}
	s.growth.flew(s.stream.sent-s.known.ack, s.known.ack)
	s.flying.add(r, mss)
	s.stamps.sent(s.hand.late)
	if len(s.stream.holes) == 0 && s.stream.before > s.growth.past {
		s.queue.grow(s.stamps.queue())
	}
	s.cwnd.sent(s.flying.sent-s.flying.acked, s.flying.sent-s.cwnd.sure)
	s.since = sinceSent{full: s.fullWindow()}
}
