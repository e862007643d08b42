package judge

import (
	"testing"
	"time"

	"tcpwhy/analysis/report"
)

// TestLateClaimsAreBounded: claims that become known late cost no more by the clock than their
// union, however many there are and in whatever order they come.
func TestLateClaimsAreBounded(t *testing.T) {
	var l lateClaims
	const n = 10 * maxLate
	for i := range n {
		from := time.Duration(i) * time.Second
		for range 3 { // three exchanges at a time
			l.add(report.Interval{From: from, To: from + time.Second/2})
		}
		if len(l.lost) > maxLate {
			t.Fatalf("%d stretches are kept", len(l.lost))
		}
	}
	if got, want := l.wall(), n*time.Second/2; got != want || l.cost != 3*want {
		t.Errorf("%v by the clock of %v, want %v of %v", got, l.cost, want, 3*want)
	}
	both := l.with(
		&lateClaims{
			lost: []report.Interval{{From: n * time.Second, To: (n + 1) * time.Second}},
			cost: time.Second,
		},
	)
	if got, want := both.wall(), n*time.Second/2+time.Second; got != want {
		t.Errorf("%v of both, want %v", got, want)
	}
}
