package whatif

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/report"
)

const (
	// fullParts: a path was full at times if one of so many parts of a busy period was waiting for
	// its rate, or if round trips grew by one of so many parts of the least.
	fullParts, queueParts = 10, 2
	// leastQueue is from how much longer round trips on a queue shows.
	leastQueue = 20 * time.Millisecond
)

// LossDelay is what losses cost an exchange that shares its connection with others: by how much
// sooner it would have been over without.
type LossDelay struct {
	Cost report.Cost
	// Part is how much of its waits for repairs that was, of its own octets and of others': 1
	// unless the path was busy meanwhile with what had been sent behind what was lost.
	Part float64
	// Window is what remains of Cost for waits behind octets that the smaller window held back.
	Window time.Duration
	Loss   ledger.Wait // the latest repair that was part of it
}

// LossDelayOf is that of an exchange.
func LossDelayOf(j *ledger.Account) LossDelay {
	d := LossDelay{Part: 1}
	if len(j.Losses) == 0 {
		return d
	}
	var delay, sure, most time.Duration
	for i := range j.Losses {
		b := &j.Losses[i]
		by, full := delayed(b)
		delay, most = delay+by, most+unclaimed(&b.Until)-unclaimed(&b.From)
		if !full {
			sure += by / 2
		}
		if by > 0 {
			d.Loss = b.Loss
		}
	}
	repairs := j.Sum(report.FastRetx, report.RTO, report.TLP, report.LostRetx, report.H2HOL)
	behind := j.Sum(report.H2Mux, report.Serialize, report.Paced, report.SlowStart,
		report.SlowStartIdle, report.CongAvoid, report.RecoveryCwnd, report.SendLimit, report.RWnd)
	most = max(0, min(most, repairs+behind))
	delay = Clamp(delay, most)
	d.Cost = report.Cost{Low: min(sure, delay), Expected: delay, High: most}
	if repairs > 0 {
		d.Part = min(1, float64(delay)/float64(repairs))
	}
	d.Window = max(0, delay-repairs)
	return d
}

// unclaimed is the time of a busy period that losses may have cost.
func unclaimed(p *ledger.Progress) time.Duration { return p.Repairs + p.After }

// delayed is by how much more a busy period was late at the end of an exchange than at its
// beginning. full tells that the path was full at times, or a queue grew.
func delayed(b *ledger.Busy) (by time.Duration, full bool) {
	f := &b.Flow
	full = b.Until.Path*fullParts >= b.Until.Window && b.Until.Path > 0 && f.Rate > 0 ||
		f.Queue >= max(f.RTT/queueParts, leastQueue)
	return max(0, late(b, &b.Until, full)-late(b, &b.From, full)), full
}

// late is by how much a busy period was late when it had come so far: what it took, less what its
// octets would have needed without losses, under the receive window if that held it back.
func late(b *ledger.Busy, p *ledger.Progress, full bool) time.Duration {
	took, f := p.Window+p.Repairs, b.Flow
	if f.Rate > 0 {
		took += p.Path
	}
	f.Bytes = p.Octets
	t, used := idealOf(&f, full)
	if b.Until.Room > 0 {
		offered, _ := TransferOf(&f)
		if t.Window == 0 || !offered.Grows && offered.Window > 0 && offered.Window < t.Window {
			t.Window, t.Grows = offered.Window, offered.Grows
		}
	}
	return Clamp(took-t.Simulate(used), unclaimed(p))
}
