package judge

import (
	"strings"
	"testing"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// TestHeard: a kernel that always agrees lifts what is seen in part, and no more; one that does not,
// of whichever connection, takes from it. The order in which connections are heard changes nothing.
func TestHeard(t *testing.T) {
	agrees := heard{agree: 1, what: rule.HeldByWindow, n: int64(20 * time.Millisecond)}
	denies := heard{deny: 1, what: rule.HeldByWindow, claimed: 9, denied: 3}
	for name, tt := range map[string]struct {
		all  []heard
		want [4]report.Confidence // of low, medium, high and proven
		says string
	}{
		"nobody": {nil, [4]report.Confidence{0, 1, 2, 3}, ""},
		"agrees": {
			[]heard{agrees, agrees}, [4]report.Confidence{0, 2, 2, 3},
			"of 2 connections: it counted 40 ms in which the receive window",
		},
		"denies": {[]heard{denies}, [4]report.Confidence{0, 1, 1, 1}, ""},
		"both":   {[]heard{agrees, denies}, [4]report.Confidence{0, 1, 1, 1}, ""},
		"and so": {[]heard{denies, agrees}, [4]report.Confidence{0, 1, 1, 1}, ""},
	} {
		var h heard
		for i := range tt.all {
			h.add(&tt.all[i])
		}
		for i, want := range tt.want {
			if got := h.grade(report.Confidence(i)); got != want {
				t.Errorf("%s: %v becomes %v, want %v", name, report.Confidence(i), got, want)
			}
		}
		if got := h.sentence(); !strings.Contains(got, tt.says) || got != "" && tt.says == "" {
			t.Errorf("%s: says %q", name, got)
		}
		if h.deny > 0 && (h.claimed != 9 || h.denied != 3 || h.what != rule.HeldByWindow) {
			t.Errorf("%s: %+v", name, h)
		}
	}
}
