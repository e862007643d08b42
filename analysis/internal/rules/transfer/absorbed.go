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
	least := pauseTrips * c.RTTMin()
	took := partsOf(all, m.Start.Time, func(w *ledger.Wait, _ time.Duration) bool {
		return w.Length() >= least
	})
	usual, regular := usually(took)
	if !regular { // a part that losses held up leaves a short pause; a round trip is no clock
		usual, regular = usually(partsOf(all, m.Start.Time,
			func(_ *ledger.Wait, took time.Duration) bool { return took >= least }))
	}
	switch {
	case regular:
		s.byClock(all, m.Start.Time, j.Until, usual, least)
		s.hidden(j, c, all, m.From, m.To, usual)
	case len(took) > 0 && !j.Shared: // octets of others may look like a pause of this one
		s.byPauses(all, m.Start.Time, j.Until, undisturbed(j, dir, all, took, least), least)
	}
	return s
}

// partsOf are how long the parts took that began at the given moment and ended with pauses, of
// those that count.
func partsOf(
	all []ledger.Wait,
	at time.Duration,
	counts func(w *ledger.Wait, took time.Duration) bool,
) (took []time.Duration) {
	for i := range all {
		if w := &all[i]; w.To > at && counts(w, w.To-at) {
			took, at = append(took, w.To-at), w.To
		}
	}
	return took
}

// byPauses divides the message by pauses of the least length and more. A part may have made the
// next one late by what it took longer than usual.
func (s *schedule) byPauses(all []ledger.Wait, at, until, usual, least time.Duration) {
	for i := range all {
		if w := &all[i]; w.Length() >= least && w.To > at {
			s.ends, s.left = append(s.ends, w.To), append(s.left, max(0, w.To-at-usual))
			at = w.To
		}
	}
	s.left = append(s.left, max(0, until-at))
}

// byClock divides the message by the clock of its application, which goes on by as much as usual:
// at pauses of the least length and more, and at those that end when the clock says so. A part made
// others late by as much as all that follow are late.
//
// The last part ends with the message, and is late by what it took longer than another one to be
// sent: the least of them.
func (s *schedule) byClock(all []ledger.Wait, at, until, usual, least time.Duration) {
	began, last := pauseEnd{at: at}, pauseEnd{at: at} // the latest that was on time, and of all
	var late []time.Duration
	sent := until - at // the least that a part took without its pause
	for i := range all {
		w := &all[i]
		if w.To <= last.at {
			continue
		}
		next, onTime := began.next(w.To, usual)
		if !onTime { // the clock may have stood still for as long as the one before was late
			after, goesOn := last.next(w.To, usual)
			if onTime = goesOn; goesOn {
				next = after
			}
		}
		if w.Length() < least && !onTime {
			continue
		}
		sent = min(sent, w.From-last.at)
		if last = next; onTime {
			began = next
		}
		s.ends, late = append(s.ends, next.at), append(late, next.late)
	}
	s.left = append(make([]time.Duration, len(late)), max(0, until-last.at-max(0, sent)))
	for i := len(late) - 1; i > 0; i-- {
		late[i-1] = min(late[i-1], late[i])
		s.left[i] = late[i] - late[i-1]
	}
	if len(late) > 0 {
		s.left[0] = late[0]
	}
}

// pauseEnd is the end of a pause of an application that writes by a clock.
type pauseEnd struct {
	at, late time.Duration
}

// next is one at the given moment. onTime tells that the clock went on by as much as usual since p,
// perhaps several times: parts may have been written without a pause before them.
func (p pauseEnd) next(at, usual time.Duration) (n pauseEnd, onTime bool) {
	after := at - p.at
	if near(after, usual) {
		return pauseEnd{at, p.late}, true
	}
	return pauseEnd{at, p.late + max(0, min(after%usual, after-usual))}, false
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

// usually is the least that parts took; 0 if there are none. regular tells that others took as
// long, or a whole number of times as long: those have parts in them without a pause before.
func usually(took []time.Duration) (least time.Duration, regular bool) {
	for i, d := range took {
		if i == 0 || d < least {
			least = d
		}
	}
	as, times := 0, 0
	for _, d := range took {
		if d-least <= least/sameParts {
			as++
		}
		if near(d, least) {
			times++
		}
	}
	return least, as > 1 && times >= sameTimes
}

// near reports whether a time is a whole number of times as long as usual.
func near(took, usual time.Duration) bool {
	off := took % usual
	return took >= usual-usual/sameParts && min(off, usual-off) <= usual/sameParts
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
