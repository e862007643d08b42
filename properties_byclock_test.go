package main

import (
	"testing"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/output/sentence"
)

// checkClock holds figures by the clock against each other: a moment counts once, on however many
// connections something was under way, so that they are no more than the capture lasted; what was
// lost is no more than the time in which exchanges were under way, nor than what the findings cost;
// and what is printed of a finding is in one unit.
func checkClock(t *testing.T, r *report.Report) {
	t.Helper()
	const near = time.Microsecond
	var cost time.Duration
	for i := range r.Stories {
		s := &r.Stories[i]
		c := sentence.ByClock(s)
		cost += c.Expected
		if c.Expected > s.Cost.Expected || !ordered(c) || !ordered(s.Cost) {
			t.Errorf("%s/%s: %v by the clock, %v added up", s.Rule, s.Cause, c, s.Cost)
		}
		if s.Shared > 0 && c.Expected > r.Capture.End+near {
			t.Errorf("%s/%s: %v by the clock in a capture of %v", s.Rule, s.Cause, c.Expected,
				r.Capture.End)
		}
	}
	c := r.Clock
	if c.Shared == 0 {
		return
	}
	if c.Time > r.Capture.End+near || c.Time > r.ExchangeTime || sumTimes(c.Times) != c.Time {
		t.Errorf("%v by the clock, labels %v, in a capture of %v, exchanges %v", c.Time,
			sumTimes(c.Times), r.Capture.End, r.ExchangeTime)
	}
	sums := map[report.Label]time.Duration{}
	for _, l := range r.Times {
		sums[l.Label] = l.Time
	}
	for _, l := range c.Times {
		if l.Time > sums[l.Label]+near {
			t.Errorf("%v: %v by the clock, and exchanges waited %v, one by one", l.Label, l.Time,
				sums[l.Label])
		}
	}
	if c.Lost > c.Time || r.LeftOut == 0 && c.Lost > cost+near {
		t.Errorf("%v of %v lost by the clock, and findings cost %v", c.Lost, c.Time, cost)
	}
}
