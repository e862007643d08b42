package judge

import (
	"testing"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/rule/ruletest"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

func TestCombined(t *testing.T) {
	wait := func(from, to, cost int) rule.Claim {
		s := spans(from, to)
		c := rule.Claim{Lost: s}
		c.Occ.Start, c.Occ.End = s[0].From, s[0].To
		c.Occ.Cost.Expected = time.Duration(cost) * time.Millisecond
		return c
	}
	windowOf := func(dir reassembly.Dir, saved int, cwnd int64, room bool) rule.Claim {
		d := time.Duration(saved) * time.Millisecond
		c := rule.Claim{Window: rule.Window{Dir: dir, Saved: d, Cwnd: cwnd, Room: room}}
		c.Occ.Cost.Expected = d
		return c
	}
	window := func(saved int, cwnd int64, room bool) rule.Claim {
		return windowOf(reassembly.FromServer, saved, cwnd, room)
	}
	// 300 kB at 100 ms: 4 rounds wait with 10 segments to begin with; a window of 30 kB makes it 9.
	j := &rule.Draft{
		Exchange: ledger.Exchange{
			Account: ledger.Account{
				Until: 2 * time.Second,
				Transfers: ledger.Transfers{
					Flow: ledger.Flow{
						Bytes:   300_000,
						MSS:     1000,
						Initial: 10_000,
						RTT:     100 * time.Millisecond,
						Window:  30_000,
					},
				},
			},
		},
	}
	j.Times[report.SlowStart], j.Times[report.RWnd] = 100*time.Millisecond, 800*time.Millisecond
	tests := []struct {
		name   string
		claims []rule.Claim
		want   int
	}{
		{"nothing", nil, 0},
		{"waits apart", []rule.Claim{wait(0, 40, 40), wait(100, 150, 30)}, 70},
		{"the same wait twice", []rule.Claim{wait(0, 40, 40), wait(0, 40, 40)}, 40},
		{"waits that overlap", []rule.Claim{wait(0, 40, 40), wait(30, 60, 25)}, 60},
		{"more than one piece", []rule.Claim{wait(0, 40, 90)}, 90},
		{"never more than it took", []rule.Claim{wait(0, 1900, 1900), wait(1900, 2000, 500)}, 2000},
		{"one window", []rule.Claim{window(50, 32, false)}, 50},
		{"both windows: what slow start takes behind the receive window remains",
			[]rule.Claim{window(50, 32, false), window(500, 0, true)}, 600},
		{"windows of both messages", []rule.Claim{window(50, 32, false),
			windowOf(reassembly.FromClient, 500, 0, true)}, 550},
		{"both, and no window remains", []rule.Claim{window(50, 300, false), window(500, 0, true)},
			900},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := combined(ruletest.Judge(j), tt.claims); got != time.Duration(
				tt.want,
			)*time.Millisecond {
				t.Errorf("combined() = %v, want %d ms", got, tt.want)
			}
		})
	}
}
