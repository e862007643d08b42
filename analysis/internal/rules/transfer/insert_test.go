package transfer

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"tcpwhy/analysis/internal/ledger"
)

// TestInsert: segments, those of a message in order, come to stand as if all had been sorted anew,
// those of equal times in the order in which they came.
func TestInsert(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var w policedPath
		var want []ledger.Arrival
		for message := range 20 {
			var all []ledger.Arrival
			for range random.IntN(8) {
				at := time.Duration(message + random.IntN(6))
				all = append(all, ledger.Arrival{
					At: at, Octets: random.Int32(), Unseen: random.IntN(2) == 0,
				})
			}
			slices.SortStableFunc(all, ledger.CompareArrivals)
			w.insert(all)
			want = append(want, all...)
			slices.SortStableFunc(want, ledger.CompareArrivals)
			if !slices.Equal(w.arrivals, want) {
				t.Fatalf("got %v, want %v", w.arrivals, want)
			}
		}
	}
}
