package analysis

import (
	"time"

	"tcpwhy/reassembly"
)

// rateSpan is over how many full segments a rate is measured: fewer would mistake a burst for the path's rate.
const rateSpan = 10

// rate follows the delivery rate: the best over rateSpan full segments in a row.
type rate struct {
	times [rateSpan]time.Duration
	n     int
	best  time.Duration // least time over which rateSpan-1 full segments passed; 0: not known
	ahead time.Duration // for a segment, by what the message in hand began with; 0: not known
}

// add takes note of a segment. counts tells that it is a full wire segment, and that others were on their way: after
// a pause nothing tells how fast the path is.
func (p *rate) add(r *reassembly.Record, counts bool) {
	if !counts {
		p.n = 0
		return
	}
	p.times[p.n%rateSpan] = r.Time
	p.n++
	if p.n < rateSpan {
		return
	}
	if span := r.Time - p.times[p.n%rateSpan]; (p.best == 0 || span < p.best) && p.even(span) {
		p.best = max(span, 1)
	}
}

// even reports whether the segments came at about the same distance. A wait among them is not the path's doing.
func (p *rate) even(span time.Duration) bool {
	for i := 1; i < rateSpan; i++ {
		gap := p.times[(p.n+i)%rateSpan] - p.times[(p.n+i-1)%rateSpan]
		if gap > 2*span/(rateSpan-1)+time.Millisecond/10 {
			return false
		}
	}
	return true
}

// perSegment is the time that one full segment takes at the best rate seen; 0: not known.
func (p *rate) perSegment() time.Duration {
	if p.best > 0 {
		return p.best / (rateSpan - 1)
	}
	return p.ahead
}

// lookAhead learns the rate from the segments that follow record n within a round trip. No acknowledgment of this
// message can have released them, so they left together, and the path spaced them.
func (p *rate) lookAhead(c *reassembly.Conn, n int) {
	p.ahead = 0
	first := c.Records[n-c.Released]
	eff := c.Half[first.Dir].Eff
	last, most, count := first.Time, time.Duration(0), 0
	for i := n + 1 - c.Released; i < len(c.Records) && count < 4*rateSpan; i++ {
		r := &c.Records[i]
		if r.Time-first.Time >= c.RTTMin() {
			break
		}
		if r.Dir != first.Dir || r.Len == 0 {
			continue
		}
		if r.Len > eff || !r.Trait.Has(reassembly.Full) || r.Kind != reassembly.Plain {
			break
		}
		most, last = max(most, r.Time-last), r.Time
		count++
	}
	if count < 3 || most > 2*(last-first.Time)/time.Duration(count)+time.Millisecond/10 {
		return
	}
	p.ahead = (last - first.Time) / time.Duration(count)
}

// ackRate follows how fast acknowledgments come back. At the sender's host segments leave in bursts, and only the
// acknowledgments show the path's rate.
type ackRate struct {
	from int64
	at   time.Duration
	best float64 // nanoseconds for an octet; 0: not known
}

// add takes note of an acknowledgment of what was sent at the given moment. It never overestimates the time that an
// octet takes: only what was sent before the first acknowledgment of a stretch counts, as nothing of that waited for
// an acknowledgment, and the shortest stretch counts.
func (p *ackRate) add(ack int64, at, sent time.Duration, mss int64) {
	if p.at == 0 || ack < p.from || sent > p.at {
		p.from, p.at = ack, at
		return
	}
	n := ack - p.from
	if mss == 0 || n < (rateSpan-1)*mss {
		return
	}
	if per := float64(at-p.at) / float64(n); p.best == 0 || per < p.best {
		p.best = max(per, 1e-3)
	}
	p.from, p.at = ack, at
}

// pathRate is how many octets a second the path carries from this sender, as far as segments and acknowledgments show
// it; 0: not known. Segments cannot show less than average, the rate at which the whole message passed.
func (s *sender) pathRate(mss int64, average float64) float64 {
	per := s.ackRate.best
	if mss > 0 && s.rate.best > 0 {
		shown := float64(s.rate.best) / float64(mss*(rateSpan-1))
		if average > 0 {
			shown = min(shown, 1e9/average)
		}
		per = max(per, shown)
	}
	if per <= 0 {
		return 0
	}
	return 1e9 / per
}
