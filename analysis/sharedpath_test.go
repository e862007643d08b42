package analysis

import (
	"net/netip"
	"testing"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

// While one transfer waits for a repair, others use the path: only what they leave free is lost.
func TestLossOnSharedPath(t *testing.T) {
	const rate = 1e6
	server := netip.MustParseAddrPort("10.0.0.2:80")
	for _, tt := range []struct {
		name   string
		other  netip.AddrPort
		octets int64
		want   time.Duration
	}{
		{"nothing beside it", server, 0, 100 * time.Millisecond},
		{"another one takes three quarters", server, 750_000, 25 * time.Millisecond},
		{"by another port", netip.AddrPortFrom(server.Addr(), 81), 750_000, 25 * time.Millisecond},
		{"from another server", netip.MustParseAddrPort("10.0.0.3:80"), 750_000, 100 * time.Millisecond},
		{"more than the path carries", server, 9_000_000, 0},
	} {
		j := &judge{groups: map[groupKey]*group{}}
		key := groupKey{packetLoss.Name, "upstream", report.Pair{Client: netip.MustParseAddr("10.0.0.1"), Server: server}}
		cost := report.Cost{Low: 50 * time.Millisecond, Expected: 100 * time.Millisecond, High: 100 * time.Millisecond}
		occ := report.Occurrence{Start: time.Second / 2, End: time.Second, Cost: cost}
		j.groups[key] = &group{cost: cost, occurrences: []report.Occurrence{occ}}
		j.total.lost = cost.Expected
		j.clock.began(key.pair.Client, 0, 0)
		j.clock.began(key.pair.Client, 1, 0)
		c := claim{rule: key.rule, cause: key.cause, occ: occ, window: remedied{dir: reassembly.FromServer}}
		first := &draft{info: &report.ExchangeInfo{}, Exchange: ledger.Exchange{Parsed: &reassembly.Exchange{}, Until: time.Second, Flow: ledger.Flow{Rate: rate, Bytes: 250_000}}}
		j.clock.judged(j, key.pair, first, []claim{c})
		second := &draft{info: &report.ExchangeInfo{ID: 1}, Exchange: ledger.Exchange{Parsed: &reassembly.Exchange{}, Until: time.Second, Flow: ledger.Flow{Rate: rate, Bytes: tt.octets}}}
		j.clock.judged(j, report.Pair{Client: key.pair.Client, Server: tt.other}, second, nil)
		g := j.groups[key]
		if got := g.cost.Expected; got != tt.want || j.total.lost != tt.want || g.occurrences[0].Cost.Expected != tt.want {
			t.Errorf("%s: %v of which %v is listed, %v in all; want %v", tt.name, got, g.occurrences[0].Cost.Expected, j.total.lost, tt.want)
		}
		if g.cost.Low > g.cost.Expected {
			t.Errorf("%s: at least %v of %v", tt.name, g.cost.Low, g.cost.Expected)
		}
	}
}

// What others used adds up to the same whatever the order in which they are looked at: a report
// does not change from run to run.
func TestSharedPathIsDeterministic(t *testing.T) {
	server := netip.MustParseAddrPort("10.0.0.2:80")
	key := groupKey{packetLoss.Name, "upstream", report.Pair{Client: netip.MustParseAddr("10.0.0.1"), Server: server}}
	cost := report.Cost{Low: 0, Expected: 100 * time.Millisecond, High: 100 * time.Millisecond}
	seen := map[time.Duration]bool{}
	for range 50 {
		j := &judge{groups: map[groupKey]*group{key: {cost: cost}}}
		occ := report.Occurrence{Start: time.Second / 2, End: time.Second, Cost: cost}
		// a third of each within the second that counts
		others := []int64{300_000, 450_000, 100_000, 350_000, 250_000, 50_000}
		for id := range len(others) + 1 {
			j.clock.began(key.pair.Client, id, 0)
		}
		for i, octets := range others {
			other := &draft{info: &report.ExchangeInfo{ID: i + 1}, Exchange: ledger.Exchange{Parsed: &reassembly.Exchange{}, Until: 3 * time.Second, Flow: ledger.Flow{Rate: 1e6, Bytes: octets}}}
			j.clock.judged(j, key.pair, other, nil)
		}
		c := claim{rule: key.rule, cause: key.cause, occ: occ, window: remedied{dir: reassembly.FromServer}}
		first := &draft{info: &report.ExchangeInfo{}, Exchange: ledger.Exchange{Parsed: &reassembly.Exchange{}, Until: time.Second, Flow: ledger.Flow{Rate: 1e6, Bytes: 100_000}}}
		j.clock.judged(j, key.pair, first, []claim{c})
		seen[j.groups[key].cost.Expected] = true
	}
	if len(seen) != 1 {
		t.Errorf("costs %v of the same exchanges", seen)
	}
}
