package sender

import (
	"math"
	"time"

	"tcpwhy/reassembly"
)

// rateSpan is over how many full segments a rate is measured: fewer would mistake a burst for the
// path's rate.
const rateSpan = 10

const (
	// ranksFaster is one in how many stretches is faster than the one that is asked for: what came
	// at once behind a standstill is less of a transfer (reasoning). ranksMost is of how many,
	// evenly spread over the transfer, ranksKept of the fastest are remembered: twice as many as
	// are asked for, so that half of them are left when half of the stretches are forgotten.
	// ranksLeast is from how many on they are ranked.
	ranksFaster = 10
	ranksMost   = 80
	ranksKept   = 2 * ranksMost / ranksFaster
	ranksLeast  = 30
)

// rates are how fast the path carries what a sender sends, as far as segments and acknowledgments
// show it.
type rates struct {
	segments segmentRate
	acks     ackRate
	trickle  trickle
}

// perSecond is how many octets a second the path carries; 0: not known. Segments cannot show less
// than average, the rate at which the whole message passed; 0: that is not known.
func (p *rates) perSecond(mss int64, average float64) float64 {
	per := p.acks.ranks.rate(p.acks.best)
	if g := &p.segments; mss > 0 && g.best > 0 {
		shown := g.ranks.rate(g.segment(g.best)) / float64(mss)
		if average > 0 {
			shown = min(shown, 1e9/average)
		}
		per = max(per, shown)
	}
	if per <= 0 {
		per = p.trickle.best
	}
	if per <= 0 {
		return 0
	}
	return 1e9 / per
}

// ranks tells how fast nine in ten stretches of a transfer are at most: behind a standstill of the
// path, or of the capture, what had waited comes at once, and a late acknowledgment shortens the
// stretch after it.
type ranks struct {
	least [ranksKept]float32 // nanoseconds for an octet, or a segment, fastest first
	n     int                // stretches of which those are the fastest
	every uint8              // one of 2^every stretches is among them
	all   uint64             // stretches
}

// add takes note of a stretch.
func (k *ranks) add(per float64) {
	k.all++
	if (k.all-1)&(1<<k.every-1) != 0 {
		return
	}
	i := min(k.n, ranksKept)
	for i > 0 && k.least[i-1] > float32(per) {
		i--
	}
	if i < ranksKept {
		copy(k.least[i+1:], k.least[i:ranksKept-1])
		k.least[i] = float32(per)
	}
	if k.n++; k.n == ranksMost {
		k.thin()
	}
}

// thin forgets every other stretch. The one that a tenth is faster than stays that.
func (k *ranks) thin() {
	for i := range k.least {
		k.least[i] = math.MaxFloat32 // not known
		if i < ranksKept/2 {
			k.least[i] = k.least[2*i]
		}
	}
	k.n, k.every = ranksMost/2, k.every+1
}

// rate is nanoseconds for as much; best, that of the fastest stretch, where there were too few: in
// slow start the last few are the only ones that the path bounded.
func (k *ranks) rate(best float64) float64 {
	if k.n < ranksLeast {
		return best
	}
	return max(best, float64(k.least[k.n/ranksFaster]))
}

// Segments that the path spaces come at about the same distance: none at more than evenTimes the
// mean and evenSlack. Both rest on reasoning: twice the mean means that one was not sent in time,
// and a capture's clock and interrupts move frames by a tenth of a millisecond.
const (
	evenTimes = 2
	evenSlack = time.Millisecond / 10
)

const (
	// aheadLeast is from how many segments of a burst on its pace is believed, aheadMost how many
	// are looked at (reasoning: a mean of fewer than three says nothing, and forty say it all).
	aheadLeast = 3
	aheadMost  = 4 * rateSpan
)

// segmentRate follows the delivery rate: the best over rateSpan full segments in a row.
type segmentRate struct {
	times [rateSpan]time.Duration
	n     int
	best  time.Duration // least time over which rateSpan-1 full segments passed; 0: not known
	ahead time.Duration // for a segment, by what the message in hand began with; 0: not known
	// n from which the next stretch that has no segment in common with those ranked is complete
	next  int
	ranks ranks
}

// add takes note of a segment. counts tells that it is a full wire segment, and that others were on
// their way: after a pause nothing tells how fast the path is.
func (p *segmentRate) add(r *reassembly.Record, counts bool) {
	if !counts {
		p.n, p.next = 0, 0
		return
	}
	p.times[p.n%rateSpan] = r.Time
	p.n++
	if p.n < rateSpan {
		return
	}
	span := r.Time - p.times[p.n%rateSpan]
	if p.known() && span >= p.best && p.n < p.next || !p.even(span) {
		return
	}
	if !p.known() || span < p.best {
		p.best = max(span, 1)
	}
	if p.n >= p.next {
		p.next = p.n + rateSpan - 1
		p.ranks.add(p.segment(span))
	}
}

// known reports whether a stretch showed the rate.
func (p *segmentRate) known() bool { return p.best > 0 }

// even reports whether the segments came at about the same distance. A wait among them is not the
// path's doing.
func (p *segmentRate) even(span time.Duration) bool {
	for i := 1; i < rateSpan; i++ {
		gap := p.times[(p.n+i)%rateSpan] - p.times[(p.n+i-1)%rateSpan]
		if gap > evenTimes*span/(rateSpan-1)+evenSlack {
			return false
		}
	}
	return true
}

// perSegment is the time that one full segment takes at the best rate seen; 0: not known.
func (p *segmentRate) perSegment() time.Duration {
	if p.known() {
		return time.Duration(p.ranks.rate(p.segment(p.best)))
	}
	return p.ahead
}

// segment is the part of a stretch's span that one segment took, in nanoseconds.
func (p *segmentRate) segment(span time.Duration) float64 { return float64(span) / (rateSpan - 1) }

// lookAhead learns the rate from the segments that follow record n within a round trip. No
// acknowledgment of this message can have released them, so they left together, and the path spaced
// them.
func (p *segmentRate) lookAhead(c *reassembly.Conn, n int) {
	p.ahead = 0
	first := &c.Records[n-c.Released]
	eff := c.Half[first.Dir].Eff
	last, most, count := first.Time, time.Duration(0), 0
	for i := n + 1 - c.Released; i < len(c.Records) && count < aheadMost; i++ {
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
	if count < aheadLeast ||
		most > evenTimes*(last-first.Time)/time.Duration(count)+evenSlack {
		return
	}
	p.ahead = (last - first.Time) / time.Duration(count)
}

// ackRate follows how fast acknowledgments come back. At the sender's host segments leave in
// bursts, and only the acknowledgments show the path's rate.
type ackRate struct {
	from int64
	at   time.Duration
	best float64 // nanoseconds for an octet; 0: not known
	// ranks are those of all stretches.
	ranks ranks
}

// add takes note of an acknowledgment of what was sent at the given moment. It never overestimates
// the time that an octet takes: only what was sent before the first acknowledgment of a stretch
// counts, as nothing of that waited for an acknowledgment, and the shortest stretch counts.
func (p *ackRate) add(ack int64, at, sent time.Duration, mss int64) {
	if p.at == 0 || ack < p.from || sent > p.at {
		p.from, p.at = ack, at
		return
	}
	n := ack - p.from
	if mss == 0 || n < (rateSpan-1)*mss {
		return
	}
	per := float64(at-p.at) / float64(n)
	if p.best == 0 || per < p.best {
		p.best = max(per, 1e-3)
	}
	p.ranks.add(per)
	p.from, p.at = ack, at
}
