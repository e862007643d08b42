package judge

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/rule/ruletest"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
)

// idClaim is a claim of connection 1 that rests on two identifications, 101 and 102, which are
// missing between 10 and 20.
func idClaim(host netip.Addr) *rule.Claim {
	gap := ledger.IDGap{IDRun: ledger.IDRun{First: 100, Last: 103, From: 10, To: 20}, Stride: 1}
	c := &rule.Claim{Asks: &rule.AskedIDs{Host: host, IDGap: gap}}
	c.Occ.Connection = 1
	return c
}

// TestHostIDs: another connection of the host that has what is missing, and nothing else then,
// refutes a claim, whether it was heard of before the claim or after it.
func TestHostIDs(t *testing.T) {
	type heard struct {
		conn int
		run  ledger.IDRun
	}
	fills := heard{2, ledger.IDRun{First: 101, Last: 102, From: 12, To: 13}}
	p := ruletest.Pair()
	for name, c := range map[string]struct {
		heard []heard
		want  bool
	}{
		"nothing":                    {nil, false},
		"another connection":         {[]heard{fills}, true},
		"its own":                    {[]heard{{1, fills.run}}, false},
		"one that counts alone, too": {[]heard{fills, {2, ledger.IDRun{First: 7, Last: 9, To: 30}}}, false},
		"a third that counts alone":  {[]heard{fills, {3, ledger.IDRun{First: 7, Last: 9, To: 30}}}, true},
		"a third that is silent":     {[]heard{fills, {3, ledger.IDRun{First: 7, Last: 9, To: 5}}}, true},
	} {
		for range 2 {
			for before := range len(c.heard) + 1 {
				var h hostIDs
				for i, r := range c.heard {
					if i == before {
						h.ask(rule.Subject{Pair: p}, idClaim(p.Server.Addr()))
					}
					h.learn(&rule.Conn{Id: r.conn, Pair: p}, [2][]ledger.IDRun{1: {r.run}}, 30)
				}
				if before == len(c.heard) {
					h.ask(rule.Subject{Pair: p}, idClaim(p.Server.Addr()))
				}
				if got := h.asked[0].refuted(); got != c.want {
					t.Errorf("%s, %d of it before the question: refuted %t", name, before, got)
				}
			}
			slices.Reverse(c.heard)
		}
	}
}

// TestHostIDsForget: what is kept is bounded, and hosts that have been silent make room.
func TestHostIDsForget(t *testing.T) {
	var h hostIDs
	learn := func(p report.Pair, at time.Duration) {
		runs := []ledger.IDRun{{First: 1, Last: 2, From: at, To: at}}
		h.learn(&rule.Conn{Id: 2, Pair: p}, [2][]ledger.IDRun{1: runs}, at)
	}
	for p, at := range ruletest.Strangers(rule.MaxPairs) {
		learn(p, at)
	}
	p, late := ruletest.Pair(), 2*rule.MaxPairs*time.Second
	for range 3 * keptIDRuns {
		learn(p, late)
	}
	kept := h.hosts.Has(rule.Alone(p.Server.Addr()))
	if kept == nil || len(*kept) < keptIDRuns/2 || len(*kept) > keptIDRuns {
		t.Error("not as many runs of the latest host are kept as should be")
	}
	for range maxIDQuestions + 1 {
		h.ask(rule.Subject{Pair: p}, idClaim(p.Server.Addr()))
	}
	for i := range 2 * maxIDAnswers {
		run := ledger.IDRun{First: 101, Last: 101, From: 12, To: 13}
		h.learn(&rule.Conn{Id: 2 + i, Pair: p}, [2][]ledger.IDRun{1: {run}}, late)
	}
	if len(h.asked) != maxIDQuestions || len(h.asked[0].conns) != maxIDAnswers {
		t.Errorf("%d questions, %d answers", len(h.asked), len(h.asked[0].conns))
	}
}

// TestWithdrawn: a claim that is refuted takes what it cost with it, from the sums, the clock on
// the wall and the times, and leaves others.
func TestWithdrawn(t *testing.T) {
	for _, settled := range []bool{false, true} {
		rules := []*rule.Detector{named("timer")}
		r := trial{j: New(Limits{}, rules, rules)}
		host := ruletest.Pair().Server.Addr()
		wrong, right := claimOf("timer", 0), claimOf("timer", 0)
		wrong.Asks = idClaim(host).Asks
		wrong.Asks.Otherwise = ledger.ToOwn(&ledger.Wait{Label: report.RTO, To: 7, Dir: 1})
		wrong.Occ.Cost.Expected, wrong.Occ.Cost.High = time.Millisecond, time.Millisecond
		wrong.Occ.Start, wrong.Occ.End = 5, time.Second
		right.Occ.End = time.Second
		if !settled {
			r.j.clock.began(ruletest.Pair().Client, 99, 0) // goes on, so that nothing is settled
		}
		r.exchange(wrong)
		r.exchange(right)
		run := ledger.IDRun{First: 101, Last: 102, From: 12, To: 13}
		r.j.ids.learn(&rule.Conn{Id: 2, Pair: ruletest.Pair()}, [2][]ledger.IDRun{1: {run}}, 30)
		out := r.j.Report(&capture.Stats{})
		const left = 10 * time.Millisecond
		wall := left
		if !settled {
			wall = 0 // as another goes on
		}
		if len(out.Findings) != 1 || out.Lost != left {
			t.Fatalf("settled %t: %d findings, lost %s", settled, len(out.Findings), out.Lost)
		}
		f := &out.Findings[0]
		if f.Count != 1 || f.Cost.Expected != left || f.Wall != wall || len(f.Occurrences) != 1 {
			t.Errorf("settled %t: %d times, %v, %s by the clock, %d listed",
				settled, f.Count, f.Cost, f.Wall, len(f.Occurrences))
		}
		for _, l := range out.Times {
			if l.Label == report.Think && l.Time != 7 || l.Label == report.RTO && l.Time != -7 {
				t.Errorf("%s: %s", l.Label, l.Time)
			}
		}
	}
}
