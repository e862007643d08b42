package ledger

import (
	"time"

	"tcpwhy/analysis/report"
)

// maxHolds is how many undecided holds are kept per connection, and how many decided ones one by
// one per exchange.
const maxHolds = 64

// NagleHolds are the holds of an exchange by Nagle's algorithm.
type NagleHolds struct {
	Holds []Hold        // not yet decided
	Held  []SettledHold // that were Nagle's, the first maxHolds
	Lone  []SettledHold // that the connection alone could not prove
}

// SettledHold is a hold that has been decided, with what the connection had shown when it was.
type SettledHold struct {
	Hold
	Tally NagleTally
	Tails int // ends of messages that were held, and those that perhaps were
	// what of the hold the application did not need for itself
	Waited report.Cost
	near   bool // the hosts are too near to each other to tell a hold of one round trip
	// from the moment at which the ACK could be known until the held piece left
	Behind time.Duration
	Also   int         // further holds of the exchange, too many to keep each
	Others report.Cost // what of those the application did not need for itself
}

// reset is the room of h, empty.
func (h *NagleHolds) reset() NagleHolds {
	return NagleHolds{Holds: h.Holds[:0], Held: h.Held[:0], Lone: h.Lone[:0]}
}

// hold keeps a hold, or counts it with the last one: an exchange may have holds without end.
func (h *NagleHolds) hold(s SettledHold) {
	if len(h.Held) < maxHolds {
		h.Held = append(h.Held, s)
		return
	}
	for i := len(h.Held) - 1; i >= 0; i-- {
		if k := &h.Held[i]; !k.RoundTripOnly() {
			k.Also, k.Others = k.Also+1, k.Others.Add(s.Waited)
			return
		}
	}
}

// nearHosts is the least round trip below which a hold of one costs less than it takes to tell it
// from other causes.
const nearHosts = 2 * time.Millisecond

// RoundTripOnly reports whether a prompt ACK between hosts that are near ended the hold.
func (h *SettledHold) RoundTripOnly() bool { return h.near && h.Delayed < DelackFloor }
