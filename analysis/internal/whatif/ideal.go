package whatif

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
)

// unusedTimes is up to how many times what is in flight a window grows in slow start, by
// acknowledgments of what used less of it (RFC 7661; net/ipv4/tcp_input.c, tcp_is_cwnd_limited).
const unusedTimes = 2

// Ideal is what a message would have spent waiting for a window, and for the path, if nothing had
// been lost, and with or without the limit of the receive window. limited tells that the path is
// known to carry no more than was in flight, or twice that, which slow start would have reached
// without loss.
func Ideal(f *ledger.Flow, limited bool) time.Duration {
	t, used := idealOf(f, limited)
	return t.Simulate(used)
}

// idealOf is such a message, and the window in segments with which it would have begun.
func idealOf(f *ledger.Flow, limited bool) (t Transfer, used int64) {
	t, used = TransferOf(f)
	used = max(used, ledger.UsualInitial)
	if f.Later {
		// Slow start adds what is acknowledged (RFC 3465), but no more than was used.
		flight := max(t.segments(f.MostInFlight), ledger.UsualInitial)
		grown := ledger.UsualInitial + f.LargestBefore/t.MSS
		used = max(used, flight, min(grown, unusedTimes*flight))
	}
	t.Window, t.Grows, t.Allowed = 0, false, f.Allowed
	if limited {
		t.Window = max(f.MostInFlight, used*t.MSS)
	}
	return t, used
}

// Unlimited is what a message would have spent waiting for a window, and for the path, had its
// sender kept as much in flight as windows allow, in the messages before, too: slow start would
// have added what they had acknowledged (RFC 3465). began is the window, in segments, that it would
// have begun with.
func Unlimited(f *ledger.Flow) (took time.Duration, began int64) {
	t, used := TransferOf(f)
	began = max(used, ledger.UsualInitial)
	if f.Later && f.Idle.Since == 0 {
		began = max(began, ledger.UsualInitial+f.LargestBefore/t.MSS)
	}
	t.Window, t.Grows = 0, false
	return t.Simulate(began), began
}

// PathTime is how long the path needs for a message; 0 if its rate is not known.
func PathTime(f *ledger.Flow) time.Duration {
	if f.Rate <= 0 {
		return 0
	}
	return time.Duration(float64(f.Bytes) / f.Rate * float64(time.Second))
}

// Clamp is d within [0, most].
func Clamp(d, most time.Duration) time.Duration { return max(0, min(d, most)) }
