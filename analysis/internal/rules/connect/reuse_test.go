package connect

import (
	"testing"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/rule/ruletest"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
)

// TestRepeatedSYNsHaveOneOwner: what another rule claims for repeated SYNs is not what reuse would
// save, too.
func TestRepeatedSYNsHaveOneOwner(t *testing.T) {
	var times [report.LabelCount]time.Duration
	times[report.SYNRetx], times[report.SYNACKRetx] = time.Second, time.Millisecond
	for _, c := range []struct {
		name string
		kind rule.Kinds // of the other claim
		want time.Duration
	}{
		{"nobody claims them", rule.Repair, time.Second + time.Millisecond},
		{"the ports were used too early", rule.UsedPorts, 0},
		{"the SYN was lost", rule.LateHandshake, 0},
		{"the end of the handshake was dropped", rule.DroppedHandshake, 0},
	} {
		x := rule.Draft{Claims: []rule.Claim{{Kind: c.kind}},
			Exchange: ledger.Exchange{Account: ledger.Account{Times: times}}}
		if got := repeatedSYNs(ruletest.Judge(&x)); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// TestGoneBy: a GOAWAY that passes before one could come back for a request keeps a connection from
// carrying that; a later one, or none, does not.
func TestGoneBy(t *testing.T) {
	const need, trip = 5 * time.Second, 40 * time.Millisecond
	for _, c := range []struct {
		name string
		away capture.Mark
		want bool
	}{
		{"none was sent", capture.Mark{}, false},
		{"long before", capture.Mark{Time: time.Second, Frame: 9}, true},
		{"as the request would have been on its way", capture.Mark{Time: need + trip/2, Frame: 9},
			true},
		{"when the request would have been read", capture.Mark{Time: need + 2*trip, Frame: 9},
			false},
	} {
		d := member{rtt: trip, ended: ended{away: c.away}}
		if got := d.goneBy(need); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
