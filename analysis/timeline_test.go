package analysis

import "testing"

func TestReportedPieces(t *testing.T) {
	r := connReport(t, twoHeld())
	for i := range r.Exchanges {
		x := &r.Exchanges[i]
		if len(x.Pieces) == 0 || x.Pieces[0].From != x.Start || x.Pieces[len(x.Pieces)-1].To != x.Start+x.Duration {
			t.Errorf("exchange %d from %v for %v: %v", x.ID, x.Start, x.Duration, x.Pieces)
		}
	}
}
