// Package grade says how grave lost time is. It is the one place where time is graded, for findings
// and for stories.
package grade

import (
	"time"

	"tcpwhy/analysis/report"
)

// Impact is what a fault did, as far as that says how grave it is: between one client and one
// service, or in one exchange.
type Impact struct {
	Cost     time.Duration // of all occurrences, expected
	Back     time.Duration // the part of it that came back: see Sum.CameBack
	Worst    time.Duration // of the costliest wait
	Affected int           // exchanges
	Took     time.Duration // what those lasted
	Rtt      time.Duration
	Whole    time.Duration // what all exchanges between the two lasted
}

// The bounds of severity. An impact is what a typical affected exchange loses, a share is that of
// all time between the pair. Three moments are a person's (Nielsen, Usability Engineering, 1993,
// chapter 5): up to a tenth of a second a system seems to react at once, from one second on the
// flow of thought is interrupted, after ten the attention is gone.
const (
	highImpact = 100 * time.Millisecond
	// So many percent of a round trip, or of the time of an affected exchange, are as much on paths
	// and of exchanges that are short, but never less than highLeast.
	highTrip     = 90
	highExchange = 30
	highLeast    = 5 * time.Millisecond
	highShare    = 0.10
	// mediumTrip is in percent of a round trip.
	mediumImpact = 20 * time.Millisecond
	mediumTrip   = 50
	mediumShare  = 0.02
	// A single occurrence of lowWorst is worth a word, however rare.
	lowImpact = time.Millisecond
	lowWorst  = 20 * time.Millisecond
	lowShare  = 0.01

	// What happened once is grave if it interrupted somebody, and counts as half so grave if it was
	// most of all time.
	onceNoticed     = 100 * time.Millisecond
	onceInterrupts  = time.Second
	onceGivesUp     = 10 * time.Second
	onceMostOfShare = 0.50
)

// criticalShare is of how many percent of the exchanges data must be lost, or in danger.
const criticalShare = 1

// OfLost grades data that was lost, or in danger, in some of all exchanges: that outranks time, and
// most where repeating the request is not safe.
func OfLost(affected, all int, unsafe bool) report.Severity {
	if unsafe || all > 0 && affected*100 >= all*criticalShare {
		return report.Critical
	}
	return report.High
}

// Severity grades time that was lost: by what came back, or by a single occurrence that was grave
// all by itself.
func (i *Impact) Severity() report.Severity { return max(i.ofRecurring(), i.once()) }

// ofRecurring grades what came back. What lasts one round trip is as much as a tenth of a second,
// though one is never as long as the next.
func (i *Impact) ofRecurring() report.Severity {
	n := time.Duration(max(i.Affected, 1))
	each, share := i.Back/n, i.share(i.Back)
	grave := max(i.Rtt*highTrip/100, i.Took/n*highExchange/100)
	switch {
	case each >= min(highImpact, grave) && each >= highLeast && share >= highShare:
		return report.High
	case each >= max(mediumImpact, i.Rtt*mediumTrip/100) && share >= mediumShare:
		return report.Medium
	case i.Cost/n >= lowImpact && i.share(i.Cost) >= lowShare || i.Worst >= lowWorst:
		return report.Low
	}
	return report.Info
}

// once grades the costliest wait as if it were the only one: nothing says that it will come
// again, so only its own length counts, and a share of the time that hardly leaves room for others.
func (i *Impact) once() report.Severity {
	share := i.share(i.Worst)
	switch {
	case i.Worst >= onceGivesUp, i.Worst >= onceInterrupts && share >= highShare:
		return report.High
	case i.Worst >= onceInterrupts && share >= mediumShare,
		i.Worst >= onceNoticed && share >= onceMostOfShare:
		return report.Medium
	}
	return report.Info
}

// share is the part of all time between the pair.
func (i *Impact) share(d time.Duration) float64 { return float64(d) / float64(max(i.Whole, 1)) }

// Sum is what a fault cost at a service, whoever the client was.
type Sum struct{ Cost, Worst time.Duration }

// CameBack is the part of the cost that came back. A single occurrence says nothing of the next:
// the costliest one counts as much as all others together, at most.
func (s Sum) CameBack(cost time.Duration) time.Duration {
	if s.Cost <= 0 {
		return 0
	}
	part := 2 * float64(s.Cost-s.Worst) / float64(s.Cost)
	return time.Duration(min(1, max(0, part)) * float64(cost))
}
