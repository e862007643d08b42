package transfer

import (
	"testing"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/rule/ruletest"
	"tcpwhy/analysis/report"
)

// TestRestartsForget: hosts that have been silent make room for others.
func TestRestartsForget(t *testing.T) {
	kept := &rule.Draft{Exchange: ledger.Exchange{
		Account: ledger.Account{Transfers: ledger.Transfers{
			Flow:   ledger.Flow{MSS: 1000, Idle: ledger.Idle{Since: time.Second, Peak: 40_000}},
			Rounds: []ledger.Round{{Bytes: 40_000}},
		}},
	}}
	var d ruletest.Desk
	found := d.Put(rule.Key{Rule: afterIdleRule, Pair: ruletest.Pair()}, report.ConfidenceHigh)
	r := SlowStartAfterIdle.Across.Start()
	for p, at := range ruletest.Strangers(rule.MaxPaths) {
		d.Judged(r, &rule.Conn{Pair: p}, kept, at)
	}
	d.Judged(r, &rule.Conn{Pair: ruletest.Pair()}, kept, 2*rule.MaxPaths*time.Second)
	if r.Finish(&d); found.Certainty != report.ConfidenceMedium {
		t.Errorf("%s confidence, want medium: the latest host kept its window", found.Certainty)
	}
}
