package judge

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"tcpwhy/analysis/internal/grade"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/rule/ruletest"
	"tcpwhy/analysis/report"
)

func TestSeverity(t *testing.T) {
	ms := time.Millisecond
	cost := func(d time.Duration) report.Cost { return report.Cost{Expected: d} }
	all := func(exchanges int, took time.Duration) pairTotals {
		return pairTotals{Totals: rule.Totals{Exchanges: exchanges, Time: took}}
	}
	tests := []struct {
		name string
		g    group
		all  pairTotals
		want report.Severity
	}{
		{"most of the time, every exchange",
			group{count: 9, affected: 9, cost: cost(900 * ms), time: 1000 * ms},
			all(10, 1100*ms), report.High},
		{"a tenth of the time in small portions",
			group{count: 100, affected: 100, cost: cost(25 * 100 * ms), time: 20000 * ms,
				rtt: 40 * ms, worst: 25 * ms},
			all(100, 20000*ms), report.Medium},
		{"one slow exchange among many",
			group{count: 1, affected: 1, cost: cost(30 * ms), worst: 30 * ms, time: 90 * ms},
			all(1000, 90000*ms), report.Low},
		{"nothing to speak of",
			group{count: 50, affected: 50, cost: cost(1 * ms), worst: ms / 50, time: 50 * ms},
			all(5000, 5000*ms), report.Info},
		{"no cost", group{count: 1}, all(1, ms), report.Info},
		{"one slow start of a short capture",
			group{count: 1, affected: 1, cost: cost(19 * ms), worst: 19 * ms, time: 90 * ms,
				rtt: 20 * ms},
			all(1, 90*ms), report.Low},
		{"the same on each of many connections",
			group{count: 9, affected: 9, cost: cost(9 * 29 * ms), worst: 29 * ms,
				time: 9 * 90 * ms, rtt: 20 * ms},
			all(9, 9*90*ms), report.High},
		{"once, and most of the time there was",
			group{count: 1, affected: 1, cost: cost(300 * ms), worst: 300 * ms, time: 400 * ms},
			all(1, 400*ms), report.Medium},
		{"once for a second",
			group{count: 1, affected: 1, cost: cost(1000 * ms), worst: 1000 * ms,
				time: 1100 * ms},
			all(20, 9000*ms), report.High},
		{"once for half a minute, in hours",
			group{count: 1, affected: 1, cost: cost(30000 * ms), worst: 30000 * ms,
				time: 30100 * ms},
			all(900, 9000000*ms), report.High},
		{"once for long, and hardly ever else",
			group{count: 9, affected: 9, cost: cost(908 * ms), worst: 900 * ms, time: 1200 * ms},
			all(20, 9000*ms), report.Low},
		{"a window that holds one transfer in each of its round trips",
			group{count: 1, affected: 1, cost: cost(400 * ms), worst: 20 * ms, time: 600 * ms},
			all(1, 600*ms), report.High},
		{"data lost", group{count: 1, affected: 1, correctness: true}, all(1000, ms), report.High},
		{"data lost often", group{count: 20, affected: 20, correctness: true},
			all(1000, ms), report.Critical},
		{"data lost, and no exchange judged so far", group{count: 1, correctness: true},
			pairTotals{}, report.High},
		{"an order lost", group{count: 1, affected: 1, correctness: true, unsafe: true},
			all(1000, ms), report.Critical},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.g.graded(&tt.all, grade.Sum{Cost: tt.g.cost.Expected, Worst: tt.g.worst}); got != tt.want {
				t.Errorf("graded() = %v, want %v", got, tt.want)
			}
		})
	}
}

// TestSeverityAtAService: what each of many clients meets once comes back; what one of them met for
// long does not become theirs.
func TestSeverityAtAService(t *testing.T) {
	rules := []*rule.Detector{limited(nil)}
	grades := func(costs ...int) (all []report.Severity) {
		j := New(Limits{}, rules, rules)
		for i, ms := range costs {
			pair := ruletest.Pair()
			pair.Client = netip.AddrFrom4([4]byte{10, 0, 1, byte(i)})
			took := time.Duration(ms) * time.Millisecond
			m := &member{Conn: rule.Conn{Pair: pair}}
			j.pairTotal(m, 3*took, 0)
			s := rule.Subject{Pair: pair, Known: true, Took: 3 * took}
			c := rule.Claim{Rule: "limited", Cause: "requests", Confidence: report.ConfidenceHigh}
			c.Occ.Cost.Expected = took
			j.Book(s, &c)
		}
		for _, f := range j.reported() {
			all = append(all, f.Severity)
		}
		return all
	}
	if got := grades(90); got[0] != report.Low {
		t.Errorf("one client once: %v", got)
	}
	if got := grades(90, 90, 90, 90); slices.Contains(got, report.Low) {
		t.Errorf("each of four clients once: %v", got)
	}
	if got := grades(900, 2, 2, 2); slices.Max(got) != report.Low {
		t.Errorf("one client for long: %v", got)
	}
}
