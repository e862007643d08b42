package whatif

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
)

// Lasts is how long the path needs for the message; 0 if its rate is not known.
func Lasts(f *ledger.Flow) time.Duration {
	if f.Rate <= 0 {
		return 0
	}
	return time.Duration(float64(f.Bytes) / f.Rate * 1e9)
}

// TransferOf is the response as the simulator sees it, and the window in segments with which it
// began.
func TransferOf(f *ledger.Flow) (transfer, int64) {
	mss := max(f.Mss, 1)
	t := transfer{Octets: f.Bytes, Mss: mss, Window: f.Window, rtt: f.Rtt, rate: f.Rate}
	return t, max((f.Initial+mss-1)/mss, 1)
}

// DonorSaving is what a connection whose sender had had flight octets in flight would have saved on
// this response, and the most that it could have saved: an older connection has a larger receive
// window, too.
func DonorSaving(f *ledger.Flow, flight int64, slow time.Duration) (expected, most time.Duration) {
	t, used := TransferOf(f)
	expected = min(slow, t.ColdSaving(used, DonorWindow(f, flight)))
	t.Window = 0
	return expected, max(expected, min(slow, t.ColdSaving(used, 2*DonorWindow(f, flight))))
}

// DonorWindow is the window, in segments, of such a connection.
func DonorWindow(f *ledger.Flow, flight int64) int64 {
	mss := max(f.Mss, 1)
	return max(ledger.UsualInitial, (flight+mss-1)/mss)
}
