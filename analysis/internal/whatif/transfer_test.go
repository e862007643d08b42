package whatif

import (
	"testing"
	"time"

	"tcpwhy/analysis/internal/ledger"
)

// The measured times are those of a real Linux sender, 150 kB at a round trip of 101 ms without
// loss, from the first octet of the response to its last; the simulation must come within 2 % of a
// round trip of each.
func TestSimulateAgainstRecordings(t *testing.T) {
	body := Transfer{Octets: 150_000, MSS: 1448, RTT: 101 * time.Millisecond}
	tests := []struct {
		name     string
		cwnd     int64
		measured time.Duration // less the round trip between request and response
	}{
		{"cold, initial window of 10", 10, 305 * time.Millisecond},
		{"warm", 104, 4 * time.Millisecond},
		{"halved once by idling", 52, 104 * time.Millisecond},
		{"idle until the initial window", 10, 305 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := body.Simulate(tt.cwnd)
			if diff := (got - tt.measured).Abs(); diff > 5*time.Millisecond {
				t.Errorf("simulate(%d) = %v, measured %v", tt.cwnd, got, tt.measured)
			}
		})
	}
}

func TestSimulateLimits(t *testing.T) {
	rtt := 100 * time.Millisecond
	tests := []struct {
		name string
		t    Transfer
		cwnd int64
		want time.Duration
	}{
		{"fits the first window", Transfer{Octets: 14480, MSS: 1448, RTT: rtt}, 10, 0},
		{"one octet more", Transfer{Octets: 14481, MSS: 1448, RTT: rtt}, 10, rtt},
		{
			"receive window of one round",
			Transfer{Octets: 40_000, MSS: 1000, Window: 10_000, RTT: rtt},
			10,
			3 * rtt,
		},
		{
			"path rate alone",
			Transfer{Octets: 1_000_000, MSS: 1000, RTT: rtt, Rate: 1e6},
			1000,
			time.Second,
		},
		{"nothing to send", Transfer{Octets: 0, MSS: 1448, RTT: rtt}, 10, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.t.Simulate(tt.cwnd); got != tt.want {
				t.Errorf("simulate(%d) = %v, want %v", tt.cwnd, got, tt.want)
			}
		})
	}
}

// A larger window never makes a transfer slower, and never saves more than it took.
func TestColdSavingIsBounded(t *testing.T) {
	for octets := int64(1); octets < 3_000_000; octets = octets*3 + 777 {
		tr := Transfer{Octets: octets, MSS: 1448, RTT: 50 * time.Millisecond}
		last := time.Duration(0)
		for want := int64(10); want < 4096; want *= 2 {
			saving := tr.ColdSaving(10, want)
			if saving < last || saving > tr.Simulate(10) {
				t.Fatalf("octets %d: saving %v with a window of %d, %v with half of it, %v in all",
					octets, saving, want, last, tr.Simulate(10))
			}
			last = saving
		}
	}
}

// TestSimulateAllowed: under a window of HTTP/2 a sender goes on by a window's worth in a round trip,
// also where slow start would have grown beyond it, and without it as ever.
func TestSimulateAllowed(t *testing.T) {
	const trip = 100 * time.Millisecond
	x := Transfer{Octets: 1_000_000, MSS: 1000, RTT: trip}
	free := x.Simulate(10)
	x.Allowed = []ledger.Allowed{{Most: 50_000}}
	if got, want := x.Simulate(10), 22*trip; got < 20*trip || got > want {
		t.Errorf("under 50 kB: %v, want about %v", got, want)
	}
	x.Allowed = []ledger.Allowed{{From: 0, Most: 50_000}, {From: 500_000}}
	if got := x.Simulate(10); got <= free || got > 17*trip {
		t.Errorf("under 50 kB for half of it: %v", got)
	}
	x.Allowed = []ledger.Allowed{{Most: 10_000_000}}
	if got := x.Simulate(10); got != free {
		t.Errorf("under more than it has: %v, want %v", got, free)
	}
	x.Paces, x.Allowed = true, []ledger.Allowed{{Most: 50_000}}
	if got := x.Simulate(10); got < 18*trip || got > 24*trip {
		t.Errorf("of a sender that paces: %v, want about %v", got, 20*trip)
	}
}
