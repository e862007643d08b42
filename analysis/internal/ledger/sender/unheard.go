package sender

import (
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// What a host sends may be lost for seconds while what it is sent arrives. Then the other side
// repeats by its timer, twice as long each time (RFC 6298 §5.5), what has arrived and has been
// acknowledged: it hears nothing.

// unheardCopies is how many copies, a timer and more apart, show that: one may be that of a timer
// which an acknowledgment crossed, or was too late for.
const unheardCopies = 2

// Unheard is time in which no acknowledgment reached a sender. The zero value is none.
type Unheard struct {
	Until time.Duration // when it last repeated what had arrived
	Again capture.Mark  // the first such copy
}

// Unheard is the time from the given moment, and before the record in hand, in which the sender
// heard nothing; zero if that is not sure.
func (s *State) Unheard(since time.Duration) (u Unheard) {
	c, timer := s.path.Conn, s.path.timeoutSoonest()
	var first *reassembly.Record
	copies := 0
	for i := s.hand.n - 1 - c.Released; i >= 0 && c.Records[i].Time > since; i-- {
		r := &c.Records[i]
		if r.Dir != s.dir || r.Len == 0 {
			continue
		}
		if r.Kind != reassembly.SpuriousRetransmission || first != nil &&
			first.Time-r.Time < timer || !s.silentBefore(i, timer, r.End()) {
			break
		}
		u.Until = max(u.Until, r.Time)
		first = r
		copies++
	}
	if copies < unheardCopies {
		return Unheard{}
	}
	u.Again = first.Mark()
	return u
}

// silentBefore reports whether no acknowledgment of what ends at the given offset can have reached
// the sender in the time of a timer before the i-th record that is held, a copy of that: nothing
// came, or what did was on its way by then, so that it was lost or held up further on.
func (s *State) silentBefore(i int, timer time.Duration, end int64) bool {
	c := s.path.Conn
	at := c.Records[i].Time
	if s.AckedBy(at-timer) >= end {
		return true
	}
	for i--; i >= 0 && c.Records[i].Time > at-timer; i-- {
		if c.Records[i].Dir != s.dir {
			return false
		}
	}
	return true
}
