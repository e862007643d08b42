package sender

import (
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// Trickles reports whether r, the record in hand, is one of those that a slow link let through one
// after the other, where its rate does not show otherwise, or nothing seems to have been on its way.
func (s *State) Trickles(r *reassembly.Record) bool {
	if s.rates.segments.perSegment() > 0 && s.known.ack < s.stream.before {
		return false // BackToBack knows
	}
	t := &s.rates.trickle
	if s.hand.n >= t.until {
		s.lookForTrickle()
	}
	s.hand.trickled = t.going && r.Kind == reassembly.Plain
	return s.hand.trickled
}

// lookForTrickle looks for a stretch that goes on with the record in hand, as far as records are
// held.
func (s *State) lookForTrickle() {
	t, c := &s.rates.trickle, s.path.Conn
	t.going, t.until = false, s.hand.n+1
	g := stretch{last: s.lastRecord()}
	if g.last == nil {
		return
	}
	i := s.hand.n - c.Released
	for ; i < len(c.Records) && g.n < aheadMost; i++ {
		r := &c.Records[i]
		switch {
		case r.Len == 0:
			continue
		case r.Dir != s.dir, !s.goesOn(&g, i):
			t.end(&g, c.Released+i)
			return
		}
	}
	t.end(&g, c.Released+i)
}

// lastRecord is the record of the last new segment with data, if it is held.
func (s *State) lastRecord() *reassembly.Record {
	c := s.path.Conn
	for i := s.hand.n - 1 - c.Released; i >= 0; i-- {
		if r := &c.Records[i]; r.Dir == s.dir && r.Frame == s.last.Frame {
			return r
		}
	}
	return nil
}

// goesOn reports whether held record i goes on with a stretch, and takes it in.
func (s *State) goesOn(g *stretch, i int) bool {
	r := &s.path.Conn.Records[i]
	gap := r.Time - g.last.Time
	if r.Kind != reassembly.Plain || r.Seq != g.last.End() || r.Len > s.mss() || gap <= 0 {
		return false
	}
	wire := int64(r.Len) + s.headers(r)
	due := g.perWire(gap, wire)
	switch {
	case !r.Trait.Has(reassembly.HasTS):
		g.unsure = true
		if !s.evenly(g, r, due) {
			return false
		}
	case g.unsure || !s.sentBehind(g.last, r, gap) && !s.unheard(r, i),
		gap > evenTimes*due+evenSlack:
		return false
	}
	full := r.Trait.Has(reassembly.Full) // a header section, or an end, was perhaps written later
	g.uneven = g.uneven || full && !near(gap, due, due/trickleEven)
	g.last, g.n = r, g.n+1
	g.took, g.wire, g.data = g.took+gap, g.wire+wire, g.data+int64(r.Len)
	return true
}

// evenly reports whether r, without a timestamp, came when it was due after a full segment, so late
// that the link was most of that. What counts as full must be what the peer takes: a program that
// writes pieces of one size seems to fill its segments, too.
func (s *State) evenly(g *stretch, r *reassembly.Record, due time.Duration) bool {
	gap, most := r.Time-g.last.Time, int64(s.path.Conn.Half[s.dir.Peer()].MSS)
	if !g.last.Trait.Has(reassembly.Full) || most == 0 || int64(s.mss()) < most-optionSlack {
		return false
	}
	slow := gap >= trickleTrips*s.path.Conn.RTTMin()
	return near(gap, due, due/trickleEven) && (slow || !r.Trait.Has(reassembly.Full))
}

// sentBehind reports whether r was sent right behind last, by their timestamps, though it came gap
// after it.
func (s *State) sentBehind(last, r *reassembly.Record, gap time.Duration) bool {
	tick := s.stamps.tick
	if tick == 0 {
		tick = s.rates.trickle.tick(r)
	}
	ticks := time.Duration(int32(r.TSVal - last.TSVal))
	return tick > 0 && ticks >= 0 && trickleSure*(ticks+1)*tick <= gap
}

// unheard reports whether the sender of r, held record i, had not heard yet of an acknowledgment
// that passed long before, by the timestamp that r echoes (RFC 7323 §4.3): r, or what it waited
// for, was on its way.
func (s *State) unheard(r *reassembly.Record, i int) bool {
	by := r.Time - s.far() - s.reaction(r)
	for i--; i >= 0; i-- {
		a := &s.path.Conn.Records[i]
		if a.Dir == s.dir || a.Time > by {
			continue
		}
		return a.PureAck() && a.Flags&(capture.SYN|capture.RST) == 0 &&
			a.Trait.Has(reassembly.HasTS) && int32(a.TSVal-r.TSEcr) > 0
	}
	return false
}
