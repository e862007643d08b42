package connect

import (
	"testing"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/rule/ruletest"
	"tcpwhy/analysis/report"
)

// TestForgottenIsNotOpen ends connections that never were closed, as those that age out.
func TestForgottenIsNotOpen(t *testing.T) {
	var d ruletest.Desk
	p := ruletest.Pair()
	counts := ParallelConnections.Across.Start().(*connectionCounts)
	pools := PoolWait.Across.Start().(*poolWaits)
	ports := PortExhaustion.Across.Start().(*portLoads)
	open := func() [3]int {
		return [3]int{counts.pairs.Has(p).open, pools.pairs.Has(p).open, ports.pairs.Has(p).open}
	}
	for id := range 5 {
		c := &rule.Conn{Id: id, Pair: p}
		for _, r := range []rule.Across{counts, pools, ports} {
			d.Began(r, c, &rule.Began{Pair: p, First: true}, 0)
		}
		if got := open(); got != [3]int{1, 1, 1} {
			t.Errorf("%v are open, and it is one", got)
		}
		for _, r := range []rule.Across{counts, pools, ports} {
			d.Gone(r, c, &rule.Gone{Pair: p, Info: &report.ConnInfo{}}, 0)
		}
	}
	if got := open(); got != [3]int{} {
		t.Errorf("%v are open though all are over", got)
	}
}
