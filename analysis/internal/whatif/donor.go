package whatif

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
)

// DonorSaving is what a response would have saved on a connection whose sender had had flight
// octets in flight, and the most that it could have saved: an older connection has a larger receive
// window, too, and may have a congestion window that was not used. slow is what the response spent
// in slow start; it saves no more than that.
func DonorSaving(f *ledger.Flow, flight int64, slow time.Duration) (expected, most time.Duration) {
	t, used := TransferOf(f)
	window := DonorWindow(f, flight)
	expected = min(slow, t.ColdSaving(used, window))
	t.Window = 0
	return expected, max(expected, min(slow, t.ColdSaving(used, unusedTimes*window)))
}

// DonorWindow is the window of such a connection, in segments: an initial one at least.
func DonorWindow(f *ledger.Flow, flight int64) int64 {
	t, _ := TransferOf(f)
	return max(ledger.UsualInitial, t.segments(flight))
}
