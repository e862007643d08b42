package analysis

import (
	"testing"
	"time"
)

// heldTalk is a connection with n requests in two pieces from at on, one in a second, each held for
// 50 ms.
func heldTalk(port int, at float64, n int) *talk {
	k := newTalk(port).open(at, 0.010)
	for i := range n {
		at := at + 0.1 + float64(i)
		k.ask(at, "POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\n\r\n")
		k.line("%.6f < . %d:%d(0) ack %d", at+0.050, k.s, k.s, k.c)
		k.ask(at+0.0501, "body").answer(at+0.0651, "HTTP/1.1 204 No Content\r\n\r\n").
			ack(at + 0.06511)
	}
	return k
}

// TestWallClock: one after the other, holds cost what they add up to; all at once, as much as one;
// beside a response that takes as long anyway, nothing.
func TestWallClock(t *testing.T) {
	beside := newTalk(41000).open(0, 0.010).
		ask(0.05, "GET /slow HTTP/1.1\r\nHost: a.example\r\n\r\n").
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
				t.Errorf("costs %.1f ms, %.1f ms by the clock; want %.1f and %.1f to %.1f", sum,
					wall, tt.sum, tt.min, tt.max)
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
		t.Errorf("%v lost of %v; findings add up to %v: %s", r.Lost, r.ExchangeTime, sum,
			foundBy(r))
	}
}
