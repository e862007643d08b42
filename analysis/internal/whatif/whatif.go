package whatif

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
)

// Ideal is what the message of the given facts would have spent waiting for a window, and for the
// path, if nothing had been lost, and with or without the limit of the receive window. limited
// tells that the path is known to carry no more than was in flight, or twice that, which slow start
// would have reached without loss.
func Ideal(j *ledger.Account, f *ledger.Flow, limited bool) time.Duration {
	t, used := TransferOf(f)
	used = max(used, ledger.UsualInitial)
	if j.Index > 0 {
		// Slow start adds what is acknowledged (RFC 3465), but no more than was used.
		flight := max((f.Flight+t.Mss-1)/t.Mss, ledger.UsualInitial)
		used = max(used, flight, min(ledger.UsualInitial+f.Largest/t.Mss, 2*flight))
	}
	t.Window = 0
	if limited {
		t.Window = max(f.Flight, used*t.Mss)
	}
	return t.Simulate(used)
}

// Clamp is d within [0, most].
func Clamp(d, most time.Duration) time.Duration { return max(0, min(d, most)) }
