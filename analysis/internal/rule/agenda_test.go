package rule

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestAgenda: everything comes in the order of its moments, of one moment as it was added, and not
// before its moment has passed.
func TestAgenda(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type entry struct {
			at time.Duration
			n  int
		}
		var a Agenda[entry]
		var want []entry
		now := time.Duration(0)
		for n := range rapid.IntRange(1, 60).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "add") {
				e := entry{time.Duration(rapid.IntRange(0, 20).Draw(t, "at")), n}
				a.Add(e.at, e)
				i, _ := slices.BinarySearchFunc(want, e.at+1,
					func(w entry, at time.Duration) int { return int(w.at - at) })
				want = slices.Insert(want, i, e)
				continue
			}
			now += time.Duration(rapid.IntRange(0, 5).Draw(t, "later"))
			got, ok := a.Due(now)
			if due := len(want) > 0 && want[0].at < now; ok != due || ok && got != want[0] {
				t.Fatalf("at %d: %v, %v of %v", now, got, ok, want)
			}
			if ok {
				want = want[1:]
			}
		}
		for len(want) > 0 {
			if got, ok := a.Next(); !ok || got != want[0] || a.Len() != len(want)-1 {
				t.Fatalf("%v, %v of %v", got, ok, want)
			}
			want = want[1:]
		}
	})
}
