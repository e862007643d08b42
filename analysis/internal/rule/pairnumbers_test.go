package rule

import (
	"testing"
	"time"

	"tcpwhy/analysis/report"
)

// TestPairNumbersAreUsedAgain: tables that share numbers never have each other's entries, or those
// of a pair that had a number before, and numbers do not become more without end.
func TestPairNumbersAreUsedAgain(t *testing.T) {
	var n PairNumbers
	var even, all PairTable[int]
	even.By(&n)
	all.By(&n)
	of := func(i int) report.Pair { return report.Pair{Server: netipPort(i)} }
	const rounds, pairs = 20, manyNumbers / 10
	for round := range rounds {
		from, now := round*pairs, time.Duration(round)*2*PairSilence
		for i := from; i < from+pairs; i++ {
			if i%2 == 0 {
				*even.Of(of(i), now) += i
			}
			*all.Of(of(i), now) += i
		}
		for i := from; i < from+pairs; i++ {
			if v := all.Has(of(i)); v == nil || *v != i {
				t.Fatalf("pair %d has %v", i, v)
			}
			if v := even.Has(of(i)); (v != nil) != (i%2 == 0) || v != nil && *v != i {
				t.Fatalf("of every second one pair %d has %v", i, v)
			}
		}
		all.sweep(now)
		even.sweep(now)
	}
	if len(n.pairs) >= rounds*pairs || len(n.pairs) > manyNumbers {
		t.Errorf("%d numbers for %d pairs at a time", len(n.pairs), pairs)
	}
}
