package ledger

import (
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

// Spent is what the message of dir took under label l, one of a transfer's.
func (j *Account) Spent(dir reassembly.Dir, l report.Label) time.Duration {
	up := j.UploadTimes[l-FirstOfTransfer]
	if dir == reassembly.FromClient {
		return up
	}
	return max(0, j.Times[l]-up)
}

// WindowTime is what dir's message spent waiting for a window of its sender: the congestion window,
// or less than that.
func (j *Account) WindowTime(dir reassembly.Dir) time.Duration {
	return j.Spent(dir, report.SlowStart) + j.Spent(dir, report.SlowStartIdle) +
		j.Spent(dir, report.CongAvoid) + j.Spent(dir, report.RecoveryCwnd) +
		j.Spent(dir, report.SendLimit)
}

// KeptBack is what dir's message waited for flow control of HTTP/2, if it is known what that allowed
// in flight: then a simulation of its transfer waits as well. Where both messages did, it is 0.
func (j *Account) KeptBack(dir reassembly.Dir) time.Duration {
	own, other := j.FlowOf(dir), j.FlowOf(dir.Peer())
	if own == nil || len(own.Allowed) == 0 || other != nil && len(other.Allowed) > 0 {
		return 0
	}
	return j.Times[report.H2Window]
}

// TransferTime is what dir's message spent waiting for such a window, and for the path, if
// what that carries is known: what a simulation of its transfer is to be compared with.
func (j *Account) TransferTime(dir reassembly.Dir) time.Duration {
	took := j.WindowTime(dir)
	if j.FlowOf(dir).Rate > 0 {
		took += j.Spent(dir, report.Serialize)
	}
	return took
}
