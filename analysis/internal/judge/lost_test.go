package judge

import (
	"testing"
	"time"

	"tcpwhy/capture"
)

// TestLostIsASum: what was lost does not depend on whether others took their time before or after.
func TestLostIsASum(t *testing.T) {
	lose := func(j *Judge, d time.Duration) { j.Lose(0, d) }
	take := func(j *Judge, d time.Duration) { j.Total.exchangeTime += d }
	type step struct {
		do func(*Judge, time.Duration)
		d  time.Duration
	}
	for name, steps := range map[string][]step{
		"others before": {{take, 10}, {take, 2}, {lose, 2}, {lose, 3}},
		"others after":  {{take, 2}, {lose, 2}, {lose, 3}, {take, 10}},
	} {
		j := New(Limits{}, nil, nil)
		for _, s := range steps {
			s.do(j, s.d*time.Second)
		}
		if got := j.Report(&capture.Stats{}).Lost; got != 5*time.Second {
			t.Errorf("%s: %v lost, want 5s", name, got)
		}
	}
	j := New(Limits{}, nil, nil)
	take(j, time.Second)
	lose(j, time.Minute)
	if got := j.Report(&capture.Stats{}).Lost; got != time.Second {
		t.Errorf("%v lost of 1s", got)
	}
}
