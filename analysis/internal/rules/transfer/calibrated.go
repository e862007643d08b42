package transfer

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/whatif"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

const (
	// offTrip is by how many percent of a round trip a simulation may be off: it does not know
	// where in a round the last octet lies.
	offTrip = 50
	// offWaits is the same in percent of the waits that it is to reproduce.
	offWaits = 20
)

// calibrated checks the simulation that a cost rests on against the transfer as it was: if it does
// not reproduce the waits nearly, what it says of another window is worth less. Then only the share
// that it saves is believed, and confidence is one level lower. used and want are the windows, in
// segments, that the transfer began with and that it would have begun with.
func calibrated(j *ledger.Exchange, cost *report.Cost, dir reassembly.Dir, used, want int64,
	confidence report.Confidence) report.Confidence {
	f := j.FlowOf(dir)
	t, _ := whatif.TransferOf(f)
	seen := windowWait(j, dir, report.RWnd) + j.TransferTime(dir)
	now := t.Simulate(used)
	off := max(now-seen, seen-now)
	if off <= max(f.RTT*offTrip/100, seen*offWaits/100) || now <= 0 {
		return confidence
	}
	share := 1 - float64(t.Simulate(want))/float64(now)
	cost.High = min(max(cost.High, cost.Expected)+f.RTT, max(seen, cost.High))
	cost.Expected = whatif.Clamp(time.Duration(share*float64(seen)), cost.High)
	if j.Spent(dir, report.RecoveryCwnd) > 0 { // else what a loss cost would count as saved, too
		cost.Expected = min(cost.Expected, max(0, now-t.Simulate(want)))
	}
	cost.Low = min(cost.Low, cost.Expected/2)
	if confidence == report.ConfidenceLow {
		return confidence
	}
	return confidence - 1
}

// windowWait is the time of dir's message under the label, and, for a sender that paces, what it
// spread its segments over: its window and its pace are one thing.
func windowWait(j *ledger.Exchange, dir reassembly.Dir, of report.Label) time.Duration {
	took, f := j.Spent(dir, of), j.FlowOf(dir)
	if !f.Paces {
		return took
	}
	if f.Rate <= 0 {
		took += j.Spent(dir, report.Serialize)
	}
	return took + j.Spent(dir, report.Paced)
}
