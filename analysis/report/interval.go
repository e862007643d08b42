package report

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// EndOfTime is after every moment of a capture.
const EndOfTime = time.Duration(math.MaxInt64)

// Interval is a stretch of time since the first frame.
type Interval struct{ From, To time.Duration }

// Union is the same set in intervals that are apart and in order. It reorders its argument.
func Union(all []Interval) []Interval {
	slices.SortFunc(all, func(a, b Interval) int { return cmp.Compare(a.From, b.From) })
	out := all[:0]
	for _, k := range all {
		switch n := len(out); {
		case k.To <= k.From:
		case n > 0 && k.From <= out[n-1].To:
			out[n-1].To = max(out[n-1].To, k.To)
		default:
			out = append(out, k)
		}
	}
	return out
}
