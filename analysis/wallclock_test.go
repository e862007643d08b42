package analysis

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

func spans(ms ...int) (out []report.Interval) {
	for i := 0; i+1 < len(ms); i += 2 {
		out = append(out, report.Interval{From: time.Duration(ms[i]) * time.Millisecond, To: time.Duration(ms[i+1]) * time.Millisecond})
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
			if got := uncovered(tt.lost, tt.cover); got != time.Duration(tt.want)*time.Millisecond {
				t.Errorf("uncovered = %v, want %d ms", got, tt.want)
			}
		})
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
		want := 0
		for at := range 60 {
			if in(lost, at) && !in(cover, at) {
				want++
			}
		}
		if got := uncovered(spans(lost...), spans(cover...)); got != time.Duration(want)*time.Millisecond {
			t.Fatalf("lost %v, cover %v: %v, want %d ms", lost, cover, got, want)
		}
	}
}

func in(ms []int, at int) bool {
	for i := 0; i+1 < len(ms); i += 2 {
		if ms[i] <= at && at < ms[i+1] {
			return true
		}
	}
	return false
}

// heldTalk is a connection with n requests in two pieces from at on, one in a second, each held for
// 50 ms.
func heldTalk(port int, at float64, n int) *talk {
	k := newTalk(port).open(at, 0.010)
	for i := range n {
		at := at + 0.1 + float64(i)
		k.ask(at, "POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\n\r\n")
		k.line("%.6f < . %d:%d(0) ack %d", at+0.050, k.s, k.s, k.c)
		k.ask(at+0.0501, "body").answer(at+0.0651, "HTTP/1.1 204 No Content\r\n\r\n").ack(at + 0.06511)
	}
	return k
}

// TestWallClock: one after the other, holds cost what they add up to; all at once, as much as one;
// beside a response that takes as long anyway, nothing.
func TestWallClock(t *testing.T) {
	beside := newTalk(41000).open(0, 0.010).ask(0.05, "GET /slow HTTP/1.1\r\nHost: a.example\r\n\r\n").
		answer(6, "HTTP/1.1 204 No Content\r\n\r\n").ack(6.0001).bye(7, 0.010)
	alone := []*talk{heldTalk(40000, 0, 3).bye(9, 0.010)}
	together := []*talk{heldTalk(40000, 0, 3).bye(9, 0.010), heldTalk(40001, 0, 3).bye(9, 0.010)}
	tests := []struct {
		name     string
		talks    []*talk
		sum, min float64
		max      float64
	}{
		{"one after the other", alone, 150, 149, 151},
		{"two at a time", together, 300, 149, 151},
		{"beside a slow response", append([]*talk{beside}, alone...), 150, 0, 0.001},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := find(connReport(t, tt.talks...), "nagle-delayed-ack", "request")
			if f == nil {
				t.Fatal("no finding")
			}
			sum, wall := float64(f.Cost.Expected)/1e6, float64(f.Wall)/1e6
			if sum < tt.sum-2 || sum > tt.sum+2 || wall < tt.min || wall > tt.max {
				t.Errorf("costs %.1f ms, %.1f ms by the clock; want %.1f and %.1f to %.1f", sum, wall, tt.sum, tt.min, tt.max)
			}
		})
	}
}

// TestWallClockIsBounded: a client that is never without an open exchange is settled all the same.
func TestWallClockIsBounded(t *testing.T) {
	j := &judge{groups: map[groupKey]*group{}}
	p := report.Pair{Client: netip.MustParseAddr("10.0.0.1"), Server: netip.MustParseAddrPort("10.0.0.2:80")}
	key := groupKey{"nagle", "request", p}
	j.groups[key] = &group{}
	j.clock.began(p.Client, 0, 0) // never judged
	n := 5 * maxCluster
	for i := 1; i <= n; i++ {
		from := time.Duration(i) * time.Second
		j.clock.began(p.Client, i, from)
		c := claim{rule: "nagle", cause: "request", occ: report.Occurrence{Start: from, End: from + time.Millisecond, Cost: report.Cost{Expected: time.Millisecond}}}
		j.clock.judged(j, p, &draft{info: &report.ExchangeInfo{ID: i}, Exchange: ledger.Exchange{Parsed: &reassembly.Exchange{}, From: from, Until: from + time.Second/2}}, []claim{c})
		if held := len(j.clock.clients[p.Client].items); held > 2*maxCluster || held != j.clock.held {
			t.Fatalf("%d exchanges are held, counted as %d", held, j.clock.held)
		}
	}
	if g := j.groups[key]; g.walled < time.Duration(n-maxCluster)*time.Millisecond || g.wall != 0 {
		t.Errorf("%v by the clock of %v, want none: one exchange ran beside all", g.wall, g.walled)
	}
	j.clock.finish(j)
	for i := range 2 * maxHeld {
		j.clock.began(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), i, 0)
	}
	if j.clock.held > maxHeld {
		t.Errorf("%d exchanges are held, more than %d", j.clock.held, maxHeld)
	}
}

