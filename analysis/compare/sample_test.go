package compare

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"tcpwhy/analysis/report"
	_ "tcpwhy/internal/golden" // go test ./... -update gives the flag to every package
)

const ms = time.Millisecond

// durationsOf are durations as reports have them.
func durationsOf(all ...time.Duration) (d report.Durations) {
	for _, t := range all {
		d.Add(t)
	}
	return d
}

// TestWays: the distribution of U, of two and three counted by hand, and its symmetry and sum.
func TestWays(t *testing.T) {
	want := []float64{1, 1, 2, 2, 2, 1, 1}
	got := waysOf(2, 3)
	for u, w := range want {
		if got[u] != w {
			t.Fatalf("waysOf(2, 3) = %v, want %v", got, want)
		}
	}
	for m := 1; m <= mostExact; m++ {
		for n := 1; n <= mostExact; n++ {
			sum, ways := 0.0, waysOf(m, n)
			for u, w := range ways {
				sum += w
				if w != ways[m*n-u] {
					t.Fatalf("waysOf(%d, %d) is not symmetric", m, n)
				}
			}
			if want := math.Round(math.Exp(choose(m+n, m))); sum != want {
				t.Errorf("waysOf(%d, %d) adds up to %v, want %v", m, n, sum, want)
			}
		}
	}
}

// TestIntervalRank: one more than the critical values of U in the usual tables (two-sided, 5 %: 2,
// 13, 23, 37), and that there is none below four and four, or three and five.
func TestIntervalRank(t *testing.T) {
	for _, c := range []struct {
		m, n int
		want uint64
	}{{3, 3, 0}, {3, 4, 0}, {3, 5, 1}, {4, 4, 1}, {5, 5, 3}, {8, 8, 14}, {10, 10, 24}, {12, 12, 38}} {
		if got := intervalRank(c.m, c.n); got != c.want {
			t.Errorf("intervalRank(%d, %d) = %d, want %d", c.m, c.n, got, c.want)
		}
	}
	if exact, near := intervalRank(12, 12), intervalRank(13, 13); near < exact || near > exact+12 {
		t.Errorf("the approximation begins with %d behind %d", near, exact)
	}
}

// TestShift: the median of differences, each by hand.
func TestShift(t *testing.T) {
	before, after := durationsOf(10*ms, 20*ms, 30*ms, 40*ms), durationsOf(1*ms, 2*ms, 3*ms, 4*ms)
	s := shiftOf(sampleOf(&before), sampleOf(&after))
	if s == nil || s.Estimate != -22500*time.Microsecond || s.Low != -39*ms || s.High != -6*ms {
		t.Errorf("shift = %+v", s)
	}
	if math.Abs(s.P-2.0/70) > 1e-9 {
		t.Errorf("p = %v, want 2/70", s.P)
	}
	if self := shiftOf(sampleOf(&before), sampleOf(&before)); self.Estimate != 0 || self.P != 1 ||
		self.Low > 0 || self.High < 0 {
		t.Errorf("against itself: %+v", self)
	}
	few := durationsOf(1*ms, 2*ms, 3*ms)
	if s := shiftOf(sampleOf(&few), sampleOf(&before)); s != nil {
		t.Errorf("three and four have the interval %+v", s)
	}
}

// TestTables: rates and tables against values from textbooks: Fisher's tea, and of many the normal
// distribution, from which the test does not differ there.
func TestTables(t *testing.T) {
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-4 {
			t.Errorf("%s = %v, want %v", what, got, want)
		}
	}
	low, high := wilson(0, 10)
	near("low of 0/10", low, 0)
	near("high of 0/10", high, 0.27753)
	low, high = wilson(5, 10)
	near("low of 5/10", low, 0.23659)
	near("high of 5/10", high, 0.76341)
	near("fisher 4/4 0/4", fisher(4, 4, 0, 4), 2.0/70)
	near("fisher 3/4 1/4", fisher(3, 4, 1, 4), 0.48571)
	near("fisher 1/10 11/14", fisher(1, 10, 11, 14), 0.0027594)
	near("fisher 0/9 0/3", fisher(0, 9, 0, 3), 1)
	near("fisher of many", fisher(50_000, 1_000_000, 50_100, 1_000_000),
		math.Erfc(99/math.Sqrt(2*50_050*0.94995)/math.Sqrt2))
	got := adjusted([]float64{0.01, 0.04, 0.03, 0.5})
	for i, want := range []float64{0.04, 0.053333, 0.053333, 0.5} {
		near("adjusted", got[i], want)
	}
}

// TestIntervalsCover simulates: how often intervals leave the true shift out, and how often equal
// distributions are told apart. Few and many, smooth and in two modes, exact and from histograms.
func TestIntervalsCover(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	logNormal := func() float64 { return 20 * math.Exp(random.NormFloat64()*0.5) }
	modes := func() float64 {
		if random.IntN(3) == 0 {
			return 60 + random.NormFloat64()
		}
		return 20 + random.NormFloat64()
	}
	rare := func() float64 {
		if random.IntN(5) == 0 {
			return 100 + 10*random.NormFloat64()
		}
		return 20 + random.NormFloat64()
	}
	for _, c := range []struct {
		name string
		m, n int
		draw func() float64
	}{
		{"log-normal 4+4", 4, 4, logNormal}, {"log-normal 10+12", 10, 12, logNormal},
		{"log-normal 30+20", 30, 20, logNormal}, {"few slow ones 20+60", 20, 60, rare}, {"log-normal 60+80", 60, 80, logNormal},
		{"two modes 12+12", 12, 12, modes}, {"two modes 50+50", 50, 50, modes},
	} {
		const runs, shift = 500, 7 * ms
		left, called, means := 0, 0, 0
		for range runs {
			var before, alike, after report.Durations
			for range c.m {
				before.Add(time.Duration(c.draw() * float64(ms)))
			}
			for range c.n {
				alike.Add(time.Duration(c.draw() * float64(ms)))
				after.Add(time.Duration(c.draw()*float64(ms)) + shift)
			}
			s := shiftOf(sampleOf(&before), sampleOf(&after))
			if s.Low > shift || s.High < shift {
				left++
			}
			if e := shiftOf(sampleOf(&before), sampleOf(&alike)); e.P <= level &&
				(e.Low > 0 || e.High < 0) {
				called++
			}
			if meansDiffer(sampleOf(&before), sampleOf(&alike)) <= level {
				means++
			}
		}
		// Of 500 at 5 %, 25 are expected, and 40 is more than three standard deviations beyond.
		const most = 40
		if left > most || called > most || min(c.m, c.n) >= leastMean && means > most {
			t.Errorf(
				"%s: of %d, %d intervals leave the shift out; %d equal ones are told apart, %d by means",
				c.name,
				runs,
				left,
				called,
				means,
			)
		}
	}
}
