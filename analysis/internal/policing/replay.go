package policing

import (
	"slices"
	"time"
)

const (
	// clock is by how much the moments of two segments may be off beside each other: interrupts and
	// wake-ups move frames by a tenth of a millisecond.
	clock = 200 * time.Microsecond
	// slackParts: the tokens may be off by one of so many parts of a segment, and noiseParts is the
	// most that the clock may add: after a loss all that is known is that less than a segment was
	// left.
	slackParts, noiseParts = 2, 4
	// window is among how many segments before a loss that was not seen the moment is looked for at
	// which the bucket had least.
	window = 256
	// manyTimes a segment is more than one: several that came together.
	manyTimes = 2
	// unbounded is more than any bucket has.
	unbounded = 1e15
)

// slack is how many octets the tokens may be off.
func (f *fitting) slack(rate float64) float64 { return f.full/slackParts + f.noise(rate) }

// noise is how many octets the clock makes of that.
func (f *fitting) noise(rate float64) float64 {
	return min(f.full/noiseParts, rate*clock.Seconds())
}

// depth is how deep a bucket of that rate is at least, and by how much it may be deeper: what
// passed shows what it had; and what it lost, after more tokens had come than were used since the
// loss before, so that it had been full, that it had no segment more.
func (f *fitting) depth(rate float64) (depth, spare float64) {
	f.depths = f.depths[:0]
	slack, noise := f.slack(rate), f.noise(rate)
	tokens, used := float64(unbounded), 0.0 // since the last loss; since it was fullest
	low, high := 0.0, 0.0                   // the most used, by the loss before and since
	last := f.all[0].At
	for i := range f.all {
		a := &f.all[i]
		size, came := float64(a.Octets), rate*(a.At-last).Seconds()
		last = a.At
		tokens, used = tokens+came, max(0, used-came)
		if !a.Lost {
			tokens, used = tokens-size, used+size
			high = max(high, used)
		}
		f.left[i], f.used[i] = tokens, used
		if !a.Lost {
			continue
		}
		k := f.least(i)
		if f.left[k] > size+slack {
			f.depths = append(f.depths, f.used[k])
		}
		low = max(low, high)
		tokens, used, high = size/2+min(tokens, unbounded)-min(f.left[k], unbounded),
			max(0, used-f.used[k]), 0
	}
	least, most := densest(f.depths, f.full+noise, low-f.full-noise)
	depth = max(low, most)
	return depth, max(0, f.full-(depth-least))
}

// least is when the bucket had least in the time in which loss i was sent.
func (f *fitting) least(i int) int {
	k := i
	if !f.all[i].Unseen {
		return k
	}
	for j := i - 1; j >= max(0, i-window) && f.all[j].At >= f.all[i].Since; j-- {
		if !f.all[j].Lost && f.left[j] < f.left[k] {
			k = j
		}
	}
	return k
}

// densest is the window of the width, of values from low on, that has most of them: its least and
// its greatest value.
func densest(values []float64, width, low float64) (least, most float64) {
	slices.Sort(values)
	first, _ := slices.BinarySearch(values, low)
	values = values[first:]
	for i, j, n := 0, 0, 0; i < len(values); i++ {
		for j < len(values) && values[j] <= values[i]+width {
			j++
		}
		if j-i > n {
			n, least, most = j-i, values[i], values[j-1]
		}
	}
	return least, most
}

// replay counts what the bucket explains of the arrivals. Each loss and each passing sets its
// tokens right again.
func (f *fitting) replay(b *Bucket) {
	slack, depth := f.slack(b.Rate), max(b.Depth, f.full)+f.noise(b.Rate)
	tokens, lost := depth, false
	last := f.all[0].At
	for i := range f.all {
		a := &f.all[i]
		size, before := float64(a.Octets), tokens
		tokens = min(depth, tokens+b.Rate*(a.At-last).Seconds())
		last = a.At
		f.left[i] = tokens
		if !a.Lost {
			lost = false
			if size <= manyTimes*f.full {
				left := tokens
				if f.behind {
					left = before
				}
				b.pass(left, tokens, depth, size, slack)
			}
			tokens = max(0, tokens-size)
			f.left[i] = tokens
			continue
		}
		left := f.left[f.least(i)]
		if !lost {
			b.lose(left, depth, size, slack)
		}
		if !a.Unseen || left < size+slack {
			tokens -= max(0, min(tokens, left)-size)
		}
		lost = true
	}
}
