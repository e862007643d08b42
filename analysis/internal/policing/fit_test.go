package policing

import (
	"math"
	"testing"
	"time"

	"tcpwhy/analysis/internal/ledger"
	_ "tcpwhy/internal/golden" // go test ./... -update gives the flag to every package
	"tcpwhy/internal/pathsim"
)

// sent are the segments that the server sent.
func sent(p *pathsim.Played) (out []ledger.Arrival) {
	for _, s := range p.Server {
		if s.FromServer && s.Len > 0 {
			out = append(out, ledger.Arrival{
				At: s.At, Octets: int32(s.Len + pathsim.Header), Lost: s.Lost})
		}
	}
	return out
}

const mbit = 125e3 // octets a second

const short, long = 20 * time.Millisecond, 100 * time.Millisecond

// TestFit: the bucket of a policer is found, whoever sends, however far away, and over however many
// connections.
func TestFit(t *testing.T) {
	t.Parallel()
	for _, control := range []string{"reno", "cubic", "bbr"} {
		for _, s := range []pathsim.Setup{
			{RTT: short, Rate: 3 * mbit, Bucket: 100e3, Conns: 1, Count: 3, Body: 8e5},
			{RTT: long, Rate: 3 * mbit, Bucket: 30e3, Conns: 2, Count: 3, Body: 5e5},
			{RTT: short, Rate: mbit / 2, Bucket: 8e3, Conns: 1, Count: 2, Body: 4e5},
			{RTT: short, Rate: 10 * mbit, Bucket: 1e6, Conns: 2, Count: 4, Body: 1e6},
		} {
			s.Control = control
			b, ok := Fit(sent(pathsim.Play(s)))
			if off := math.Abs(b.Rate/s.Rate - 1); !ok || off > .05 {
				t.Errorf("%+v: %v, rate off by %.1f %%: %+v", s, ok, off*100, b)
			}
			if off := math.Abs(b.Holds() - s.Bucket); off > 1514 {
				t.Errorf("%+v: holds %.0f octets, off by more than a segment", s, b.Holds())
			}
		}
	}
}

// TestNoBucket: no bucket explains losses at random, nor those that a queue makes before it is
// full.
func TestNoBucket(t *testing.T) {
	t.Parallel()
	for _, control := range []string{"reno", "cubic", "bbr"} {
		for _, s := range []pathsim.Setup{
			{RTT: short, Loss: .01, Conns: 1},
			{RTT: long, Loss: .02, Conns: 2},
			{RTT: 5 * time.Millisecond, Loss: .02, Conns: 1, Rate: 10 * mbit, Queue: 1e6},
			{RTT: short, Loss: .05, Conns: 1, Rate: 10 * mbit, Queue: 1e6},
			{RTT: short, AQM: true, Conns: 2, Rate: 10 * mbit, Queue: 1e6},
		} {
			for seed := range int64(4) {
				s.Control, s.Seed, s.Count, s.Body = control, seed, 3, 8e5
				if b, ok := Fit(sent(pathsim.Play(s))); ok {
					t.Errorf("%+v: %+v", s, b)
				}
			}
		}
	}
}

// TestFitOfLittle: what has hardly any losses, or nothing else, explains nothing and ends.
func TestFitOfLittle(t *testing.T) {
	for n := range 6 {
		var all []ledger.Arrival
		for i := range n {
			all = append(all, ledger.Arrival{At: time.Duration(i), Octets: 100, Lost: i%2 == 0})
		}
		if b, ok := Fit(all); ok {
			t.Errorf("%d arrivals: %+v", n, b)
		}
	}
	same := make([]ledger.Arrival, 100)
	for i := range same {
		same[i] = ledger.Arrival{Octets: 100, Lost: i%3 == 0}
	}
	if b, ok := Fit(same); ok {
		t.Errorf("at the same time: %+v", b)
	}
}

// BenchmarkFit: as much as is remembered of a path.
func BenchmarkFit(b *testing.B) {
	s := pathsim.Setup{RTT: short, Rate: 3 * mbit, Bucket: 100e3, Conns: 1, Count: 10, Body: 2e6}
	s.Control = "cubic"
	all := sent(pathsim.Play(s))
	b.ReportMetric(float64(len(all)), "segments")
	for b.Loop() {
		Fit(all)
	}
}
