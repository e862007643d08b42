package whatif

import (
	"math"
	"testing"
	"time"

	"tcpwhy/analysis/internal/ledger"
)

// TestStartup holds BBR's startup against a real Linux sender at 100 ms round trip: how long the
// same message took from its first octet to its last, in round trips, again and again on one
// connection.
func TestStartup(t *testing.T) {
	for _, c := range []struct {
		octets   int64
		initial  int64
		measured []float64
	}{
		{100_082, 10, []float64{3.10, .69, .57, .53, .515}},
		{400_000, 10, []float64{5.13, .70, .60, .56, .54}},
		{500_082, 10, []float64{5.46, .71, .60, .555, .54}},
		{400_000, 32, []float64{3.44}},
		{500_082, 32, []float64{3.81}},
	} {
		tr := Transfer{Octets: c.octets, MSS: 1448, RTT: 100 * time.Millisecond, Paces: true}
		var rate float64
		for i, want := range c.measured {
			var took time.Duration
			took, rate = tr.paced(c.initial, rate)
			if got := float64(took) / float64(tr.RTT); math.Abs(got-want) > .06 {
				t.Errorf("%d octets, message %d: %.2f round trips, measured %.2f",
					c.octets, i+1, got, want)
			}
		}
	}
}

// TestReceiveWindowGrows holds the receive window of Linux, which begins at 64 kB, against real
// senders: round trips between the first octet and the last.
func TestReceiveWindowGrows(t *testing.T) {
	for _, c := range []struct{ octets, initial, trips int64 }{
		{500_082, 10, 5}, {500_082, 32, 4}, {400_000, 10, 5}, {400_000, 32, 4}, {100_082, 10, 2},
	} {
		tr := Transfer{Octets: c.octets, MSS: 1448, RTT: time.Second, Window: 64_512, Grows: true}
		if got := tr.Simulate(c.initial); got != time.Duration(c.trips)*time.Second {
			t.Errorf("%d octets from %d segments: %v, want %d round trips", c.octets, c.initial,
				got, c.trips)
		}
	}
}

// TestKept: what a connection has for its next message grows with what it carries, and is forgotten
// by a sender that rests.
func TestKept(t *testing.T) {
	const rtt = 50 * time.Millisecond
	f := &ledger.Flow{Bytes: 100_000, MSS: 1000, Initial: 10_000, RTT: rtt, MostInFlight: 40_000}
	cold := Kept{}.Saving(f, time.Second)
	kept := Kept{}.After(f, false)
	if got := kept.begins(); got != 110 {
		t.Errorf("window %d, want 10 and the 100 that were acknowledged", got)
	}
	if got := kept.Saving(f, 3*rtt); got != 3*rtt {
		t.Errorf("saves %v, want all of %v", got, 3*rtt)
	}
	if got := kept.Rested(2*(rtt+leastTimer), rtt).begins(); got != 27 {
		t.Errorf("window %d behind two timeouts, want a quarter of 110", got)
	}
	if got := kept.Rested(time.Minute, rtt).Saving(f, time.Second); got != cold {
		t.Errorf("saves %v behind a minute, want %v", got, cold)
	}
	if got := (Kept{}).After(f, true).begins(); got != 40 {
		t.Errorf("window %d behind a loss, want what was in flight", got)
	}
	paces := *f
	paces.Paces = true
	if got := (Kept{}).After(&paces, false).Rested(time.Minute, rtt); !got.Paces() ||
		got.begins() < 100 {
		t.Errorf("a sender that paces forgets its window: %+v", got)
	}
}
