package ledger

import (
	"time"

	"tcpwhy/reassembly"
)

// replica follows a sender's congestion window from outside, in packets, as Linux counts it: slow
// start adds what is acknowledged (RFC 3465) while the window is less than twice what was lately in
// flight, because a sender that has not used its window does not know that it may be larger (RFC
// 7661; net/ipv4/tcp_input.c, tcp_is_cwnd_limited). A window that was seen to hold the sender back
// corrects it. After a loss it is not known.
type replica struct {
	size int64    // packets; 0: not known
	used [2]int64 // the most packets in flight in this round, and in the one before
	sure int64    // packets whose acknowledgment the sender surely knows
	next []ackAt  // later acknowledgments, in order
}

// ackAt is an acknowledgment: when it passed, and how many packets were acknowledged then.
type ackAt struct {
	at    time.Duration
	acked int64
}

// heard takes note of an acknowledgment.
func (p *replica) heard(at time.Duration, acked int64) {
	if n := len(p.next); n < maxTrail {
		p.next = append(p.next, ackAt{at, acked})
	} else {
		p.next[n-1] = ackAt{at, acked}
	}
}

// surely lets the sender know all acknowledgments that passed before the given moment.
func (p *replica) surely(before time.Duration) {
	n := 0
	for n < len(p.next) && p.next[n].at < before {
		p.sure = p.next[n].acked
		n++
	}
	if n == 0 {
		return
	}
	p.next = append(p.next[:0], p.next[n:]...)
}

// sent takes note of how many packets are in flight: at least, and at most, as it is not certain
// which acknowledgments the sender knew of.
func (p *replica) sent(least, most int64) {
	p.used[0] = max(p.used[0], most)
	if p.size > 0 {
		p.size = max(p.size, least)
	}
}

// round begins another round.
func (p *replica) round() { p.used = [2]int64{0, p.used[0]} }

// acked takes note of n packets that were acknowledged in slow start.
func (p *replica) acked(n int64) {
	if p.size > 0 && p.size < 2*max(p.used[0], p.used[1]) {
		p.size += n
	}
}

// held corrects the replica: the window held the sender back with flight packets in flight, until n
// of them were acknowledged.
func (p *replica) held(flight, n int64) { p.size = flight + n }

// fills reports whether what was in flight before the record in hand filled the window, as far as
// that is known.
func (s *sender) fills() bool {
	return s.view.cwnd > 0 && s.trail.sent-s.view.acked >= s.view.cwnd
}

// correct takes from a wait for the congestion window how large that was.
func (s *sender) correct() {
	if flight := s.trail.sent - s.view.acked; flight > 0 {
		s.cwnd.held(flight, s.trail.acked-s.view.acked)
	}
}

// probeTicks is what Linux adds to the two round trips that a tail loss probe waits: two ticks of
// 1000 a second (net/ipv4/tcp_output.c, tcp_schedule_loss_probe; TCP_TIMEOUT_MIN).
const probeTicks = 2 * time.Millisecond

// probing reports whether r is new data that a tail loss probe sent (RFC 8985 §7.3): two round
// trips after the segment before, and alone, because the window was full. The acknowledgments that
// the capture shows had not reached the sender. What follows waits for the acknowledgment of r, at
// least for the least round trip; a tenth is room for a capture between the two.
func (w *walker) probing(s *sender, r *reassembly.Record) bool {
	c := w.s.Conn
	rtt := c.RTTMin()
	if s.last == nil || !s.last.full || !r.Trait.Has(reassembly.Full) ||
		r.Len > c.Half[r.Dir].Eff ||
		rtt <= 0 {
		return false
	}
	wait := r.Time - s.last.Time
	if wait < timerSoonest(2*rtt) || wait > timerLatest(2*rtt+probeTicks) {
		return false
	}
	for i := w.next + 1 - c.Released; i < len(c.Records); i++ {
		n := &c.Records[i]
		// a kernel may send several at once
		if n.Dir == r.Dir && n.Len > 0 && n.Time-r.Time >= time.Millisecond {
			return n.Time-r.Time >= rtt*9/10
		}
	}
	return false
}
