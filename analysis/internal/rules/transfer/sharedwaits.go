package transfer

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// sharedWaits is what of a connection's time losses have cost that exchanges beside each other
// waited for.
var sharedWaits = &rule.StateKey[rule.Once]{}

// countOnce takes from the cost of a wait what has been claimed of the same time for another
// exchange of the connection: a loss costs its time once, however many streams of HTTP/2 it held
// up.
func countOnce(p *rule.Pass, w *ledger.Wait, c *rule.Claim) {
	if !p.Draft.Shared || w.Length() <= 0 {
		return
	}
	left := sharedWaits.Of(p).Claim(report.Interval{From: w.From, To: w.To})
	taken := w.Length() - left
	for _, cost := range []*time.Duration{
		&c.Occ.Cost.Low, &c.Occ.Cost.Expected, &c.Occ.Cost.High,
	} {
		*cost = max(0, *cost-taken)
	}
	c.Window.Saved = min(c.Window.Saved, c.Occ.Cost.Expected)
}
