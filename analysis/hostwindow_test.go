package analysis

import (
	"net/netip"
	"testing"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/report"
)

func TestScattered(t *testing.T) {
	tests := []struct {
		name    string
		windows []int64
		want    bool
	}{
		{"too few to tell", []int64{3, 10, 20}, false},
		{"the same each time", []int64{10, 10, 10, 10}, false},
		{"but for a segment", []int64{10, 9, 11, 10, 10}, false},
		{"half of them", []int64{10, 10, 3, 25}, false},
		{"as the application likes", []int64{3, 17, 9, 40, 25}, true},
	}
	for _, tt := range tests {
		if got := scattered(tt.windows); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

// hostJudge is a judge with one finding of the rule, and the member that it belongs to.
func hostJudge(rule string) (*judge, *member, *group) {
	m := &member{pair: report.Pair{Client: netip.MustParseAddr("10.0.0.1"), Server: netip.MustParseAddrPort("10.0.0.2:80")}}
	g := &group{confidence: report.ConfidenceHigh}
	return &judge{groups: map[groupKey]*group{{rule: rule, pair: m.pair}: g}}, m, g
}

func TestInitialWindows(t *testing.T) {
	for _, tt := range []struct {
		name  string
		first []int64
		want  report.Confidence
	}{{"a kernel's", []int64{10, 10, 10, 10, 10}, report.ConfidenceHigh}, {"an application's", []int64{4, 12, 20, 28, 7}, report.ConfidenceMedium}} {
		j, m, g := hostJudge(slowStart.Name)
		r := &initialWindows{}
		for i, n := range tt.first {
			x := &draft{Exchange: ledger.Exchange{Flow: ledger.Flow{Mss: 1448}, Rounds: []ledger.Round{{Bytes: n * 1448}, {Bytes: 20 * 1448}}}}
			x.Times[report.SlowStart] = 50 * time.Millisecond
			r.event(j, m, &event{at: time.Duration(i), data: x})
		}
		if r.finish(j); g.confidence != tt.want {
			t.Errorf("%s window: %s confidence, want %s", tt.name, g.confidence, tt.want)
		}
	}
}

func TestIdleRestarts(t *testing.T) {
	for _, tt := range []struct {
		name         string
		forgot, kept int
		want         report.Confidence
	}{{"always", 3, 0, report.ConfidenceHigh}, {"mostly", 3, 1, report.ConfidenceHigh}, {"seldom", 1, 4, report.ConfidenceMedium}} {
		j, m, g := hostJudge(slowStartAfterIdle.Name)
		r := &idleRestarts{}
		for i := range tt.forgot + tt.kept {
			x := &draft{Exchange: ledger.Exchange{Flow: ledger.Flow{Mss: 1000, Idle: ledger.Idle{Since: time.Second, Peak: 40_000}}, Rounds: []ledger.Round{{Bytes: 40_000}}}}
			if i < tt.forgot {
				x.Rounds[0].Bytes = 10_000
				x.Times[report.SlowStartIdle] = 100 * time.Millisecond
			}
			r.event(j, m, &event{data: x})
		}
		if r.finish(j); g.confidence != tt.want {
			t.Errorf("a host that %s forgets: %s confidence, want %s", tt.name, g.confidence, tt.want)
		}
	}
}

// TestContradictedHolds: where most connections of a client never waited, the holds of one are less
// sure.
func TestContradictedHolds(t *testing.T) {
	j, m, _ := hostJudge("")
	key := groupKey{nagleDelayedAck.Name, "request", m.pair}
	j.groups[key] = &group{confidence: report.Proven}
	r := &nagleHosts{}
	r.tally(&overConn{pair: m.pair, nagle: [2]ledger.NagleTally{{Held: 3, Least: time.Millisecond}}}, 0)
	r.tally(&overConn{pair: m.pair, nagle: [2]ledger.NagleTally{{Prompt: 9}}}, 0)
	if r.finish(j); j.groups[key].confidence != report.ConfidenceHigh {
		t.Errorf("%s confidence, want high", j.groups[key].confidence)
	}
}

// hostsWithoutEnd are clients of many addresses, more than a table holds, and their moments, a
// second apart.
func hostsWithoutEnd(f func(p report.Pair, at time.Duration)) {
	for i := range 2 * maxPairs {
		a := netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)})
		f(report.Pair{Client: a, Server: netip.AddrPortFrom(a, 80)}, time.Duration(i)*time.Second)
	}
}

// TestTablesForget: hosts that have been silent make room for others.
func TestTablesForget(t *testing.T) {
	j, m, g := hostJudge(slowStartAfterIdle.Name)
	var windows idleRestarts
	var holds nagleHosts
	kept := &draft{Exchange: ledger.Exchange{Flow: ledger.Flow{Mss: 1000, Idle: ledger.Idle{Since: time.Second, Peak: 40_000}}, Rounds: []ledger.Round{{Bytes: 40_000}}}}
	of := func(p report.Pair, at time.Duration) {
		windows.event(j, &member{pair: p}, &event{at: at, data: kept})
		over := &overConn{pair: p, info: &report.ConnInfo{}, nagle: [2]ledger.NagleTally{{Prompt: 9}}}
		over.delacks[1] = []time.Duration{1, 1, 1, 1}
		holds.event(j, &member{pair: p}, &event{at: at, data: over})
	}
	hostsWithoutEnd(of)
	of(m.pair, 2*maxPairs*time.Second)
	if windows.finish(j); g.confidence != report.ConfidenceMedium {
		t.Errorf("idle restarts: %s confidence, want medium", g.confidence)
	}
	if holds.pairs.has(m.pair) == nil || holds.timers.hosts.has(alone(m.pair.Server.Addr())) == nil {
		t.Error("what the latest host showed of Nagle's algorithm, or of its timer, is not known")
	}
}

// TestHoldsWithoutEnd: of holds without end the latest wait for the end of the capture.
func TestHoldsWithoutEnd(t *testing.T) {
	j, m, _ := hostJudge("")
	r := &nagleHosts{}
	for i := range 3*maxHeldOnce + 5 {
		m.id = i
		r.event(j, m, &event{data: &draft{info: &report.ExchangeInfo{ID: i}, once: []heldOnce{{}}}})
		r.event(j, m, &event{data: &overConn{pair: m.pair, info: &report.ConnInfo{}}})
	}
	if n := len(r.waiting); n > maxHeldOnce || r.waiting[n-1].info.ID != 3*maxHeldOnce+4 || len(r.open) > 0 {
		t.Errorf("%d wait, the last of exchange %d; %d connections are open", n, r.waiting[n-1].info.ID, len(r.open))
	}
}
