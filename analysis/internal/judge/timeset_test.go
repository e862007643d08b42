package judge

import (
	"math/rand/v2"
	"testing"
	"time"

	"tcpwhy/analysis/report"
)

// TestTimeSet: what goes on several times at once is in it once; of more stretches than it keeps
// apart, it is no less than they are, and no more than from the first to the last.
func TestTimeSet(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, n := range []int{5, 200, 3 * maxStretches, 20 * maxStretches} {
		var s timeSet
		var all []report.Interval
		for range n {
			from := time.Duration(rng.Int64N(int64(time.Minute)))
			all = append(
				all,
				report.Interval{From: from, To: from + time.Duration(rng.Int64N(1e6))},
			)
			s.add(all[len(all)-1])
		}
		if len(s.all) >= 2*maxStretches {
			t.Errorf("%d stretches are kept", len(s.all))
		}
		want := uncovered(all, nil)
		got := s.measure()
		if got < want || got > time.Minute+time.Millisecond || n < maxStretches && got != want {
			t.Errorf("of %d: %v, want %v", n, got, want)
		}
	}
}

// TestTimeSetFills: what must be elsewhere in a stretch is its latest part that the set has not.
func TestTimeSetFills(t *testing.T) {
	s := timeSet{spans(10, 20, 80, 100, 300, 400)}
	s.fill(report.Interval{To: 100 * time.Millisecond}, 30*time.Millisecond)
	if got := s.measure(); got != 160*time.Millisecond {
		t.Errorf("%v, want 160 ms: %v", got, s.all)
	}
	busy := timeSet{spans(90, 350)}
	if got := s.within(&busy); got != 60*time.Millisecond {
		t.Errorf("%v of that within, want 60 ms", got)
	}
}

// TestLostByClock: what is not known to stand anywhere counts in full, and never more than the sum.
func TestLostByClock(t *testing.T) {
	var l, o lostTime
	l.add(report.Interval{From: 0, To: 100}, 100)
	l.add(report.Interval{From: 50, To: 150}, 100)
	o.add(report.Interval{From: 100, To: 200}, 100)
	all := l.join(&o)
	for _, tt := range []struct {
		of        *lostTime
		sum, want time.Duration
	}{{&l, 200, 150}, {&l, 230, 180}, {&l, 120, 120}, {&all, 300, 200}, {&l, -1, 0}} {
		if got := tt.of.byClock(tt.sum); got != tt.want {
			t.Errorf("%d of %d, want %d", got, tt.sum, tt.want)
		}
	}
}

// TestShareOut: labels add up to the whole, and none has more than exchanges had of it one by one.
func TestShareOut(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for range 500 {
		var times, one [report.LabelCount]time.Duration
		var sum time.Duration
		for l := range 5 {
			times[l] = time.Duration(rng.Int64N(1000) - 100)
			one[l] = time.Duration(rng.Int64N(1000))
			sum += one[l]
		}
		whole := time.Duration(rng.Int64N(int64(sum) + 1))
		shareOut(&times, &one, whole)
		for l := range times {
			if times[l] < 0 || times[l] > one[l]+time.Duration(report.LabelCount) {
				t.Fatalf("label %d: %d of %d", l, times[l], one[l])
			}
			whole -= times[l]
		}
		if whole != 0 {
			t.Fatalf("%d are missing", whole)
		}
	}
}

// TestTimeSetEqualGaps: where all gaps are equal, as many are closed as there are stretches too
// many.
func TestTimeSetEqualGaps(t *testing.T) {
	var s timeSet
	for i := range time.Duration(2 * maxStretches) {
		s.add(report.Interval{From: 10 * i, To: 10*i + 4})
	}
	if len(s.all) != maxStretches {
		t.Errorf("%d stretches are kept, want %d", len(s.all), maxStretches)
	}
}
