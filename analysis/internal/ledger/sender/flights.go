package sender

import (
	"time"

	"tcpwhy/reassembly"
)

// BeginsFlight reports whether r begins a flight that a window had held back for the time of gap,
// where the capture shows one direction only: the one before had ended with a full segment, and r
// left when an acknowledgment arrived. What had been sent before that flight was acknowledged.
func (s *State) BeginsFlight(r *reassembly.Record, gap time.Duration) bool {
	e := &s.echoes
	if !s.path.OneSided(s.dir) || !e.fresh || !s.last.full || s.stamps.tick == 0 ||
		gap < flightGap*freshTicks*s.stamps.tick {
		return false
	}
	took := r.Time - s.rounds.now.Start.Time
	if e.period == 0 || took < e.period {
		e.period = took
	}
	e.flight = true
	s.presume(s.rounds.now.From)
	return true
}

// flightEnds is what part of the pause before a flight ends it: segments of one flight are closer
// to each other (reasoning).
const flightEnds = 3

// FlightGrew reports whether the flight that r begins after a pause of gap is larger than the one
// before, as those of a congestion window are that grows. The last of all that is held may have
// more to come. The second flight of a message is the first that could have grown.
func (s *State) FlightGrew(r *reassembly.Record, gap time.Duration) bool {
	size, last := s.flight(r, gap/flightEnds)
	return (s.growth.slow || len(s.rounds.list) == 1) &&
		(last || size*100 >= s.rounds.now.Bytes*grewPercent)
}

// flight is how many octets leave with r, before a pause, and whether they are the last of all that
// is held.
func (s *State) flight(r *reassembly.Record, pause time.Duration) (size int64, last bool) {
	c := s.path.Conn
	at := r.Time
	for i := s.hand.n - c.Released; i < len(c.Records); i++ {
		o := &c.Records[i]
		if o.Dir != r.Dir || o.Len == 0 {
			continue
		}
		if o.Time-at > pause {
			return size, false
		}
		size, at = size+int64(o.Len), o.Time
	}
	return size, true
}

// FlightPeriod is the least time from one flight that an acknowledgment released to the next, where
// the capture shows one direction only; 0: not known.
func (s *State) FlightPeriod() time.Duration { return s.echoes.period }
