package ledger

import (
	"testing"
	"time"
)

// TestNotReady: an answer that was asked for later and written before shows that another was not
// ready; one that only came before, as a loss kept that one back, does not.
func TestNotReady(t *testing.T) {
	this := answer{due: 100, came: 1000, from: 5000}
	for name, c := range map[string]struct {
		other answer
		want  time.Duration
	}{
		"asked for before":                 {answer{due: 90, came: 950, from: 4000}, 0},
		"asked for later, written before":  {answer{due: 300, came: 900, from: 4000}, 400},
		"asked for later, written later":   {answer{due: 300, came: 900, from: 6000}, 0},
		"too long ago for how it waited":   {answer{due: 300, came: 400, from: 4000}, 300},
		"asked for later, came right away": {answer{due: 990, came: 995, from: 4000}, 995},
	} {
		var a answers
		a.note(c.other)
		if got := a.notReady(this); got != c.want {
			t.Errorf("%s: not ready until %d, want %d", name, got, c.want)
		}
	}
}
