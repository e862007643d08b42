package rule

import (
	"time"

	"tcpwhy/analysis/report"
)

// maxOnce is how many stretches of time of a connection are remembered as claimed.
const maxOnce = 64

// Once is time of a connection that has been claimed: what holds up several streams at once costs
// its time once.
type Once struct{ all []report.Interval } // the latest maxOnce

// Claim is how much of a stretch of time had not been claimed, which is claimed from now on.
func (c *Once) Claim(i report.Interval) time.Duration {
	left := []report.Interval{i}
	for _, was := range c.all {
		var rest []report.Interval
		for _, l := range left {
			if a := (report.Interval{From: l.From, To: min(l.To, was.From)}); a.To > a.From {
				rest = append(rest, a)
			}
			if b := (report.Interval{From: max(l.From, was.To), To: l.To}); b.To > b.From {
				rest = append(rest, b)
			}
		}
		left = rest
	}
	if len(c.all) == maxOnce {
		c.all = append(c.all[:0], c.all[1:]...)
	}
	c.all = append(c.all, i)
	var sum time.Duration
	for _, l := range left {
		sum += l.To - l.From
	}
	return sum
}
