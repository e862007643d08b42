package connect

import (
	"fmt"
	"testing"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/rule/ruletest"
	"tcpwhy/capture"
)

// TestPoolsShareOnlyWhenMemoryIsShort: how many idle connections a pool remembers does not depend
// on how many other pools there are, as long as all together remember little.
func TestPoolsShareOnlyWhenMemoryIsShort(t *testing.T) {
	const others = 4096
	r := newReuses()
	desk := &ruletest.Desk{}
	next := 0
	rest := func(name string) {
		c := &rule.Conn{Id: next, Pair: ruletest.Pair()}
		began := &rule.Began{Pair: c.Pair, Name: name, First: true, Start: capture.Mark{Frame: 1}}
		desk.Began(r, c, began, 0)
		over := &rule.Over{Reusable: true, End: capture.Mark{Frame: 1}}
		desk.Over(r, c, over, 0)
		next++
	}
	for i := range others {
		rest(fmt.Sprint("other ", i))
	}
	for range maxIdle {
		rest("own")
	}
	own := poolKey{Pair: ruletest.Pair(), name: "own"}
	if got := len(r.pools[own].idle); got != maxIdle || r.remembered != others+maxIdle {
		t.Errorf("%d idle ones remembered of %d; of all pools %d", got, maxIdle, r.remembered)
	}
	for i := 1; r.remembered < maxRemembered; i++ {
		rest(fmt.Sprint("another ", i%others))
	}
	for range 2 * maxIdle {
		rest("own")
	}
	if got := len(r.pools[own].idle); got > 2*r.share(maxIdle) || got >= maxIdle {
		t.Errorf("%d idle ones remembered though memory is short", got)
	}
}

// TestPoolsAreForgotten: a pool is forgotten when its connections are over and it was not asked for
// in a while, at the same moment whoever else is seen.
func TestPoolsAreForgotten(t *testing.T) {
	for _, tt := range []struct {
		name  string
		steps []time.Duration // when somebody else is seen
	}{
		{"nobody else is seen", nil},
		{"others are seen", []time.Duration{30 * time.Second, 2 * time.Minute, 125 * time.Second}},
	} {
		r := newReuses()
		desk := &ruletest.Desk{}
		c := &rule.Conn{Id: 1, Pair: ruletest.Pair()}
		key := poolKey{Pair: c.Pair}
		desk.Began(r, c, &rule.Began{Pair: c.Pair, First: true}, 0)
		first := r.pools[key]
		for _, at := range tt.steps {
			r.Advance(desk, at)
		}
		if again := r.pool(desk, key, 10*time.Minute); again != first {
			t.Errorf("%s: a pool with an open connection was forgotten", tt.name)
		}
		desk.Gone(r, c, &rule.Gone{Pair: c.Pair}, 0)
		for _, at := range tt.steps {
			r.Advance(desk, 10*time.Minute+at)
		}
		if again := r.pool(desk, key, 20*time.Minute); again == first {
			t.Errorf("%s: a pool without a connection was kept for 20 minutes", tt.name)
		}
		r.Advance(desk, time.Hour)
		if len(r.pools) != 0 || r.silent.Len() != 0 || r.remembered != 0 {
			t.Errorf("%s: %d pools, %d looked at, %d remembered after an hour", tt.name,
				len(r.pools), r.silent.Len(), r.remembered)
		}
	}
}
