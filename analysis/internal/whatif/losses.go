package whatif

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/report"
)

// fullParts: a path was full at times if one of so many parts of a busy period was waiting for its
// rate, or if round trips grew by one of so many parts of the least.
const fullParts, queueParts = 10, 2

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
	// clock is by what its connection was late when that was over, and not yet when it began: the
	// first second that it was late by stands for the first that it waited behind a loss. So
	// exchanges that were late by the same have the same clock.
	clock []report.Interval
}

// repairs are the labels of waits until something that had been lost had been repaired.
var repairs = [...]report.Label{
	report.FastRetx, report.RTO, report.TLP, report.LostRetx, report.H2HOL,
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
		full := wasFull(b)
		from, until := late(b, &b.From, full), late(b, &b.Until, full)
		by := max(0, until-from)
		delay, most = delay+by, most+unclaimed(&b.Until)-unclaimed(&b.From)
		if !full {
			sure += by / 2
		}
		if by > 0 {
			d.Loss = b.Loss
			d.clock = append(d.clock, part(b.Waited, from, by)...)
		}
	}
	repaired := j.Sum(repairs[:]...)
	behind := j.Sum(report.H2Mux, report.Serialize, report.Paced, report.SlowStart,
		report.SlowStartIdle, report.CongAvoid, report.RecoveryCwnd, report.SendLimit, report.RWnd)
	most = max(0, min(most, repaired+behind))
	delay = Clamp(delay, most)
	d.Cost = report.Cost{Low: min(sure, delay), Expected: delay, High: most}
	if repaired > 0 {
		d.Part = min(1, float64(delay)/float64(repaired))
	}
	d.Window = max(0, delay-repaired)
	return d
}

// OfRepair is when, by the clock, the exchange was late by what a wait for a repair cost it; nil if
// it shows in no busy period.
func (d *LossDelay) OfRepair(j *ledger.Exchange, w *ledger.Wait) []report.Interval {
	var before time.Duration
	for _, o := range j.WaitsWith(repairs[:]...) {
		if o.From < w.From {
			before += o.Length()
		}
	}
	return part(d.clock, d.late(before), d.late(w.Length()))
}

// OfWindow is when, by the clock, the exchange was late by the last of what losses cost it.
func (d *LossDelay) OfWindow() []report.Interval {
	return part(d.clock, d.Cost.Expected-d.Window, d.Window)
}

// late is what of a wait for a repair made the exchange late.
func (d *LossDelay) late(wait time.Duration) time.Duration {
	return time.Duration(float64(wait) * d.Part)
}

// part is so much of stretches of time, behind so much of them.
func part(all []report.Interval, behind, length time.Duration) (out []report.Interval) {
	for _, i := range all {
		skipped := min(behind, i.To-i.From)
		i.From, behind = i.From+skipped, behind-skipped
		i.To = min(i.To, i.From+length)
		if i.To > i.From {
			out, length = append(out, i), length-(i.To-i.From)
		}
	}
	return out
}

// unclaimed is the time of a busy period that losses may have cost.
func unclaimed(p *ledger.Progress) time.Duration { return p.Repairs + p.After }

// wasFull reports whether the path was full at times, or a queue grew.
func wasFull(b *ledger.Busy) bool {
	f := &b.Flow
	return b.Until.Path*fullParts >= b.Until.Window && b.Until.Path > 0 && f.Rate > 0 ||
		f.Queue >= max(f.RTT/queueParts, ledger.QueueShows)
}

// late is by how much a busy period was late when it had come so far: what it took, less what its
// octets would have needed without losses, under the receive window if that held it back, and as
// flow control of HTTP/2 would have allowed.
func late(b *ledger.Busy, p *ledger.Progress, full bool) time.Duration {
	took, f := p.Window+p.Repairs, b.Flow
	if len(f.Allowed) > 0 {
		took += p.Kept
	}
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
