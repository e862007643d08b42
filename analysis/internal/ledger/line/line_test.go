package line

import (
	"math/rand/v2"
	"testing"
	"time"

	"tcpwhy/analysis/report"
	_ "tcpwhy/internal/golden" // go test ./... -update gives the flag to every package
)

// TestPieces: however a wait is divided, few pieces are kept of it, and they reach to its end.
func TestPieces(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		var l Line
		l.Begin(10)
		to := time.Duration(10)
		for range rng.IntN(100) {
			to += time.Duration(rng.IntN(9))
			l.Wait(to, report.Label(rng.IntN(int(report.LabelCount))), rng.IntN(4) == 0)
		}
		if len(l.pieces) > maxPieces {
			t.Fatalf("%d pieces", len(l.pieces))
		}
		at := l.At
		l.Labels(to, Terms{Own: report.Think, Trip: 20}, func(end time.Duration, _ report.Label) {
			at = max(at, end)
		})
		if at != to {
			t.Fatalf("labels reach to %v, want %v", at, to)
		}
	}
}
