package sender

import (
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// maxRounds is how many rounds of a message are kept: slow start doubles, so 24 rounds are more
// than a gigabyte.
const maxRounds = 24

// InitialWindow is the initial window of RFC 6928, in segments.
const InitialWindow = 10

// Round is what was sent within one round trip.
type Round struct {
	Start capture.Mark // its first segment
	From  int64        // offset of that one
	Bytes int64        // octets, those that were sent again included
}

// rounds are those of the message in hand.
type rounds struct {
	list    []Round // the first maxRounds
	now     Round   // the current one, which list has, too, if there was room
	initial int64   // octets of the first round of the connection; 0: not known
}

// first is how many octets the message's first round had, or has so far.
func (k *rounds) first() int64 {
	if len(k.list) > 0 {
		return k.list[0].Bytes
	}
	return k.now.Bytes
}

// start begins a round with r.
func (k *rounds) start(r *reassembly.Record) {
	k.now = Round{Start: r.Mark(), From: r.Seq}
	if len(k.list) < maxRounds {
		k.list = append(k.list, k.now)
	}
}

// add counts a segment of the current round.
func (k *rounds) add(octets int64) {
	k.now.Bytes += octets
	if n := len(k.list); n > 0 && k.list[n-1].From == k.now.From {
		k.list[n-1].Bytes = k.now.Bytes
	}
}

// grewPercent is what a round has at least, in percent of the one before, while slow start goes on:
// half as much again where acknowledgments are delayed, double where not (RFC 5681 §3.1). Past slow
// start it has a segment more, which is a tenth of an initial window of ten; a fifth lies between.
const grewPercent = 120

// countRound assigns r to a round: a new one begins with the first segment sent after the ACK of
// the first segment of the round before is known. That is how BBR counts rounds
// (draft-ietf-ccwg-bbr, 4.5.1), seen from outside.
func (s *State) countRound(r *reassembly.Record, first bool) {
	if first || !s.last.any() {
		s.beginMessage(r)
	}
	if k := &s.rounds; k.now.Bytes == 0 || s.known.ack > k.now.From || s.echoes.flight {
		s.endRound()
		s.cwnd.round()
		k.start(r)
	}
	s.rounds.add(int64(r.Len))
}

// beginMessage prepares for the first segment of a message: its rounds are its own. After a
// retransmission timeout without sending, a kernel may have forgotten its window (RFC 5681 §4.1).
func (s *State) beginMessage(r *reassembly.Record) {
	s.rounds.list, s.rounds.now = s.rounds.list[:0], Round{}
	room := s.known.edge - s.known.ack
	s.offered = ReceiveWindow{begun: room, moved: min(room, s.offered.moved)}
	s.segments, s.queue.most = SegmentCounts{}, 0
	s.own.limit.beginMessage()
	s.rates.segments.n = 0
	s.rates.segments.lookAhead(s.path.Conn, s.hand.n)
	s.growth.idle = Idle{}
	if s.path.OneSided(s.dir) {
		s.presume(r.Seq) // the peer has said something new: it has this
	}
	if !s.last.any() {
		s.growth.slow = true
		s.cwnd.size = InitialWindow
		return
	}
	if gap := r.Time - s.last.Time; gap >= s.path.Timeout() {
		s.growth.rest(Idle{
			Since:  gap,
			Peak:   s.growth.peak,
			Cwnd:   s.cwnd.size,
			Before: s.last.Mark,
			Mark:   r.Mark(),
		})
	}
}

// endRound looks at the round that is over: slow start has ended when a round that was not cut
// short by the end of the message did not grow (RFC 5681 §3.1; HyStart, RFC 9406).
func (s *State) endRound() {
	k, g := &s.rounds, &s.growth
	if k.initial == 0 {
		k.initial = k.now.Bytes
	}
	n := len(k.list)
	if n == 0 || !s.last.full {
		return
	}
	if n == 1 && g.restarted(k.list[0].Bytes, k.initial) {
		g.slow, g.cut, g.needless = true, false, false
	}
	if n >= 2 && k.list[n-1].Bytes*100 < k.list[n-2].Bytes*grewPercent {
		g.slow = false
	}
}
