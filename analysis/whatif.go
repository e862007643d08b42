package analysis

import (
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

// windowTime is what dir's message spent waiting for a congestion window.
func (j *job) windowTime(dir reassembly.Dir) time.Duration {
	return j.spent(
		dir,
		report.SlowStart,
	) + j.spent(
		dir,
		report.SlowStartIdle,
	) + j.spent(
		dir,
		report.CongAvoid,
	) + j.spent(
		dir,
		report.RecoveryCwnd,
	)
}

// facts are what the transfer of dir's message showed; nil if it was too small to tell.
func (j *job) facts(dir reassembly.Dir) *flowFacts {
	if dir == reassembly.FromClient {
		return j.up
	}
	return &j.flow
}

// ideal is what the message of the given facts would have spent waiting for a window, and for the
// path, if nothing had been lost, and with or without the limit of the receive window. limited
// tells that the path is known to carry no more than was in flight, or twice that, which slow start
// would have reached without loss.
func (j *job) ideal(f *flowFacts, limited bool) time.Duration {
	t, used := f.transfer()
	used = max(used, usualInitial)
	if j.x.Index > 0 {
		// Slow start adds what is acknowledged (RFC 3465), but no more than was used.
		flight := max((f.flight+t.mss-1)/t.mss, usualInitial)
		used = max(used, flight, min(usualInitial+f.largest/t.mss, 2*flight))
	}
	t.window = 0
	if limited {
		t.window = max(f.flight, used*t.mss)
	}
	return t.simulate(used)
}

// transferTime is what ideal is to be compared with.
func (j *job) transferTime(dir reassembly.Dir) time.Duration {
	took := j.windowTime(dir)
	if j.facts(dir).rate > 0 {
		took += j.spent(dir, report.Serialize)
	}
	return took
}

// calibrated checks the simulation that a cost rests on against the transfer as it was: if it does
// not reproduce the waits within half a round trip or a fifth, what it says of another window is
// worth less. Then only the share that it saves is believed, and confidence is one level lower.
// used and want are the windows, in segments, that the transfer began with and that it would have
// begun with.
func (j *job) calibrated(
	cost *report.Cost,
	dir reassembly.Dir,
	used, want int64,
	confidence report.Confidence,
) report.Confidence {
	f := j.facts(dir)
	t, _ := f.transfer()
	seen := j.transferTime(dir) + j.spent(dir, report.RWnd)
	now := t.simulate(used)
	if off := max(now-seen, seen-now); off <= max(f.rtt/2, seen/5) || now <= 0 {
		return confidence
	}
	share := 1 - float64(t.simulate(want))/float64(now)
	cost.Expected = clamp(time.Duration(share*float64(seen)), cost.High)
	cost.Low = min(cost.Low, cost.Expected/2)
	if confidence == report.ConfidenceLow {
		return confidence
	}
	return confidence - 1
}

// clamp is d within [0, most].
func clamp(d, most time.Duration) time.Duration { return max(0, min(d, most)) }
