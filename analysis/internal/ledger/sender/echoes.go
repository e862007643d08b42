package sender

import (
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// echoes stands for the acknowledgments that a capture of one direction lacks (T-RAT, Zhang et al.
// 2002): each segment echoes the timestamp of the latest that its sender had received (RFC 7323
// §3). Where the echo is as fresh as that of a SYN-ACK, an acknowledgment had just arrived.
type echoes struct {
	least  int32 // ticks by which the sender's clock was ahead of what it echoed, at the least
	any    bool  // least is valid
	fresh  bool  // the record in hand left when something had just arrived
	flight bool  // the record in hand begins a flight
	// the least time from one flight that an acknowledgment released to the next; 0: not known
	period time.Duration
}

// freshTicks is how stale an echo may be that is called fresh: either clock may have been about to
// tick.
const freshTicks = 2

// flightGap is from how long a pause on, as a multiple of the staleness that still is called fresh,
// an echo tells that something arrived at its end: what the sender had heard by the start of a
// shorter one would seem fresh, too.
const flightGap = 3

// add takes note of r. A clock that runs at another pace than the peer's makes every echo fresher
// than all before: such are not called fresh.
func (e *echoes) add(r *reassembly.Record) {
	e.fresh, e.flight = false, false
	if !r.Trait.Has(reassembly.HasTS) || r.Flags&capture.ACK == 0 {
		return
	}
	lag := int32(r.TSVal - r.TSEcr)
	e.fresh = e.any && lag-e.least <= freshTicks && e.least-lag <= freshTicks
	if !e.any || lag < e.least {
		e.least, e.any = lag, true
	}
}
