package grpc

import (
	"net/netip"
	"testing"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// TestWritten: the deadline that a program wrote is what stands on the wire, and a little more.
func TestWritten(t *testing.T) {
	for _, tt := range [][2]time.Duration{
		{149_871 * time.Microsecond, 150 * time.Millisecond},
		{150 * time.Millisecond, 150 * time.Millisecond},
		{151 * time.Millisecond, 160 * time.Millisecond},
		{1_999_999 * time.Microsecond, 2 * time.Second},
		{0, 0},
	} {
		if got := written(tt[0]); got != tt[1] {
			t.Errorf("%v: %v, want %v", tt[0], got, tt[1])
		}
	}
}

// TestExcuse: a deadline was enough if it was so for most calls of the same client; those of
// others, who may be nearer, and those with a longer one do not count.
func TestExcuse(t *testing.T) {
	far, near := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.9")
	short, long := 150*time.Millisecond, 2*time.Second
	for _, tt := range []struct {
		name   string
		within map[within]*kept
		want   string
	}{
		{"most in time", map[within]*kept{{far, short}: {5, 4}}, lateCause},
		{"half in time", map[within]*kept{{far, short}: {4, 4}}, shortCause},
		{"others in time", map[within]*kept{{far, short}: {0, 4}, {near, short}: {90, 0}},
			shortCause},
		{"longer ones in time", map[within]*kept{{far, short}: {0, 4}, {far, long}: {90, 0}},
			shortCause},
	} {
		l := late{Claim: rule.Claim{Cause: shortCause}, deadline: short, instead: lateCause}
		l.Pair = report.Pair{Client: far}
		(&calls{within: tt.within}).excuse(&l)
		if l.Cause != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, l.Cause, tt.want)
		}
	}
}