func TestWallCostOfWhatWasNotFollowed(t *testing.T) {
	g := &group{cost: report.Cost{Expected: 100}, wall: 10, walled: 40}
	if got := g.wallCost(); got != 70 {
		t.Errorf("wallCost() = %d, want 10 and the 60 that were not followed", got)
	}
}

func TestCombined(t *testing.T) {
	wait := func(from, to, cost int) claim {
		s := spans(from, to)
		return claim{lost: s, occ: report.Occurrence{Start: s[0].From, End: s[0].To, Cost: report.Cost{Expected: time.Duration(cost) * time.Millisecond}}}
	}
	windowOf := func(dir reassembly.Dir, saved int, cwnd int64, room bool) claim {
		d := time.Duration(saved) * time.Millisecond
		return claim{window: remedied{dir, d, cwnd, room}, occ: report.Occurrence{Cost: report.Cost{Expected: d}}}
	}
	window := func(saved int, cwnd int64, room bool) claim {
		return windowOf(reassembly.FromServer, saved, cwnd, room)
	}
	// 300 kB at 100 ms: 4 rounds wait with 10 segments to begin with; a window of 30 kB makes it 9.
	j := &draft{Exchange: ledger.Exchange{Until: 2 * time.Second, Flow: ledger.Flow{Bytes: 300_000, Mss: 1000, Initial: 10_000, Rtt: 100 * time.Millisecond, Window: 30_000}}}
	j.Times[report.SlowStart], j.Times[report.RWnd] = 100*time.Millisecond, 800*time.Millisecond
	tests := []struct {
		name   string
		claims []claim
		want   int
	}{
		{"nothing", nil, 0},
		{"waits apart", []claim{wait(0, 40, 40), wait(100, 150, 30)}, 70},
		{"the same wait twice", []claim{wait(0, 40, 40), wait(0, 40, 40)}, 40},
		{"waits that overlap", []claim{wait(0, 40, 40), wait(30, 60, 25)}, 60},
		{"more than one piece", []claim{wait(0, 40, 90)}, 90},
		{"never more than it took", []claim{wait(0, 1900, 1900), wait(1900, 2000, 500)}, 2000},
		{"one window", []claim{window(50, 32, false)}, 50},
		{"both windows: what slow start takes behind the receive window remains", []claim{window(50, 32, false), window(500, 0, true)}, 600},
		{"windows of both messages", []claim{window(50, 32, false), windowOf(reassembly.FromClient, 500, 0, true)}, 550},
		{"both, and no window remains", []claim{window(50, 300, false), window(500, 0, true)}, 900},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := j.combined(tt.claims); got != time.Duration(tt.want)*time.Millisecond {
				t.Errorf("combined() = %v, want %d ms", got, tt.want)
			}
		})
	}
}

// TestLostIsNoSum: of a hold and a loss at once, the time counts once.
func TestLostIsNoSum(t *testing.T) {
	r := connReport(t, heldTalk(40000, 0, 4).bye(9, 0.010))
	var sum time.Duration
	for i := range r.Findings {
		sum += r.Findings[i].Cost.Expected
	}
	if r.Lost <= 0 || r.Lost > sum || r.Lost > r.ExchangeTime {
		t.Errorf("%v lost of %v; findings add up to %v: %s", r.Lost, r.ExchangeTime, sum, fmt.Sprint(foundBy(r)))
	}
}

// Nobody waits for the end of a stream of events: what another exchange loses meanwhile is lost by
// the clock, too.
func TestWallClockBesideStream(t *testing.T) {
	for facts, want := range map[reassembly.Facts]time.Duration{0: 0, reassembly.EventStream: time.Millisecond} {
		j := &judge{groups: map[groupKey]*group{}}
		p := report.Pair{Client: netip.MustParseAddr("10.0.0.1"), Server: netip.MustParseAddrPort("10.0.0.2:80")}
		key := groupKey{"nagle", "request", p}
		j.groups[key] = &group{cost: report.Cost{Expected: time.Millisecond}}
		j.clock.began(p.Client, 0, 0)
		j.clock.began(p.Client, 1, time.Second)
		c := claim{rule: key.rule, cause: key.cause, occ: report.Occurrence{Start: time.Second, End: 2 * time.Second, Cost: report.Cost{Expected: time.Millisecond}}}
		j.clock.judged(j, p, &draft{info: &report.ExchangeInfo{ID: 1}, Exchange: ledger.Exchange{Parsed: &reassembly.Exchange{}, From: time.Second, Until: 2 * time.Second}}, []claim{c})
		x := &reassembly.Exchange{Response: &reassembly.Message{Facts: facts}}
		j.clock.judged(j, p, &draft{info: &report.ExchangeInfo{}, Exchange: ledger.Exchange{Parsed: x, Until: 10 * time.Second}}, nil)
		if got := j.groups[key].wallCost(); got != want {
			t.Errorf("facts %x: %v by the clock, want %v", facts, got, want)
		}
	}
}
