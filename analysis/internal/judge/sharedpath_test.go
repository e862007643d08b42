package judge

import (
	"net/netip"
	"testing"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/rule/ruletest"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// lossKey is the finding of a rule about losses, which others of the client's transfers fill.
func lossKey() rule.Key { return rule.Key{Rule: "loss", Pair: ruletest.Pair()} }

// lossJudge is a judge that has booked a loss in the first exchange of the client, and the claim.
func lossJudge(cost report.Cost) (*Judge, rule.Claim) {
	rules := []*rule.Detector{{Rule: report.Rule{Name: "loss"}, SharesPath: true}}
	j := New(Limits{}, rules, rules)
	c := rule.Claim{Rule: "loss", Confidence: report.ConfidenceHigh,
		Window: rule.Window{Dir: reassembly.FromServer}}
	c.Occ.Start, c.Occ.End, c.Occ.Cost = time.Second/2, time.Second, cost
	j.groups[lossKey()] = &group{cost: cost, counted: true, occurrences: []rule.Occurrence{c.Occ}}
	j.Total.lost = cost.Expected
	return j, c
}

// transfer is an exchange with a response of so many octets, on a path that carries a million in a
// second.
func transfer(id int, until time.Duration, octets int64) *rule.Judged {
	return ruletest.Judge(
		&rule.Draft{
			Info: &report.ExchangeInfo{ID: id},
			Exchange: ledger.Exchange{
				Account: ledger.Account{
					Until:     until,
					Transfers: ledger.Transfers{Flow: ledger.Flow{Rate: 1e6, Bytes: octets}},
				},
				Parsed: &exchange.Exchange{},
			},
		},
	)
}

// While one transfer waits for a repair, others use the path: only what they leave free is lost.
func TestLossOnSharedPath(t *testing.T) {
	server := ruletest.Pair().Server
	for _, tt := range []struct {
		name   string
		other  netip.AddrPort
		octets int64
		want   time.Duration
	}{
		{"nothing beside it", server, 0, 100 * time.Millisecond},
		{"another one takes three quarters", server, 750_000, 25 * time.Millisecond},
		{"by another port", netip.AddrPortFrom(server.Addr(), 81), 750_000, 25 * time.Millisecond},
		{"from another server", netip.MustParseAddrPort("10.0.0.3:80"), 750_000,
			100 * time.Millisecond},
		{"more than the path carries", server, 9_000_000, 0},
	} {
		j, c := lossJudge(report.Cost{Low: 50 * time.Millisecond,
			Expected: 100 * time.Millisecond, High: 100 * time.Millisecond})
		p := ruletest.Pair()
		j.clock.began(p.Client, 0, 0)
		j.clock.began(p.Client, 1, 0)
		j.clock.judged(
			j,
			p,
			transfer(0, time.Second, 250_000),
			[]rule.Claim{c},
			c.Occ.Cost.Expected,
		)
		p.Server = tt.other
		j.clock.judged(j, p, transfer(1, time.Second, tt.octets), nil, 0)
		g := j.groups[lossKey()]
		listed := g.occurrences[0].Cost.Expected
		if got := g.cost.Expected; got != tt.want || j.Total.lost != tt.want || listed != tt.want {
			t.Errorf("%s: %v of which %v is listed, %v in all; want %v",
				tt.name, got, listed, j.Total.lost, tt.want)
		}
		if g.cost.Low > g.cost.Expected {
			t.Errorf("%s: at least %v of %v", tt.name, g.cost.Low, g.cost.Expected)
		}
	}
}

// What others used adds up to the same whatever the order in which they are looked at: a report
// does not change from run to run.
func TestSharedPathIsDeterministic(t *testing.T) {
	seen := map[time.Duration]bool{}
	for range 50 {
		j, c := lossJudge(report.Cost{
			Expected: 100 * time.Millisecond, High: 100 * time.Millisecond})
		// a third of each within the second that counts
		others := []int64{300_000, 450_000, 100_000, 350_000, 250_000, 50_000}
		p := ruletest.Pair()
		for id := range len(others) + 1 {
			j.clock.began(p.Client, id, 0)
		}
		for i, octets := range others {
			j.clock.judged(j, p, transfer(i+1, 3*time.Second, octets), nil, 0)
		}
		j.clock.judged(j, p, transfer(0, time.Second, 100_000), []rule.Claim{c}, 0)
		seen[j.groups[lossKey()].cost.Expected] = true
	}
	if len(seen) != 1 {
		t.Errorf("costs %v of the same exchanges", seen)
	}
}
