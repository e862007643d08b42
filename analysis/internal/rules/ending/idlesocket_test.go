package ending

import (
	"testing"
	"time"

	"tcpwhy/analysis/internal/rule"
)

// TestAlike: silence of less than idleSocket ended a WebSocket if it ended others, too, at other
// moments and at another age.
func TestAlike(t *testing.T) {
	const s = time.Second
	type end struct{ length, age, at time.Duration }
	for _, tt := range []struct {
		name    string
		ends    []end
		n       int
		timeout bool
	}{
		{"alone", []end{{2 * s, 3 * s, 3 * s}}, 1, false},
		{"long", []end{{60 * s, 61 * s, 61 * s}}, 1, true},
		{"two", []end{{2 * s, 3 * s, 3 * s}, {2 * s, 5 * s, 9 * s}}, 2, true},
		{"a timer that was not moved", []end{{2 * s, 3 * s, 3 * s}, {1750 * s / 1000, 5 * s, 9 * s}},
			2, true},
		{"as old", []end{{2 * s, 3 * s, 3 * s}, {2 * s, 3 * s, 9 * s}}, 2, false},
		{"at once", []end{{2 * s, 3 * s, 9 * s}, {2 * s, 5 * s, 9 * s}}, 1, false},
		{"unlike", []end{{2 * s, 3 * s, 3 * s}, {4 * s, 7 * s, 9 * s}}, 1, false},
	} {
		var all silences
		for _, e := range tt.ends {
			all.all = append(all.all, silence{
				Claim:  rule.Claim{Occ: rule.Occurrence{End: e.at}},
				length: e.length, age: e.age,
			})
		}
		if n, timeout := all.alike(&all.all[0]); n != tt.n || timeout != tt.timeout {
			t.Errorf("%s: %d, %t, want %d, %t", tt.name, n, timeout, tt.n, tt.timeout)
		}
	}
}
