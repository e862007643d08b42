package sender

import (
	"time"

	"tcpwhy/reassembly"
)

// A kernel's timer of length d is seen to fire within these percent of it, and timerTick. Linux's
// timer wheel is late by up to an eighth of d (kernel/time/timer.c) and a tick, of 10 ms at most
// (HZ=100); the rest, to 15 %, and 3 % the other way, is room for d, which is a measured round trip
// or made of such, and for where in a tick it began.
const (
	firesFrom  = 97
	firesUntil = 115
	timerTick  = 10 * time.Millisecond
)

// timerSoonest is the soonest that a kernel's timer of length d is seen to fire.
func timerSoonest(d time.Duration) time.Duration { return d * firesFrom / 100 }

// timerLatest is the latest that a kernel's timer of length d is seen to fire.
func timerLatest(d time.Duration) time.Duration { return d*firesUntil/100 + timerTick }

const (
	// rtoMin is the least of Linux's retransmission timer beside the round trip (include/net/tcp.h,
	// TCP_RTO_MIN), and so that of its timer for probing a window (tcp_probe0_base). RFC 6298 §2.4
	// says a second.
	rtoMin    = 200 * time.Millisecond
	rtoMinRFC = time.Second
	// estimated is what part of an estimated timeout, in percent, certainly has to pass before the
	// timer fires: the round trip in it is the least one, and a tenth is room for that (reasoning).
	estimated = 90
)

// Timeout is the least retransmission timeout of a sender, after which an idle congestion window
// shrinks, too (net/ipv4/tcp_output.c, tcp_cwnd_restart).
func (p *Path) Timeout() time.Duration { return p.Conn.RTTMin() + rtoMin }

// timeoutSoonest is the soonest that the retransmission timer is seen to fire for the n-th time, if
// it does not back off.
func (p *Path) timeoutSoonest(n int) time.Duration {
	return time.Duration(n) * p.Timeout() * estimated / 100
}

// probeTrips is how many round trips the timer for a tail loss probe takes (RFC 8985 §7.2).
const probeTrips = 2

// probeSoonest is the soonest that the timer for a tail loss probe is seen to fire.
func (p *Path) probeSoonest() time.Duration { return timerSoonest(probeTrips * p.Conn.RTTMin()) }

const (
	// probeTicks is what Linux adds to the round trips that a tail loss probe waits: two ticks
	// of 1000 a second (net/ipv4/tcp_output.c, tcp_schedule_loss_probe; TCP_TIMEOUT_MIN).
	probeTicks = 2 * time.Millisecond
	// burst is within how long of each other a kernel may send several segments at once.
	burst = time.Millisecond
	// probeAnswer is what part of the least round trip, in percent, passes before the answer to a
	// probe releases what follows: a tenth is room for a capture between the two.
	probeAnswer = 90
)

// Probing reports whether r is new data that a tail loss probe sent (RFC 8985 §7.3): two round
// trips after the segment before, and alone, because the window was full. The acknowledgments that
// the capture shows had not reached the sender. What follows waits for the acknowledgment of r, at
// least for the least round trip.
func (s *State) Probing(r *reassembly.Record) bool {
	c := s.path.Conn
	rtt := c.RTTMin()
	if !s.last.full || !r.Trait.Has(reassembly.Full) || r.Len > s.mss() || rtt <= 0 {
		return false
	}
	wait := r.Time - s.last.Time
	if wait < s.path.probeSoonest() || wait > timerLatest(probeTrips*rtt+probeTicks) {
		return false
	}
	for i := s.hand.n + 1 - c.Released; i < len(c.Records); i++ {
		n := &c.Records[i]
		if n.Dir == r.Dir && n.Len > 0 && n.Time-r.Time >= burst {
			return n.Time-r.Time >= rtt*probeAnswer/100
		}
	}
	return false
}
