package sender

import "time"

// DueAck is the moment at which the acknowledgment of the oldest outstanding segment was due.
func (s *State) DueAck() time.Duration { return s.prior.oldest + s.path.Conn.RTTMin() }

// CorrectWindow takes it from a wait for the congestion window how large that was.
func (s *State) CorrectWindow() {
	if flight := s.inFlight(); flight > 0 {
		s.cwnd.held(flight, s.flying.acked-s.prior.acked)
	}
}

const (
	// A queue shows in round trips that are longer than the least by one of so many parts of that,
	// and by a millisecond (reasoning: less is what hosts take).
	queueParts = 5
	queueLeast = time.Millisecond
)

// PipeFull reports whether as much was in flight as the path holds: then its rate limits, not a
// window. It shows in round trips that have become longer, or in acknowledgments that come back no
// faster than what was in flight drains.
func (s *State) PipeFull() bool {
	c := s.path.Conn
	near, v := c.Half[s.dir.Peer()].RTT, &s.hand.release
	longer := v.RoundTrip - v.Late - near.Min
	switch {
	case near.Min < nearHost:
		longer = 0 // there is no path between the capture point and the host that was late
	case s.growth.cut:
		// Losses also make single acknowledgments late; a queue makes all of them late.
		longer = min(longer, s.queue.least())
	case s.known.ack >= s.stream.before:
		longer = min(longer, s.queue.seen()) // its host may have been late with that of all
	}
	longer = max(longer, s.stamps.queue())
	if s.known.ack > s.growth.past &&
		longer > max(near.Jitter, c.RTTMin()/queueParts, queueLeast) {
		return true
	}
	rate := s.rates.perSecond(int64(s.mss()), 0)
	return rate > 0 && !s.windowSetsRate(rate) &&
		float64(s.stream.before-s.prior.ack) >= rate*c.RTTMin().Seconds()
}

// RestartedAfterIdle reports whether the congestion window of the message in hand was cut back
// because nothing had been sent before it, as a kernel does that.
func (s *State) RestartedAfterIdle() bool {
	first, initial := s.rounds.first(), s.rounds.initial
	return s.growth.restarted(first, initial) &&
		s.growth.decayed(first, initial, s.path.Timeout())
}

// ShrankNeedlessly reports whether the congestion window is small because something was sent again
// without need.
func (s *State) ShrankNeedlessly() bool {
	return s.growth.needless && s.rounds.now.Bytes*100 < s.growth.peak*shrankTo
}
