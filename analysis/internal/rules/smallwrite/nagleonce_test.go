package smallwrite

import (
	"testing"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/rule/ruletest"
	"tcpwhy/analysis/report"
)

// TestTalliesForget: clients that have been silent make room for others.
func TestTalliesForget(t *testing.T) {
	var d ruletest.Desk
	r := nagleAcross.Start().(*nagleHosts)
	over := func(p report.Pair) *rule.Gone {
		return &rule.Gone{Pair: p, Info: &report.ConnInfo{},
			Nagle: [2]ledger.NagleTally{{Prompt: 9}}}
	}
	for p, at := range ruletest.Strangers(rule.MaxPaths) {
		d.Gone(r, &rule.Conn{Pair: p}, over(p), at)
	}
	if p := ruletest.Pair(); r.pairs.Has(p) != nil {
		t.Error("one that never was there is known")
	}
	p, late := ruletest.Pair(), 2*rule.MaxPaths*time.Second
	if d.Gone(r, &rule.Conn{Pair: p}, over(p), late); r.pairs.Has(p) == nil {
		t.Error("what the latest client showed of Nagle's algorithm is not known")
	}
}

// TestHoldsWithoutEnd: of holds without end the latest wait for the end of the capture.
func TestHoldsWithoutEnd(t *testing.T) {
	var d ruletest.Desk
	r := nagleAcross.Start().(*nagleHosts)
	p := ruletest.Pair()
	last := 3*maxHeldOnce + 4
	for i := range last + 1 {
		hold := rule.Claim{Rule: roundTripHold, Cause: "request", Referred: true}
		hold.Occ.Connection, hold.Occ.Exchange = i, i
		r.Refer(&d, rule.Referred{Subject: rule.Subject{Pair: p}, Claim: hold})
		d.Gone(r, &rule.Conn{Id: i, Pair: p}, &rule.Gone{Pair: p, Info: &report.ConnInfo{}}, 0)
	}
	n := len(r.waiting)
	if n > maxHeldOnce || r.waiting[n-1].Occ.Exchange != last || len(r.open) > 0 {
		t.Errorf("%d wait, the last of exchange %d; %d connections are open",
			n, r.waiting[n-1].Occ.Exchange, len(r.open))
	}
}
