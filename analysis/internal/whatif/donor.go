package whatif

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
)

// DonorSaving is what a message would have saved on a connection whose sender had had flight octets
// in flight, and the most that it could have saved: an older connection has a larger receive
// window, too. slow is what the message spent in the start-up of its connection; it saves no more.
func DonorSaving(f *ledger.Flow, flight int64, slow time.Duration) (expected, most time.Duration) {
	t, used := TransferOf(f)
	window := DonorWindow(f, flight)
	expected = min(slow, t.ColdSaving(used, window))
	t.Window = 0
	return expected, max(expected, min(slow, t.ColdSaving(used, unusedTimes*window)))
}

// DonorWindow is the window of such a connection, in segments: an initial one at least. Slow start
// adds what is acknowledged (RFC 3465), up to twice what was in flight (net/ipv4/tcp_input.c,
// tcp_is_cwnd_limited), and what the older connection carried is taken to be as large as f.
func DonorWindow(f *ledger.Flow, flight int64) int64 {
	t, _ := TransferOf(f)
	used := t.segments(flight)
	grown := ledger.UsualInitial + t.segments(f.Bytes)
	return max(ledger.UsualInitial, used, min(grown, unusedTimes*used))
}
