package rule

import (
	"math/rand/v2"
	"testing"
	"time"

	"tcpwhy/analysis/report"
)

// TestOnce: whatever is claimed, in whatever order, costs its union.
func TestOnce(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for range 200 {
		var c Once
		var taken [200]bool
		sum, want := time.Duration(0), time.Duration(0)
		for range rng.IntN(maxOnce) {
			from := rng.IntN(190)
			to := from + rng.IntN(200-from)
			sum += c.Claim(report.Interval{From: time.Duration(from), To: time.Duration(to)})
			for i := from; i < to; i++ {
				if !taken[i] {
					taken[i] = true
					want++
				}
			}
		}
		if sum != want {
			t.Fatalf("claims cost %v, want %v", sum, want)
		}
	}
}
