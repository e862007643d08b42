package connect

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tcpwhy/analysis/report"
)

// TestServiceIsRemembered: in whatever order the ends of responses become known, a stretch of
// aliveGap and more says whether one lies in it, as far back as is remembered.
func TestServiceIsRemembered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s lateService
		var all []time.Duration
		now := time.Duration(0)
		for range rapid.IntRange(1, keptAlive).Draw(t, "responses") {
			now += time.Duration(rapid.IntRange(0, 400).Draw(t, "ms")) * time.Millisecond
			at := now - time.Duration(rapid.IntRange(0, 3).Draw(t, "late by"))*500*time.Millisecond
			all = append(all, at)
			s.answered(at)
		}
		if !slices.IsSortedFunc(s.alive,
			func(a, b report.Interval) int { return cmp.Compare(a.To, b.From) }) {
			t.Fatalf("stretches %v", s.alive)
		}
		for range 8 {
			from := time.Duration(
				rapid.IntRange(-3000, int(now/time.Millisecond)).Draw(t, "from"),
			) * time.Millisecond
			to := from + aliveGap + time.Duration(
				rapid.IntRange(1, 3000).Draw(t, "to"),
			)*time.Millisecond
			want := slices.ContainsFunc(all,
				func(at time.Duration) bool { return at > from && at < to })
			if got := s.within(from, to); got != want {
				t.Fatalf("within %v and %v: %v, of %v", from, to, got, all)
			}
		}
	})
}

// TestServiceIsBounded: what is kept of a service is no more than so much.
func TestServiceIsBounded(t *testing.T) {
	var s lateService
	for i := range 2 * keptLate {
		s.failed(time.Duration(i) * time.Millisecond)
		s.answered(time.Duration(i) * time.Second)
	}
	if len(s.starts) != keptLate || len(s.alive) != keptAlive ||
		s.starts[0] != keptLate*time.Millisecond {
		t.Errorf("%d first SYNs from %v on, %d stretches", len(s.starts), s.starts[0], len(s.alive))
	}
}
