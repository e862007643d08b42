package whatif

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
)

// Kept is what a sender on a connection that is kept has to begin its next message with. The zero
// value is a new connection.
type Kept struct {
	window int64   // congestion window, segments; 0: an initial one
	room   int64   // receive window, octets; 0: not known
	later  int64   // the same once its kernel has made it larger
	rate   float64 // segments in a round trip, of a sender that paces; 0: not known
}

// After is what there is behind a message as large as f, sent with k. A window that held its sender
// back grows by all that is acknowledged (RFC 3465), one that did not up to twice what was in
// flight (net/ipv4/tcp_input.c, tcp_is_cwnd_limited); behind a loss no more is known than what was
// in flight. The receive window makes room for twice what came in a round trip (tcp_rcv_space_adjust).
func (k Kept) After(f *ledger.Flow, lost bool) Kept {
	t, _ := TransferOf(f)
	n, flight := t.segments(f.Bytes), t.segments(f.MostInFlight)
	had := k.begins()
	switch {
	case lost:
		k.window = max(flight, ledger.UsualInitial)
	case n > had:
		k.window = max(had+n, flight)
	default:
		k.window = max(had, flight, min(had+n, unusedTimes*n))
	}
	k.room = max(k.room, k.later, f.Window, f.ReceiveWindow.Offered)
	if !f.ReceiveWindow.Fixed() {
		read := min(f.Bytes, max(had*t.MSS, f.MostInFlight)) // in a round trip
		k.later = doubling * (2*read + besideCopied*t.MSS)
	}
	if roundsOf(n, had) > measured {
		k.room = max(k.room, k.later)
	}
	if t.Paces || k.Paces() {
		t.Window = 0
		_, k.rate = t.paced(ledger.UsualInitial, k.rate)
	}
	return k
}

// measured is how many round trips go by before Linux has made a receive window larger: it measures
// what was read in one, and lets the window follow what comes in the next (net/ipv4/tcp_input.c,
// tcp_rcv_space_adjust, tcp_grow_window; seen in the fifth, from 64 kB on).
const measured = 4

// doubling is how many times the usual room there is behind a round trip in which twice as much was
// read as in the one before (tcp_rcv_space_adjust: 1 + 2 × growth).
const doubling = 3

// roundsOf is in how many round trips slow start from a window of had sends n, all in segments.
func roundsOf(n, had int64) int {
	rounds := 0
	for ; n > 0; had *= 2 {
		n -= had
		rounds++
	}
	return rounds
}

// begins is the window that the next message begins with, in segments.
func (k Kept) begins() int64 { return max(k.window, ledger.UsualInitial) }

// leastTimer is the least retransmission timer beyond a round trip (Linux, TCP_RTO_MIN).
const leastTimer = 200 * time.Millisecond

// Rested is k behind a time without sending: Linux halves the window for each retransmission
// timeout, down to the initial one (net/ipv4/tcp_output.c, tcp_cwnd_restart), but not that of a
// sender that paces by itself.
func (k Kept) Rested(idle, rtt time.Duration) Kept {
	if k.rate <= 0 && idle > 0 {
		k.window >>= min(int64(idle/(rtt+leastTimer)), 40)
	}
	return k
}

// Segments is the window with which f would have begun, in segments.
func (k Kept) Segments(f *ledger.Flow) int64 {
	if k.rate > 0 {
		t, _ := TransferOf(f)
		return max(k.begins(), t.segments(f.Bytes))
	}
	return k.begins()
}

// Saving is what a message as large as f would have saved with k. waited is what it spent in the
// start-up of its connection; it saves no more.
func (k Kept) Saving(f *ledger.Flow, waited time.Duration) time.Duration {
	t, used := TransferOf(f)
	t.Paces = t.Paces || k.Paces()
	cold := waited
	if !t.Paces {
		cold += t.serial(t.Octets) // which is no wait, but part of what is simulated
	}
	if t.Window > 0 {
		t.Window = max(t.Window, k.room)
	}
	var warm time.Duration
	if t.Paces {
		warm, _ = t.paced(used, k.rate)
	} else {
		warm = t.Simulate(max(used, k.begins()))
	}
	return Clamp(cold-warm, waited)
}

// Paces reports whether its sender spreads what it sends.
func (k Kept) Paces() bool { return k.rate > 0 }

// Roomier reports whether its receive window has room for more than the one that held f back.
func (k Kept) Roomier(f *ledger.Flow) bool { return k.room > f.ReceiveWindow.Most }

// Roomy is k with a receive window that holds nothing back.
func (k Kept) Roomy() Kept {
	k.room = 1 << 40
	return k
}
