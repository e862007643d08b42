package picture

import (
	"math/rand/v2"
	"testing"
	"time"

	"tcpwhy/analysis/report"
)

// TestPieces: however many stretches there are, the pieces stay few, follow each other, and cover
// all of the time.
func TestPieces(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var p Pieces
		at := time.Duration(rng.IntN(1000))
		start := at
		for range rng.IntN(300) {
			to := at + time.Duration(rng.IntN(50))
			p.Add(at, to, report.Label(rng.IntN(4)))
			at = to
		}
		pieces := p.List()
		if len(pieces) > maxPieces {
			t.Fatalf("%d pieces", len(pieces))
		}
		for i, k := range pieces {
			if k.From != start || k.To <= k.From || i > 0 && pieces[i-1].Label == k.Label {
				t.Fatalf("piece %d of %v", i, pieces)
			}
			start = k.To
		}
		if len(pieces) > 0 && start != at {
			t.Fatalf("the pieces end at %v, want %v", start, at)
		}
	}
}

// TestPiecesKeepTheLongest: what is long is still to be seen after many short stretches.
func TestPiecesKeepTheLongest(t *testing.T) {
	var p Pieces
	at := time.Duration(0)
	for i := range 200 {
		d, l := time.Millisecond, report.Label(1+i%2)
		if i == 100 {
			d, l = time.Second, report.RTO
		}
		p.Add(at, at+d, l)
		at += d
	}
	for _, k := range p.List() {
		if k.Label == report.RTO && k.To-k.From >= time.Second && k.From <= 101*time.Millisecond &&
			k.To >= 1100*time.Millisecond {
			return
		}
	}
	t.Errorf("the timeout is gone: %v", p.List())
}

// TestRelabelPieces: pieces that overlap the time get what is told of the part that lies within it.
func TestRelabelPieces(t *testing.T) {
	var p Pieces
	p.Add(0, 10, report.Think)
	p.Add(10, 30, report.NagleRTT)
	p.Add(30, 40, report.RoundTrip)
	p.Relabel(20, 30, func(l report.Label, from, to time.Duration) report.Label {
		if from != 20 || to != 30 {
			t.Errorf("asked for %v to %v, want 20ns to 30ns", from, to)
		}
		return report.AppPaced
	})
	want := []report.Label{report.Think, report.AppPaced, report.RoundTrip}
	for i, k := range p.List() {
		if k.Label != want[i] {
			t.Errorf("piece %d has %s, want %s", i, k.Label, want[i])
		}
	}
}
