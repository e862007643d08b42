package sender

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

// TestRanksOfMany: nine in ten are nine in ten however many there are, and wherever in the transfer
// the fast ones come.
func TestRanksOfMany(t *testing.T) {
	for _, tt := range []struct {
		name string
		fast func(i int) bool // of 5,000
		want float64
	}{
		{"two or three in a thousand, evenly", func(i int) bool { return i%400 == 7 }, 100},
		{"twenty in a row at the end", func(i int) bool { return i >= 4980 }, 100},
		{"twenty in a row at first", func(i int) bool { return i < 20 }, 100},
		{"twenty in a row when few have been forgotten", func(i int) bool { return i >= 100 && i < 120 }, 100},
		{"one in seven", func(i int) bool { return i%7 == 0 }, 10},
		{"the second fifth", func(i int) bool { return i/1000 == 1 }, 10},
	} {
		var k ranks
		for i := range 5000 {
			per := 100.0
			if tt.fast(i) {
				per = 10
			}
			k.add(per)
		}
		if got := k.rate(1); got != tt.want {
			t.Errorf("%s: rate() = %v, want %v", tt.name, got, tt.want)
		}
	}
	var k ranks
	if n := testing.AllocsPerRun(1000, func() { k.add(1) }); n != 0 {
		t.Errorf("add allocates %v times", n)
	}
}
