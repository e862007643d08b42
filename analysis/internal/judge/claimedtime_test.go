package judge

import (
	"testing"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// TestClaimedTime books a claim about an exchange of a second, of which others have had some.
func TestClaimedTime(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		name             string
		had, cost, until time.Duration
		want             time.Duration
	}{
		{"nothing before it", 0, 900 * ms, time.Second, 900 * ms},
		{"half of it is left", 500 * ms, 900 * ms, time.Second, 500 * ms},
		{"nothing is left", time.Second, 900 * ms, time.Second, 0},
		{"most lies behind the exchange", 900 * ms, 4 * time.Second, 5 * time.Second, 3 * time.Second},
	} {
		var all claimedTimes
		all.begin(7, report.Interval{To: time.Second}, false)
		all.add(7, tt.had)
		c := rule.Claim{Failure: &rule.Failure{}}
		c.Occ = rule.Occurrence{Exchange: 7, End: tt.until,
			Cost: report.Cost{Low: tt.cost, Expected: tt.cost, High: tt.cost}}
		if all.room(&c, tt.cost); c.Occ.Cost.Expected < tt.want ||
			c.Occ.Cost.Expected > tt.want+100*ms || c.Occ.Cost.Low > c.Occ.Cost.Expected {
			t.Errorf("%s: %+v, want %v", tt.name, c.Occ.Cost, tt.want)
		}
	}
}

// TestClaimedTimeForgets: the oldest exchanges are forgotten.
func TestClaimedTimeForgets(t *testing.T) {
	var all claimedTimes
	for id := range 3 * maxClaimedTime {
		all.begin(id, report.Interval{To: time.Second}, false)
	}
	if n := len(all.of); n > maxClaimedTime || n != len(all.order) {
		t.Errorf("%d are remembered, in a list of %d", n, len(all.order))
	}
}
