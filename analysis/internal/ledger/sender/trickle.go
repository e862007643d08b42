package sender

import (
	"time"

	"tcpwhy/reassembly"
)

// A message that fits into its sender's window leaves at once, and a slow link lets it through one
// segment after the other. Far from the sender each is acknowledged before the next one comes, as
// if nothing had been on its way. That they were sent before is told by their timestamps, or by
// their pace.

const (
	// trickleSure is how many times as long as its timestamp allows for a segment must have been
	// under way behind the one before (reasoning: the tick is a mean, and half of it is no doubt).
	trickleSure = 2
	// trickleTicks is how many ticks a clock must have shown before the length of one is known.
	trickleTicks = 4
	// trickleEven: without timestamps octets must take the same time but for one of so many parts
	// (reasoning: a link's frames and a busy host's stamps are off by less, programs by more).
	trickleEven = 8
	// trickleTrips is, without timestamps, for how many round trips a segment must last: a sender
	// that waits for each acknowledgment sends one in a round trip and what the link needs for it,
	// so that beyond two the link has most of that.
	trickleTrips = 2
	// optionSlack is what options take of a segment at most (RFC 9293 §3.1).
	optionSlack = 40
)

// trickle follows stretches of segments that a slow link let through one after the other.
type trickle struct {
	until int           // absolute number of the record up to which they have been looked for
	going bool          // those before are such a stretch
	best  float64       // nanoseconds for an octet of data at the best rate; 0: not known
	first uint32        // the first timestamp
	at    time.Duration // when that passed
	any   bool          // there was one
}

// stamped takes note of the sender's clock.
func (t *trickle) stamped(r *reassembly.Record) {
	if !t.any && r.Trait.Has(reassembly.HasTS) {
		t.first, t.at, t.any = r.TSVal, r.Time, true
	}
}

// tick is how long the timestamp of r's sender stays the same, at most: r may have waited; 0 if
// that is not known.
func (t *trickle) tick(r *reassembly.Record) time.Duration {
	ticks := time.Duration(int32(r.TSVal - t.first))
	if !t.any || ticks < trickleTicks || r.Time-t.at > stampsWrap {
		return 0
	}
	return (r.Time - t.at) / ticks
}

// stretch is one that is looked at.
type stretch struct {
	last   *reassembly.Record // of it
	n      int                // segments behind the first
	took   time.Duration      // since the first
	wire   int64              // octets behind the first, headers included
	data   int64              // those of data
	unsure bool               // there are no timestamps: its pace alone tells
	uneven bool               // a path that others use, too, gives it a share at a time
}

// end takes note of a stretch that ended before record n.
func (t *trickle) end(g *stretch, n int) {
	t.until = max(t.until, n)
	if g.n < aheadLeast {
		return
	}
	if t.going = true; g.uneven {
		return
	}
	if per := float64(g.took) / float64(g.data); t.best == 0 || per < t.best {
		t.best = max(per, 1e-3)
	}
}

// perWire is how long octets take at the pace of a stretch; gap, if they are its first.
func (g *stretch) perWire(gap time.Duration, wire int64) time.Duration {
	if g.n == 0 {
		return gap
	}
	return time.Duration(float64(g.took) * float64(wire) / float64(g.wire))
}

// near reports whether a is no further from b than by.
func near(a, b, by time.Duration) bool { return a-b <= by && b-a <= by }
