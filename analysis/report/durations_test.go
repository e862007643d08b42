package report

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"
)

// TestQuantiles: of few durations a quantile is exact, of many off by 5 % at most.
func TestQuantiles(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 2, 10, 32, 33, 1000} {
		var d Durations
		var all []time.Duration
		for range n {
			x := time.Duration(math.Exp(rng.NormFloat64()*2) * 1e7)
			all = append(all, x)
			d.Add(x)
		}
		slices.Sort(all)
		for _, q := range []float64{0, 0.5, 0.9, 0.99, 1} {
			want := all[max(1, int(math.Ceil(q*float64(n))))-1]
			got := d.Quantile(q)
			off := math.Abs(float64(got-want)) / float64(want)
			if n <= exactDurations && got != want || off > 0.051 {
				t.Errorf("%d: quantile %v is %v, want %v", n, q, got, want)
			}
		}
		if d.Least != all[0] || d.Most != all[n-1] || d.N != n {
			t.Errorf("%d: %d from %v to %v", n, d.N, d.Least, d.Most)
		}
	}
}

// TestMergeOfParts: in whatever parts durations come, the outcome is the same.
func TestMergeOfParts(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{0, 5, 32, 33, 200} {
		var whole Durations
		parts := make([]Durations, 4)
		for range n {
			x := time.Duration(rng.Int64N(int64(time.Hour)))
			whole.Add(x)
			parts[rng.IntN(len(parts))].Add(x)
		}
		rng.Shuffle(len(parts), func(i, k int) { parts[i], parts[k] = parts[k], parts[i] })
		var got Durations
		for i := range parts {
			c := parts[i].Clone()
			got.Merge(&c)
		}
		if !reflect.DeepEqual(got, whole) {
			t.Errorf("%d: %+v, want %+v", n, got, whole)
		}
	}
}

func TestExtremes(t *testing.T) {
	var d Durations
	for range exactDurations + 1 {
		d.Add(-time.Second)
	}
	d.Add(math.MaxInt64)
	if got := d.Median(); got > CellStart(1) {
		t.Errorf("the median of what took no time is %v", got)
	}
	if got := d.Quantile(1); got != math.MaxInt64 {
		t.Errorf("the longest is %v", got)
	}
}
