package sender

import "time"

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

// unusedTimes is up to how many times what was lately in flight Linux lets the window grow in slow
// start (net/ipv4/tcp_input.c, tcp_is_cwnd_limited).
const unusedTimes = 2

// ackAt is an acknowledgment: when it passed, and how many packets were acknowledged then.
type ackAt struct {
	at    time.Duration
	acked int64
}

// heard takes note of an acknowledgment.
func (p *replica) heard(at time.Duration, acked int64) {
	if n := len(p.next); n < maxOutstanding {
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
	if p.size > 0 && p.size < unusedTimes*max(p.used[0], p.used[1]) {
		p.size += n
	}
}

// held corrects the replica: the window held the sender back with flight packets in flight, until n
// of them were acknowledged.
func (p *replica) held(flight, n int64) { p.size = flight + n }
