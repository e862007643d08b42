package analysis

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"tcpwhy/analysis/report"
)

// What a bounded list keeps must not depend on the order in which items come.
func TestLongestKeepsTheSameInAnyOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	type entry struct {
		took time.Duration
		id   int
	}
	var all []entry
	for id := range 5000 {
		all = append(all, entry{time.Duration(random.IntN(500)), id})
	}
	kept := func(order []entry) []int {
		l := longest[int]{limit: 100}
		for _, e := range order {
			id := e.id
			l.add(e.took, e.id, &id)
		}
		return l.done()
	}
	want := kept(all)
	if len(want) != 100 {
		t.Fatalf("kept %d items, want 100", len(want))
	}
	for range 5 {
		random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		if got := kept(all); !slices.Equal(got, want) {
			t.Fatalf("kept %v, want %v", got, want)
		}
	}
}

func TestSeverity(t *testing.T) {
	ms := time.Millisecond
	tests := []struct {
		name string
		g    group
		all  pairTotals
		want report.Severity
	}{
		{"most of the time, every exchange", group{count: 9, affected: 9, cost: report.Cost{Expected: 900 * ms}, time: 1000 * ms},
			pairTotals{exchanges: 10, time: 1100 * ms}, report.High},
		{"a tenth of the time in small portions", group{count: 100, affected: 100, cost: report.Cost{Expected: 25 * 100 * ms},
			time: 20000 * ms, rtt: 40 * ms, worst: 25 * ms}, pairTotals{exchanges: 100, time: 20000 * ms}, report.Medium},
		{"one slow exchange among many", group{count: 1, affected: 1, cost: report.Cost{Expected: 30 * ms}, worst: 30 * ms, time: 90 * ms},
			pairTotals{exchanges: 1000, time: 90000 * ms}, report.Low},
		{"nothing to speak of", group{count: 50, affected: 50, cost: report.Cost{Expected: 1 * ms}, worst: ms / 50, time: 50 * ms},
			pairTotals{exchanges: 5000, time: 5000 * ms}, report.Info},
		{"no cost", group{count: 1}, pairTotals{exchanges: 1, time: ms}, report.Info},
		{"data lost", group{count: 1, affected: 1, correctness: true}, pairTotals{exchanges: 1000, time: ms}, report.High},
		{"data lost often", group{count: 20, affected: 20, correctness: true}, pairTotals{exchanges: 1000, time: ms}, report.Critical},
		{"data lost, and no exchange judged so far", group{count: 1, correctness: true}, pairTotals{}, report.High},
		{"an order lost", group{count: 1, affected: 1, correctness: true, unsafe: true}, pairTotals{exchanges: 1000, time: ms}, report.Critical},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.g.graded(&tt.all); got != tt.want {
				t.Errorf("graded() = %v, want %v", got, tt.want)
			}
		})
	}
}
