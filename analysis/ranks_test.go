package analysis

import "testing"

func TestRanks(t *testing.T) {
	few := func(k *ranks) {
		for range 20 {
			k.add(1000)
		}
		k.add(1)
	}
	bursts := func(k *ranks) {
		for i := range 40 {
			k.add(1000)
			if i%20 == 0 {
				k.add(1) // what had waited came at once
			}
		}
	}
	for _, tt := range []struct {
		name string
		fill func(*ranks)
		want float64
	}{
		{"too few to rank: the fastest", few, 1},
		{"the fastest tenth does not count", bursts, 1000},
		{"nothing", func(*ranks) {}, 1},
	} {
		var k ranks
		tt.fill(&k)
		if got := k.rate(1); got != tt.want {
			t.Errorf("%s: rate() = %v, want %v", tt.name, got, tt.want)
		}
	}
}
