package transfer

import (
	"fmt"
	"testing"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/rule/ruletest"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
)

// thinker feeds the comparison with exchanges, one after the other.
type thinker struct {
	t  *serverTimes
	d  ruletest.Desk
	c  rule.Conn
	at time.Duration
	n  int
	// rtt is the round trip, and stamped whether timestamps tell what of a wait was a queue.
	rtt     time.Duration
	stamped bool
}

func newThinker() *thinker {
	return &thinker{t: pathAcross.Start().(*serverTimes), c: rule.Conn{Pair: ruletest.Pair()}}
}

// ask is an exchange over which the server took that long.
func (k *thinker) ask(path string, took time.Duration) {
	k.at += time.Millisecond + took
	x := &exchange.Exchange{Method: "GET", Target: path, Index: k.n,
		Request:  &exchange.Message{End: capture.Mark{Time: k.at - took, Frame: 1}},
		Response: &exchange.Message{Start: capture.Mark{Time: k.at, Frame: 2}}}
	draft := &rule.Draft{
		Info: &report.ExchangeInfo{ID: k.n},
		Exchange: ledger.Exchange{
			Account: ledger.Account{
				Index:     k.n,
				Transfers: ledger.Transfers{Flow: ledger.Flow{RTT: k.rtt, Stamped: k.stamped}},
			},
			Parsed: x,
		},
	}
	draft.Times[report.Think] = took
	k.d.Judged(k.t, &k.c, draft, k.at)
	k.n++
}

// found is how many exchanges stand out, and the mean of what they cost.
func (k *thinker) found() (int, time.Duration) {
	k.t.Finish(&k.d)
	f := k.d.Booked[rule.Key{Rule: thinkRule, Pair: k.c.Pair}]
	if f == nil {
		return 0, 0
	}
	return f.N, f.Cost.Expected / time.Duration(f.N)
}

// TestThinksWithoutEnd: what stands out is found however much there was before, and after.
func TestThinksWithoutEnd(t *testing.T) {
	usual := func(k *thinker, n int) {
		for range n {
			k.ask("/api", 10*time.Millisecond)
		}
	}
	paths := func(k *thinker, n int) {
		for i := range n {
			k.ask(
				fmt.Sprintf("/item/%c%c%c", 'a'+i%26, 'a'+i/26%26, 'a'+i/676),
				10*time.Millisecond,
			)
		}
	}
	slow := func(k *thinker) { k.ask("/api", 2*time.Second) }
	for _, tt := range []struct {
		name string
		fill func(*thinker)
		want int
	}{
		{"early", func(k *thinker) { usual(k, 100); slow(k); usual(k, 20_001) }, 1},
		{"late", func(k *thinker) { usual(k, 20_001); slow(k); usual(k, 100) }, 1},
		{"now and then", func(k *thinker) {
			for range 16 {
				usual(k, 1001)
				slow(k)
			}
		}, 16},
		{"behind many other paths", func(k *thinker) { paths(k, 5000); usual(k, 100); slow(k) }, 1},
		{"before many other paths", func(k *thinker) { usual(k, 100); slow(k); paths(k, 5000) }, 1},
		{"nothing", func(k *thinker) { usual(k, 10_000); paths(k, 5000) }, 0},
	} {
		k := newThinker()
		tt.fill(k)
		if n, cost := k.found(); n != tt.want || n > 0 && cost != 1990*time.Millisecond {
			t.Errorf("%s: %d stand out, each by %v, want %d", tt.name, n, cost, tt.want)
		}
		if len(k.t.at) > maxEndpoints {
			t.Errorf("%s: %d endpoints are kept", tt.name, len(k.t.at))
		}
		for _, of := range k.t.services.all {
			if len(of.log) >= maxServed || len(of.names) > len(of.log) {
				t.Errorf("%s: %d exchanges of %s are kept", tt.name, len(of.log), of.addr)
			}
		}
		for e, l := range k.t.at {
			if len(l.sample) > maxThinks || len(l.slow) > maxSlow {
				t.Errorf("%s: of %s %d and %d exchanges are kept",
					tt.name, e.template, len(l.sample), len(l.slow))
			}
		}
	}
}

// TestManyPathsTwice: which endpoints are forgotten does not depend on chance.
func TestManyPathsTwice(t *testing.T) {
	var want string
	for range 3 {
		k := newThinker()
		for i := range 20_000 {
			took := time.Duration(1+i%7/6*2) * time.Second
			k.ask(fmt.Sprintf("/item/%c%c%c", 'a'+i*i%29, 'a'+i*i/29%10, 'a'+i*i%11), took)
		}
		n, cost := k.found()
		if got := fmt.Sprint(n, cost); want == "" {
			want = got
		} else if got != want {
			t.Errorf("%s, want %s as the first time", got, want)
		}
	}
}
