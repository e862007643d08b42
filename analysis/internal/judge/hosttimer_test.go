package judge

import (
	"testing"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/rule/ruletest"
	"tcpwhy/analysis/report"
)

// TestTimersForget: hosts that have been silent make room for others.
func TestTimersForget(t *testing.T) {
	var timers hostTimers
	learn := func(p report.Pair, at time.Duration) {
		timers.Learn(&rule.Gone{Pair: p, Delacks: [2][]time.Duration{1: {1, 1, 1, 1}}}, at)
	}
	for p, at := range ruletest.Strangers(rule.MaxPairs) {
		learn(p, at)
	}
	p := ruletest.Pair()
	learn(p, 2*rule.MaxPairs*time.Second)
	if timers.Of(p.Server.Addr()) == nil || timers.Of(p.Client) != nil {
		t.Error("the timer of the latest host is not known, or one that it did not show is")
	}
	for range keptDelacks {
		learn(p, 2*rule.MaxPairs*time.Second)
	}
	if n := len(timers.Of(p.Server.Addr())); n != keptDelacks {
		t.Errorf("%d delays of a host are kept, want %d", n, keptDelacks)
	}
}
