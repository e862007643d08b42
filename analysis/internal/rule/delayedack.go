package rule

import (
	"slices"
	"time"
)

// LatestDelayedAck is how late a host's acknowledgments may be, by some of its delays. Those of a
// timer agree; where a clock ticks for all connections (4.4BSD, lwIP) they are anything up to its
// period, and that is more than the longest of few.
func LatestDelayedAck(delays []time.Duration) time.Duration {
	most := slices.Max(delays)
	if _, fixed := DelackTimer(delays); fixed {
		return most
	}
	return most + most/time.Duration(len(delays))
}

// DelackTimer is what the delays say of a host's timer: the middle one, if two thirds are within a
// third of it; false if they say nothing. Four are needed: one of them may belong to the hold that
// is to be judged.
func DelackTimer(delays []time.Duration) (time.Duration, bool) {
	if len(delays) < 4 {
		return 0, false
	}
	sorted := slices.Clone(delays)
	slices.Sort(sorted)
	middle := sorted[len(sorted)/2]
	near := 0
	for _, d := range sorted {
		if NearTimer(d, middle) {
			near++
		}
	}
	return middle, near*3 >= len(sorted)*2
}

// NearTimer reports whether a delay may be that of a timer: timers are late by a tick or two, never
// much early.
func NearTimer(d, timer time.Duration) bool { return d*4 >= timer*3 && d*3 <= timer*4 }
