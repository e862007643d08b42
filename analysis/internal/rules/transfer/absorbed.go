package transfer

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

// An application that writes a message in parts, each at its own time, pauses in between. A loss
// that is repaired before it writes again has cost nothing: without it, the pause would have begun
// sooner and ended when it did. Only what came after the last pause, and by how much a part made
// the next one late, is saved without the loss. A write that had to wait for room in the send
// buffer makes the next one late; when the next one is due, other parts show.

// schedule is when the parts of a message were written, as far as pauses show.
type schedule struct {
	ends []time.Duration // of the pauses, in order: a part begins with each
	left []time.Duration // by part: what losses in it may have cost yet; one more than ends
}

const (
	// sameTimes is how many parts must take equally long for their application to have written them
	// by a clock: two may by chance.
	sameTimes = 3
	// sameParts is how equal that is: they differ by less than one of so many parts.
	sameParts = 40
	// pauseTrips is from how many round trips on a pause is certainly the application's: what waits
	// for acknowledgments goes on within one, and the queue before it.
	pauseTrips = 2
)

// scheduleOf is that of the message of dir's sender; it has no pauses if none shows.
func scheduleOf(j *ledger.Exchange, c *reassembly.Conn, dir reassembly.Dir) schedule {
	var s schedule
	m := j.Message(dir)
	if m == nil || j.Until <= m.Start.Time {
		return s
	}
	all := partPauses(j, dir)
	var took []time.Duration
	at := m.Start.Time
	least := pauseTrips * c.RTTMin()
	for i := range all {
		if all[i].Length() >= least && all[i].To > at {
			took, at = append(took, all[i].To-at), all[i].To
		}
	}
	if len(took) == 0 {
		return s
	}
	usual, regular := usually(took)
	switch {
	case regular:
	case j.Shared: // octets of others may look like a pause of this one
		return s
	default:
		usual = undisturbed(j, dir, all, took, least)
	}
	at = m.Start.Time
	for i := range all {
		w := &all[i]
		late, onTime := lateBy(w.To-at, usual, regular)
		if w.Length() < least && !onTime || w.To <= at {
			continue
		}
		s.ends, s.left, at = append(s.ends, w.To), append(s.left, late), w.To
	}
	s.left = append(s.left, max(0, j.Until-at))
	if regular {
		s.hidden(j, c, all, m.From, m.To, usual)
	}
	return s
}

// partPauses are the pauses of the application inside the message of dir's sender. Octets of others
// on the connection divide none.
func partPauses(j *ledger.Exchange, dir reassembly.Dir) []ledger.Wait {
	var out []ledger.Wait
	for _, w := range j.WaitsWith(ledger.Pause(dir), report.StreamIdle) {
		if w.Dir != dir {
			continue
		}
		if n := len(out); j.Shared && n > 0 && w.From-out[n-1].To < time.Millisecond {
			out[n-1].To, out[n-1].End = w.To, w.End
			continue
		}
		out = append(out, w)
	}
	return out
}

// usually is the least that parts took. regular tells that others took as long.
func usually(took []time.Duration) (least time.Duration, regular bool) {
	least = took[0]
	for _, d := range took {
		least = min(least, d)
	}
	n := 0
	for _, d := range took {
		if d-least <= least/sameParts {
			n++
		}
	}
	return least, n >= sameTimes
}

// undisturbed is the most that a part took in which nothing was lost; the least of all if something
// was lost in every one.
func undisturbed(
	j *ledger.Exchange, dir reassembly.Dir, all []ledger.Wait, took []time.Duration,
	least time.Duration,
) time.Duration {
	usual, _ := usually(took)
	lost := j.WaitsWith(report.FastRetx, report.RTO, report.TLP, report.LostRetx,
		report.RecoveryCwnd, report.H2HOL)
	at := j.Message(dir).Start.Time
	for i := range all {
		w := &all[i]
		if w.Length() < least || w.To <= at {
			continue
		}
		disturbed := false
		for k := range lost {
			disturbed = disturbed || lost[k].From < w.To && lost[k].To > at
		}
		if !disturbed {
			usual = max(usual, w.To-at)
		}
		at = w.To
	}
	return usual
}

// lateBy is by how much the end of a pause was late that came so long after the one before. onTime
// tells that it came when the application's clock said so: other parts were written meanwhile,
// without a pause before them.
func lateBy(after, usual time.Duration, regular bool) (late time.Duration, onTime bool) {
	if !regular || usual <= 0 {
		return max(0, after-usual), false
	}
	off := after % usual
	if off <= usual/sameParts && after >= usual || usual-off <= usual/sameParts {
		return 0, true
	}
	return max(0, min(off, after-usual)), false
}

// hidden takes from what is left of the last part what the parts in it took by the clock of the
// application that were written without a pause before them: it has so many times the octets of a
// part.
func (s *schedule) hidden(
	j *ledger.Exchange, c *reassembly.Conn, all []ledger.Wait, from, to int64,
	usual time.Duration,
) {
	part, at := int64(0), from
	for i := range all {
		r := ledger.RecordOf(c, all[i].End)
		if r == nil || !s.starts(all[i].To) || r.Seq <= at {
			continue
		}
		if part == 0 || r.Seq-at < part {
			part = r.Seq - at
		}
		at = r.Seq
	}
	if part > 0 {
		last := &s.left[len(s.left)-1]
		more := time.Duration((to - at + part/2) / part)
		*last = max(0, *last-max(0, more-1)*usual)
	}
}

// starts reports whether a part begins at the given moment.
func (s *schedule) starts(at time.Duration) bool {
	for _, e := range s.ends {
		if e == at {
			return true
		}
	}
	return false
}

// paused reports whether there were pauses at all.
func (s *schedule) paused() bool { return len(s.ends) > 0 }

// take is how much of what was lost at the given moment the end of the message was late by.
func (s *schedule) take(at, lost time.Duration) time.Duration {
	if !s.paused() {
		return lost
	}
	i := 0
	for i < len(s.ends) && s.ends[i] <= at {
		i++
	}
	got := min(lost, s.left[i])
	s.left[i] -= got
	return got
}

// most is how much of it all can have been late, less what was taken.
func (s *schedule) most() (sum time.Duration) {
	for _, d := range s.left {
		sum += d
	}
	return sum
}

// cost is what remains of the cost of a wait at the given moment.
func (s *schedule) cost(at time.Duration, cost report.Cost) (report.Cost, bool) {
	was := cost.Expected
	cost.Expected = s.take(at, was)
	if cost.Expected == was {
		return cost, false
	}
	cost.Low = 0
	return cost, true
}

// sureUnless is how sure a claim of a repair is, by whether a pause absorbed some of it.
func sureUnless(absorbed bool) report.Confidence {
	if absorbed {
		return report.ConfidenceMedium
	}
	return report.ConfidenceHigh
}
