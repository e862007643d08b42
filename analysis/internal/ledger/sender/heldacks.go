package sender

import (
	"slices"
	"time"

	"tcpwhy/reassembly"
)

const (
	// DelackFloor is from how late on an acknowledgment is a delayed one: stacks mean 10 ms at
	// least (Windows), Linux 40 (TCP_ATO_MIN).
	DelackFloor = 8 * time.Millisecond
	// DelackCeil is up to how late it is one: half a second is forbidden (RFC 9293 §3.8.6.3), and a
	// timer is late by a tick.
	DelackCeil = 510 * time.Millisecond
	// delackBeyond is how many times later it must be than the path's jitter, and than the
	// acknowledgment before was: jitter is a median, and four medians off is not that (reasoning).
	delackBeyond = 4
)

// delackTimers are how long systems delay an acknowledgment: Linux 40 ms (include/net/tcp.h,
// TCP_DELACK_MIN, and twice that after a pause), Windows 10, 50 and 200, BSD and macOS 100.
var delackTimers = [...]time.Duration{
	40 * time.Millisecond, 50 * time.Millisecond, 80 * time.Millisecond,
	100 * time.Millisecond, 200 * time.Millisecond,
}

const (
	// delackTick is what a kernel's tick makes a timer late (Linux: HZ=250, and a busy host).
	delackTick = 6 * time.Millisecond
	// steadyParts: few ACKs tell of a timer if what the path varies by is one of so many parts of
	// it, else some timer or other fits nearly anything; and many if they differ by no more (both
	// reasoning).
	steadyParts = 16
)

const maxHeldAcks = 64 // kept per direction

// heldAcks are the acknowledgments that ended holds of one sender, and what is known of the way
// between the capture point and the host that sent them.
type heldAcks struct {
	took []time.Duration // from the segment that was waited for until its ACK, shortest first
	near reassembly.RTT
	own  bool // there is no way between them
}

// add takes note of an ACK that took so long.
func (h *heldAcks) add(took time.Duration, near reassembly.RTT, own bool) {
	h.near, h.own = near, own
	if len(h.took) < maxHeldAcks {
		i, _ := slices.BinarySearch(h.took, took)
		h.took = slices.Insert(h.took, i, took)
	}
}

// fewDelays is how many late ACKs say little of how alike they are: fewer must be more alike
// (reasoning: of two that a path delays by anything, one in five times are within a quarter; of
// four, one in a hundred).
const fewDelays = 4

// manyDelays are so many that chance would hardly part them from others: of six that a path delays
// by anything up to twice its round trip, four are apart from two in one case of eleven by as much
// as they differ, and of ten in one of five hundred (by simulation).
const manyDelays = 2 * fewDelays

// delayed is how many of the ACKs a timer made late, and of how many that rests on no estimate.
// What comes from the host next to the capture has no path that could have made it late. Of others,
// those are late by a timer that are apart from the prompt ones: by the least that stacks mean, by
// more than the path's jitter, and by more than either group differs in itself, as a path's delay
// varies by anything from nothing on. It rests on no estimate if it is by several times more than
// either group of them was seen to differ, and the late ones are as late as a timer, or all the
// same. A few late ones count only where they are as late as a timer of some system is, on a steady
// path.
func (h *heldAcks) delayed() (n, surely int) {
	if h.own {
		n = h.later(max(DelackFloor, delackBeyond*h.near.Jitter))
		return n, n
	}
	before := h.near.Min
	for i, took := range h.took {
		late := h.took[i:]
		apart, varies := took-before, max(spreadOf(late), before-h.near.Min)
		if apart >= max(DelackFloor, h.explained(len(late)), h.needed(late)) &&
			apart >= before-h.near.Min && (len(late) >= fewDelays || h.aTimers(late, before)) {
			if len(late) >= fewDelays && apart >= delackBeyond*varies &&
				(h.likeTimers(late) || apart >= steadyParts*spreadOf(late)) {
				surely = len(late)
			}
			return len(late), surely
		}
		before = max(before, took)
	}
	return 0, 0
}

// aTimers reports whether so few late ACKs, the others having taken up to before, came as late as a
// timer of some system: a path that varies makes one of four late by anything.
func (h *heldAcks) aTimers(late []time.Duration, before time.Duration) bool {
	first, last := late[0]-h.near.Min, late[len(late)-1]-h.near.Min
	varies := max(before-h.near.Min, h.near.Jitter)
	for _, timer := range delackTimers {
		if first >= timer*firesFrom/100 && last <= timer+delackTick+varies {
			return varies <= timer/steadyParts
		}
	}
	return false
}

// likeTimers reports whether the late ACKs, most of them, were as late as a timer of some system.
func (h *heldAcks) likeTimers(late []time.Duration) bool {
	middle := late[len(late)/2] - h.near.Min
	for _, timer := range delackTimers {
		if middle >= timer*firesFrom/100 && middle <= timer+delackTick+h.near.Jitter {
			return true
		}
	}
	return false
}

// later is how many took longer than the least round trip by limit or more.
func (h *heldAcks) later(limit time.Duration) (n int) {
	for _, took := range h.took {
		if took-h.near.Min >= limit {
			n++
		}
	}
	return n
}

// explained is up to how far apart from the prompt ones the path's jitter explains so many late
// ACKs. Where few samples tell it, one that was late for a reason of its own may have told too
// much, and how alike many late ones are tells more.
func (h *heldAcks) explained(late int) time.Duration {
	if h.near.Unsure && late >= fewDelays {
		return h.near.Jitter
	}
	return delackBeyond * h.near.Jitter
}

// needed is how far apart from the prompt ones the late ones must be, as they differ so much.
func (h *heldAcks) needed(late []time.Duration) time.Duration {
	switch n := len(late); {
	case n < fewDelays:
		return delackBeyond * spreadOf(late)
	case n < manyDelays:
		return delackBeyond / 2 * spreadOf(late)
	}
	return spreadOf(late)
}

// spreadOf is by how much three quarters of the given times, which are sorted, differ: a few more
// were late for reasons of their own.
func spreadOf(sorted []time.Duration) time.Duration {
	const parts, of = 3, 4
	return sorted[(len(sorted)-1)*parts/of] - sorted[0]
}
