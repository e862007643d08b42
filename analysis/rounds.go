package analysis

import (
	"time"

	"tcpwhy/reassembly"
)

// maxRounds is how many rounds of a message are kept: slow start doubles, so 24 rounds are more than a gigabyte.
const maxRounds = 24

// countRound assigns r to a round: a new one begins with the first segment sent after the ACK of the first segment of
// the round before is known. That is how BBR counts rounds (draft-ietf-ccwg-bbr, 4.5.1), seen from outside.
func (s *sender) countRound(w *walker, r *reassembly.Record) {
	if s.newMessage(w, r) || s.ack > s.round.seq {
		s.endRound()
		s.round = round{start: r.Mark(), seq: r.Seq}
		if len(s.rounds) < maxRounds {
			s.rounds = append(s.rounds, s.round)
		}
	}
	s.round.bytes += int64(r.Len)
	if n := len(s.rounds); n > 0 && s.rounds[n-1].seq == s.round.seq {
		s.rounds[n-1].bytes = s.round.bytes
	}
}

// newMessage reports whether r is the first of a message, and prepares for it: the rounds of a message are its own.
func (s *sender) newMessage(w *walker, r *reassembly.Record) bool {
	if s.last != nil && w.any && w.prev == r.Dir {
		return false
	}
	idle := s.last != nil && r.Time-s.last.at >= w.s.timeout(r.Dir)
	if s.last == nil {
		s.growing = true
	} else if idle && s.flight*10 > s.initial*14 {
		s.growing, s.idled = true, true
	}
	s.endRound()
	s.rounds = s.rounds[:0]
	s.round = round{}
	return true
}

// endRound looks at the round that is over: slow start has ended when a round that was not cut short by the end of the
// message did not grow (RFC 5681 §3.1; HyStart, RFC 9406).
func (s *sender) endRound() {
	if s.initial == 0 {
		s.initial = s.round.bytes
	}
	n := len(s.rounds)
	if n < 2 || s.last == nil || !s.last.full {
		return
	}
	if s.rounds[n-1].bytes*5 < s.rounds[n-2].bytes*6 {
		s.growing = false
	}
}

// timeout is the least retransmission timeout of dir's sender, after which an idle congestion window shrinks
// (net/ipv4/tcp_output.c, tcp_cwnd_restart; RTO_MIN is 200 ms).
func (s *connState) timeout(reassembly.Dir) time.Duration {
	return s.conn.RTTMin() + 200*time.Millisecond
}
