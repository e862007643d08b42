package judge

import (
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// maxClaimedTime is of how many exchanges it is remembered what claims cost, the latest: what is
// said of older ones later counts as if nothing had been.
const maxClaimedTime = 1 << 15

// claimedTimes is what all claims about an exchange cost together so far, by its number: no more
// than it took is lost, whoever says so, and when.
type claimedTimes struct {
	of    map[int]claimedExchange
	order []int // oldest first
}

// claimedExchange is when an exchange went on, and what claims about it cost.
type claimedExchange struct {
	report.Interval
	cost   time.Duration
	shared bool // others went on beside it on its connection
}

// begin takes note of an exchange.
func (t *claimedTimes) begin(exchange int, went report.Interval, shared bool) {
	if t.of == nil {
		t.of = map[int]claimedExchange{}
	}
	if len(t.order) == maxClaimedTime {
		for _, old := range t.order[:maxClaimedTime/2] {
			delete(t.of, old)
		}
		t.order = append(t.order[:0], t.order[maxClaimedTime/2:]...)
	}
	t.of[exchange] = claimedExchange{Interval: went, shared: shared}
	t.order = append(t.order, exchange)
}

// add adds what claims about an exchange cost; less, if that is negative.
func (t *claimedTimes) add(exchange int, cost time.Duration) {
	if x, known := t.of[exchange]; known {
		x.cost = max(0, x.cost+cost)
		t.of[exchange] = x
	}
}

// room takes from a claim about an exchange, which is booked after that was judged, what other
// claims about it have left nothing for. What it cost after the exchange was over stays; within is
// how much did not, at most, where its request was repeated.
func (t *claimedTimes) room(c *rule.Claim, within time.Duration) {
	x, known := t.of[c.Occ.Exchange]
	if !known || c.Also+c.Others > 0 {
		return
	}
	cost := &c.Occ.Cost
	in := cost.Expected
	if c.Failure == nil || c.Repeated != nil {
		in = min(in, within)
	}
	if c.Occ.End > x.To {
		in = min(in, max(0, x.To-max(c.Occ.Start, x.From)))
	}
	if over := min(in, x.cost+in-(x.To-x.From)); over > 0 {
		cost.Expected -= over
		cost.Low = min(cost.Low, cost.Expected)
		in -= over
	}
	t.add(c.Occ.Exchange, in)
}
