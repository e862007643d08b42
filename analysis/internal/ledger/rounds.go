package ledger

import (
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// maxRounds is how many rounds of a message are kept: slow start doubles, so 24 rounds are more
// than a gigabyte.
const maxRounds = 24

// Round is what was sent within one round trip.
type Round struct {
	Start capture.Mark
	seq   int64
	Bytes int64
}

// growth is what can be told of a sender's congestion window from outside: the window itself is not
// visible, the most that was in flight is a lower bound.
type growth struct {
	slow     bool  // slow start has not ended: no loss, and rounds still grow
	peak     int64 // the most in flight since the window last shrank
	cut      bool  // a loss ended slow start, or shrank the window after it
	needless bool  // something was sent again without need, which may have shrunk the window, too
	hasty    bool  // that was no timer's doing, but due to the order in which segments came
	hastyTo  int64 // what was sent by then belongs to the same recovery
	past     int64 // acknowledgments up to here are late because of a loss, not of a queue
	Away     bool  // what was lost had not passed the capture point
	idle     Idle
}

// Idle is what an idle period before the message in hand did.
type Idle struct {
	Since  time.Duration // how long nothing was sent; 0: less than a retransmission timeout
	Peak   int64         // the most in flight before
	Cwnd   int64         // the congestion window before, packets; 0: not known
	Before capture.Mark  // the last segment before
	Mark   capture.Mark  // of the first segment after
}

// lose takes note of a loss, with everything sent up to the given offset.
func (g *growth) lose(sent int64) { g.slow, g.cut, g.peak, g.past = false, true, 0, sent }

// repeat takes note of a needless retransmission, with everything sent up to the given offset. A
// recovery that duplicate acknowledgments began goes on with more such, one for each partial
// acknowledgment (RFC 6582 §3.2).
func (g *growth) repeat(r *reassembly.Record, hasty bool, sent int64) {
	if hasty {
		g.hastyTo = sent
	}
	g.needless, g.hasty = true, hasty || g.needless && g.hasty && r.Seq < g.hastyTo
}

// countRound assigns r to a round: a new one begins with the first segment sent after the ACK of
// the first segment of the round before is known. That is how BBR counts rounds
// (draft-ietf-ccwg-bbr, 4.5.1), seen from outside.
func (s *sender) countRound(w *walker, r *reassembly.Record, n int, fresh bool) {
	if fresh || s.last == nil {
		s.begin(w, r, n)
	}
	if s.round.Bytes == 0 || s.ack > s.round.seq || s.echoes.flight {
		s.endRound()
		s.cwnd.round()
		s.round = Round{Start: r.Mark(), seq: r.Seq}
		if len(s.rounds) < maxRounds {
			s.rounds = append(s.rounds, s.round)
		}
	}
	s.round.Bytes += int64(r.Len)
	if k := len(s.rounds); k > 0 && s.rounds[k-1].seq == s.round.seq {
		s.rounds[k-1].Bytes = s.round.Bytes
	}
}

// begin prepares for the first segment of a message: its rounds are its own. After a retransmission
// timeout without sending, a kernel may have forgotten its window (RFC 5681 §4.1).
func (s *sender) begin(w *walker, r *reassembly.Record, n int) {
	s.rounds, s.round, s.rwnd = s.rounds[:0], Round{}, bound{begun: s.edge - s.ack}
	s.pieces, s.queue = pieces{}, 0
	s.rate.n = 0
	s.rate.lookAhead(w.s.Conn, n)
	g := &s.Growth
	g.idle = Idle{}
	if oneSided(w.s.Conn, r.Dir) {
		s.presume(r.Seq, w.s.Conn.Half[r.Dir].Eff) // the peer has said something new: it has this
	}
	if s.last == nil {
		g.slow = true
		s.cwnd.size = UsualInitial
		return
	}
	if gap := r.Time - s.last.Time; gap >= w.s.Timeout() {
		g.idle = Idle{
			Since:  gap,
			Peak:   g.peak,
			Cwnd:   s.cwnd.size,
			Before: s.last.Mark,
			Mark:   r.Mark(),
		}
		g.peak = 0
	}
}

// endRound looks at the round that is over: slow start has ended when a round that was not cut
// short by the end of the message did not grow (RFC 5681 §3.1; HyStart, RFC 9406).
func (s *sender) endRound() {
	if s.initial == 0 {
		s.initial = s.round.Bytes
	}
	n := len(s.rounds)
	if n == 0 || s.last == nil || !s.last.full {
		return
	}
	if n == 1 && s.Growth.restarted(s.rounds[0].Bytes, s.initial) {
		s.Growth.slow, s.Growth.cut, s.Growth.needless = true, false, false
	}
	if n >= 2 && s.rounds[n-1].Bytes*5 < s.rounds[n-2].Bytes*6 {
		s.Growth.slow = false
	}
}

// restarted reports whether the first round of the message, of first octets, shows that the window
// was cut back because nothing had been sent: there had been more in flight than the initial
// window, and now less.
func (g *growth) restarted(first, initial int64) bool {
	i := &g.idle
	return i.Since > 0 && i.Peak*10 > initial*14 && first*10 < i.Peak*7
}

// Timeout is the least retransmission timeout of a sender, after which an idle congestion window
// shrinks (net/ipv4/tcp_output.c, tcp_cwnd_restart; TCP_RTO_MIN is 200 ms, RFC 6298 says more).
func (s *Connection) Timeout() time.Duration {
	return s.Conn.RTTMin() + 200*time.Millisecond
}
