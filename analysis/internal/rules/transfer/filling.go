package transfer

import (
	"math"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

const (
	// leastFilling is how long a transfer must be bound by the path's rate to count as filling the
	// path.
	leastFilling = 50 * time.Millisecond
	// fillsPercent is how many percent of a transfer that must be.
	fillsPercent = 50
	// nearEnd is how many percent of a round trip lie on one side of a capture that was taken next
	// to the other.
	nearEnd = 90
	// queueVaries is by how many percent a queue may be longer than the longest that a transfer
	// met.
	queueVaries = 25
	// largerTimes is how many times as large as what waits the transfer must be that it waits behind:
	// of messages of one size each is the others' queue, and whoever gets a share of the path sooner
	// takes it from another (reasoning: with half of the path each, one half as large is over sooner
	// and the other no later).
	largerTimes = 2
)

// filling is a transfer that was bound by the path's rate, so that what passed the path meanwhile
// came behind it.
type filling struct {
	report.Interval
	conn, exchange int
	first, last    capture.Mark
	dir            reassembly.Dir
	rate           float64 // octets a second
	octets         int64
	most           time.Duration // that the path needs for a receive window
	queue          time.Duration // by how much round trips on its own connection grew; 0: not known
	// the capture is next to its sender, where they show all of the queue
	shown bool
}

// fills is the transfer of the exchange that kept the path busy, if one did.
func fills(j *rule.Judged, of *rule.Conn) (f filling, ok bool) {
	for _, dir := range ledger.BothWays {
		m, facts := j.Message(dir), j.FlowOf(dir)
		if m == nil || facts == nil || facts.Rate <= 0 {
			continue
		}
		bound := j.Spent(dir, report.Serialize)
		if bound < max(j.Flow.RTT, leastFilling) || !reaches(bound, fillsPercent, facts.Measured) {
			continue
		}
		return filling{
			Interval: report.Interval{From: m.Start.Time, To: m.End.Time},
			conn:     of.Id,
			exchange: j.Info.ID,
			first:    m.Start,
			last:     m.End,
			dir:      dir,
			rate:     facts.Rate,
			octets:   facts.Bytes,
			most:     drains(facts),
			queue:    facts.Queue,
			shown:    nextTo(of, dir, j.Flow.RTT),
		}, true
	}
	return f, false
}

// drains is how long the path needs for a receive window: the longest queue that a transfer can
// make.
func drains(f *ledger.Flow) time.Duration {
	seconds := float64(f.Window) / f.Rate
	if seconds <= 0 || seconds >= time.Hour.Seconds() {
		return math.MaxInt64 // not known
	}
	return time.Duration(seconds * 1e9)
}

// longest is the longest queue that others may have met while the transfer went on.
func (f *filling) longest() time.Duration { return f.queue + f.queue*queueVaries/100 }

// nextTo reports whether the capture was taken next to the side that sends in direction dir: nearly
// all of the round trip is between it and the other.
func nextTo(m *rule.Conn, dir reassembly.Dir, rtt time.Duration) bool {
	if dir == reassembly.FromServer {
		return rtt > 0 && m.Far*100 >= rtt*nearEnd
	}
	return rtt > 0 && m.Far*100 <= rtt*(100-nearEnd)
}
