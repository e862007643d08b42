package judge

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/rule/ruletest"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly/exchange"
)

// spans are stretches of time, by the milliseconds at which they begin and end.
func spans(ms ...int) (out []report.Interval) {
	for i := 0; i+1 < len(ms); i += 2 {
		out = append(out, report.Interval{From: time.Duration(ms[i]) * time.Millisecond,
			To: time.Duration(ms[i+1]) * time.Millisecond})
	}
	return out
}

func TestUncovered(t *testing.T) {
	tests := []struct {
		name        string
		lost, cover []report.Interval
		want        int
	}{
		{"nothing lost", nil, spans(0, 9), 0},
		{"nothing beside it", spans(0, 10), nil, 10},
		{"lost twice counts once", spans(0, 10, 5, 15), nil, 15},
		{"all of it", spans(5, 8), spans(0, 9), 0},
		{"its middle", spans(0, 10), spans(3, 5), 8},
		{"both ends, and what touches", spans(10, 20, 30, 40), spans(0, 12, 18, 30, 39, 50), 6 + 9},
		{"one cover over two", spans(0, 10, 20, 30), spans(5, 25), 10},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := time.Duration(tt.want) * time.Millisecond
			if got := uncovered(tt.lost, tt.cover); got != want {
				t.Errorf("uncovered = %v, want %v", got, want)
			}
		})
	}
}

// TestSpread: claims that overlap within an exchange stand for other time of it, its latest.
func TestSpread(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		lost []report.Interval
		cost int
		want []report.Interval
	}{
		{spans(10, 20), 10, spans(10, 20)},
		{spans(10, 20, 10, 20), 20, spans(10, 20, 90, 100)},
		{spans(80, 100), 30, spans(70, 100)},
		{spans(50, 95), 70, spans(30, 100)},
		{spans(0, 100), 150, spans(0, 100)},
		{nil, 30, spans(70, 100)},
	} {
		within := report.Interval{To: 100 * ms}
		got := report.Union(spread(tt.lost, within, time.Duration(tt.cost)*ms))
		if !slices.Equal(got, tt.want) {
			t.Errorf("%v, %d ms: %v, want %v", tt.lost, tt.cost, got, tt.want)
		}
	}
}

// TestUncoveredBruteForce compares with counting milliseconds.
func TestUncoveredBruteForce(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	some := func() (out []int) {
		for range rng.IntN(6) {
			from := rng.IntN(40)
			out = append(out, from, from+rng.IntN(12))
		}
		return out
	}
	for range 500 {
		lost, cover := some(), some()
		want := time.Duration(0)
		for at := range 60 {
			if in(lost, at) && !in(cover, at) {
				want += time.Millisecond
			}
		}
		if got := uncovered(spans(lost...), spans(cover...)); got != want {
			t.Fatalf("lost %v, cover %v: %v, want %v", lost, cover, got, want)
		}
	}
}

// in reports whether a millisecond is in one of the stretches.
func in(ms []int, at int) bool {
	for i := 0; i+1 < len(ms); i += 2 {
		if ms[i] <= at && at < ms[i+1] {
			return true
		}
	}
	return false
}

// heldKey is a finding about a pair of hosts.
func heldKey() rule.Key { return rule.Key{Rule: "hold", Cause: "request", Pair: ruletest.Pair()} }

// heldFor is a claim about a stretch of time, of which a fix would save a millisecond.
func heldFor(from, to time.Duration) []rule.Claim {
	c := rule.Claim{Rule: heldKey().Rule, Cause: heldKey().Cause}
	c.Occ.Start, c.Occ.End, c.Occ.Cost.Expected = from, to, time.Millisecond
	return []rule.Claim{c}
}

// lasting is an exchange with its response.
func lasting(id int, from, to time.Duration, response *exchange.Message) *rule.Judged {
	return ruletest.Judge(
		&rule.Draft{
			Info: &report.ExchangeInfo{ID: id},
			Exchange: ledger.Exchange{
				Account: ledger.Account{From: from, Until: to},
				Parsed:  &exchange.Exchange{Response: response},
			},
		},
	)
}

// TestWallClockIsBounded: a client that is never without an open exchange is settled all the same.
func TestWallClockIsBounded(t *testing.T) {
	j, p := New(Limits{}, nil, nil), ruletest.Pair()
	j.groups[heldKey()] = &group{}
	j.clock.began(p.Client, 0, 0) // never judged
	n := 5 * maxCluster
	for i := 1; i <= n; i++ {
		from := time.Duration(i) * time.Second
		j.clock.began(p.Client, i, from)
		x := lasting(i, from, from+time.Second/2, nil)
		j.clock.judged(j, p, x, heldFor(from, from+time.Millisecond), 0)
		held := len(j.clock.clients[p.Client].items)
		if held > 2*maxCluster || held != j.clock.held {
			t.Fatalf("%d exchanges are held, counted as %d", held, j.clock.held)
		}
	}
	g := j.groups[heldKey()]
	if g.walled < time.Duration(n-maxCluster)*time.Millisecond || g.wall != 0 {
		t.Errorf("%v by the clock of %v, want none: one exchange ran beside all", g.wall, g.walled)
	}
	j.clock.finish(j)
	for i := range 2 * maxHeld {
		j.clock.began(ruletest.Host(i), i, 0)
	}
	if j.clock.held > maxHeld {
		t.Errorf("%d exchanges are held, more than %d", j.clock.held, maxHeld)
	}
}

func TestWallCostOfWhatWasNotFollowed(t *testing.T) {
	g := &group{cost: report.Cost{Expected: 100}, clocked: clocked{wall: 10, walled: 40}}
	if got := g.wallCost(); got != 70 {
		t.Errorf("wallCost() = %d, want 10 and the 60 that were not followed", got)
	}
}

// Nobody waits for the end of a stream of events: what another exchange loses meanwhile is lost by
// the clock, too.
func TestWallClockBesideStream(t *testing.T) {
	for facts, want := range map[exchange.Facts]time.Duration{
		0: 0, exchange.EventStream: time.Millisecond} {
		j, p := New(Limits{}, nil, nil), ruletest.Pair()
		j.groups[heldKey()] = &group{cost: report.Cost{Expected: time.Millisecond}}
		j.clock.began(p.Client, 0, 0)
		j.clock.began(p.Client, 1, time.Second)
		x := lasting(1, time.Second, 2*time.Second, nil)
		j.clock.judged(j, p, x, heldFor(time.Second, 2*time.Second), 0)
		beside := lasting(0, 0, 10*time.Second, &exchange.Message{Facts: facts})
		j.clock.judged(j, p, beside, nil, 0)
		if got := j.groups[heldKey()].wallCost(); got != want {
			t.Errorf("facts %x: %v by the clock, want %v", facts, got, want)
		}
	}
}
