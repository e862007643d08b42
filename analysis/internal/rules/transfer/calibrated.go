package transfer

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/whatif"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

// calibrated checks the simulation that a cost rests on against the transfer as it was: if it does
// not reproduce the waits within half a round trip or a fifth, what it says of another window is
// worth less. Then only the share that it saves is believed, and confidence is one level lower.
// used and want are the windows, in segments, that the transfer began with and that it would have
// begun with.
func calibrated(j *ledger.Exchange, cost *report.Cost, dir reassembly.Dir, used, want int64,
	confidence report.Confidence) report.Confidence {
	f := j.Facts(dir)
	t, _ := whatif.TransferOf(f)
	seen := j.TransferTime(dir) + j.Spent(dir, report.RWnd)
	now := t.Simulate(used)
	if off := max(now-seen, seen-now); off <= max(f.Rtt/2, seen/5) || now <= 0 {
		return confidence
	}
	share := 1 - float64(t.Simulate(want))/float64(now)
	cost.Expected = whatif.Clamp(time.Duration(share*float64(seen)), cost.High)
	cost.Low = min(cost.Low, cost.Expected/2)
	if confidence == report.ConfidenceLow {
		return confidence
	}
	return confidence - 1
}
