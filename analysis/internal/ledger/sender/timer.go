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

// timeoutSoonest is the soonest that the retransmission timer is seen to fire.
func (p *Path) timeoutSoonest() time.Duration { return p.Timeout() * estimated / 100 }

// timersSoonest is the soonest that n timers in a row are seen to have run out, each twice as long
// as the one before (RFC 6298 §5.5), but the second: the first may be that of a tail loss probe
// (RFC 8985 §7.3). That one takes two round trips, or for a lone segment about as long as the timer
// itself (§7.2).
func (p *Path) timersSoonest(n int, lone bool) time.Duration {
	return p.soonest(p.Timeout(), n, lone)
}

// soonest is the same for a timer of the given length.
func (p *Path) soonest(timer time.Duration, n int, lone bool) time.Duration {
	sum := timer
	if n > 1 {
		if !lone {
			sum = min(timer, probeTrips*p.Conn.RTTMin())
		}
		sum += backedOff(timer, n-1)
	}
	return sum / 100 * estimated
}

const (
	// timerRoom is what the timer of a host may be longer than the least: its estimate of the round
	// trip is a mean and four deviations (RFC 6298 §2.3), which a few delayed acknowledgments of 40
	// ms make.
	timerRoom = 50 * time.Millisecond
	// rtoMax is the longest that a retransmission timer gets (include/net/tcp.h, TCP_RTO_MAX; RFC
	// 6298 §2.5 allows a minute and more).
	rtoMax = 120 * time.Second
)

// timersLast is the longest that n timers in a row can have made of the wait given; fits says that
// it has their length. Stacks that keep to RFC 6298 §2.4 wait a second at least.
func (p *Path) timersLast(n int, lone bool, wait time.Duration) (most time.Duration, fits bool) {
	least := p.Timeout()
	for _, t := range [...]time.Duration{least, max(rtoMinRFC, least)} {
		most = timersLatest(t, n)
		if wait >= p.soonest(t, n, lone) && wait <= most {
			return most, true
		}
	}
	return timersLatest(least, n), false
}

// timersLatest is the latest that n timers in a row are seen to have run out, if the first is t.
func timersLatest(t time.Duration, n int) time.Duration {
	return backedOff(t*firesUntil/100+timerRoom, n)
}

// backedOff is how long n timers in a row last, each twice as long as the one before.
func backedOff(t time.Duration, n int) (sum time.Duration) {
	for ; n > 0; n-- {
		sum += t
		t = min(2*t, max(t, rtoMax))
	}
	return sum
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

const (
	// rtoFirst is the timer of a sender that has not measured a round trip, if the SYN was repeated
	// (RFC 6298 §5.7).
	rtoFirst = 3 * time.Second
	// timerTrips is how many of the longest round trips the timer may be: after the first it is the
	// smoothed round trip and four deviations, each half of it (RFC 6298 §2.2).
	timerTrips = 3
	// givenUp is after which time no sender repeats a segment any more: Linux does so fifteen times
	// (net.ipv4.tcp_retries2), which takes 15 to 30 minutes.
	givenUp = 30 * time.Minute
)

// TimerFrom is from when on the wait for r, a copy of what was lost at the given moment, is that of
// a timer. What is longer is not: the sender's host stood still, or the clock of the capture was
// set. It is the moment given where other copies may have been lost before they passed.
func (s *State) TimerFrom(r *reassembly.Record, lost time.Duration) time.Duration {
	copies, last := s.copiesOf(r, lost)
	wait := r.Time - last
	switch {
	case wait <= s.timerLongest(copies), !s.sawAll(lost) && wait <= givenUp:
		return lost
	case wait > rtoMax*firesUntil/100:
		return r.Time // of one whose length is not known nothing is
	}
	return max(lost, r.Time-timersLatest(s.path.Timeout(), 1))
}

// timerLongest is the longest that the timer of s may be, doubled by so many copies. Where copies
// may have come before the capture begins, it may be as long as any.
func (s *State) timerLongest(copies int) time.Duration {
	if s.doubledUnseen() {
		return rtoMax*firesUntil/100 + timerRoom
	}
	trip := s.path.Conn.RTTMin() + max(s.queue.excess[0], s.queue.excess[1], s.queue.excess[2])
	longest := max(rtoFirst, timerTrips*trip)
	for range copies {
		longest = min(2*longest, rtoMax)
	}
	return min(longest, rtoMax)*firesUntil/100 + timerRoom
}

// doubledUnseen reports whether copies that came before the capture begins may have doubled the
// timer of s: that lasts until it hears of new data that was acknowledged (RFC 6298 §5.3, §5.7;
// Linux: icsk_backoff, which tcp_ack_update_rtt sets to 0).
func (s *State) doubledUnseen() bool { return s.path.Conn.MidStream && s.known.ack <= 0 }

// copiesOf is how many copies of r's first octet passed between its loss and r, and when the last
// one did: the moment given if none.
func (s *State) copiesOf(r *reassembly.Record, lost time.Duration) (n int, last time.Duration) {
	c := s.path.Conn
	last = lost
	for i := s.hand.n - 1 - c.Released; i >= 0 && c.Records[i].Time > lost; i-- {
		if o := &c.Records[i]; o.Dir == r.Dir && o.Len > 0 && o.Seq <= r.Seq && o.End() > r.Seq {
			n++
			last = max(last, o.Time)
		}
	}
	return n, last
}

// sawAll reports whether nothing that the sender sent since the given moment was lost before it
// passed the capture point: that is next to the sender, or its identifications have no gap.
func (s *State) sawAll(since time.Duration) bool {
	return s.far() < nearHost || s.ids.stride != 0 && !s.ids.broken && s.ids.gapAt <= since
}
