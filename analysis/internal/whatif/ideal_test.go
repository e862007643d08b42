package whatif

import (
	"testing"
	"time"

	"tcpwhy/analysis/internal/ledger"
)

// TestIdeal: what a message would have waited for without loss falls with the window that the
// connection had grown, and rises with the limit of the path.
func TestIdeal(t *testing.T) {
	const rtt = 100 * time.Millisecond
	flow := ledger.Flow{Bytes: 100_000, MSS: 1000, Initial: 1000, RTT: rtt}
	later := flow
	later.Later, later.MostInFlight, later.LargestBefore = true, 40_000, 60_000
	full := later
	full.MostInFlight = 10_000
	tests := []struct {
		name    string
		flow    *ledger.Flow
		limited bool
		want    time.Duration
	}{
		{"10, 20, 40 and 30 segments", &flow, false, 3 * rtt},
		{"70 and 30 segments, as it had grown to", &later, false, rtt},
		{"no more at a time than it had grown to", &later, true, rtt},
		{"twice what was in flight, as that was not used", &full, false, 2 * rtt},
		{"no more at a time than twice that", &full, true, 4 * rtt},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Ideal(tt.flow, tt.limited); got != tt.want {
				t.Errorf("Ideal() = %v, want %v", got, tt.want)
			}
		})
	}
	if got := PathTime(&ledger.Flow{Bytes: 1000, Rate: 4000}); got != 250*time.Millisecond {
		t.Errorf("PathTime() = %v, want 250ms", got)
	}
}
