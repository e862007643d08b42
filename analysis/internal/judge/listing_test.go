package judge

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
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
