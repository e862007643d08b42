package transfer

import (
	"slices"
	"time"

	"tcpwhy/analysis/internal/ledger"
)

// How fast a path is that was full: by the segments that came through it, or next to their sender
// by the acknowledgments of them.

// measure looks how fast segments and acknowledgments came while the path was full, if there is
// enough more of them than the last time.
func (w *policedPath) measure() {
	if w.fresh*measureParts < len(w.arrivals) {
		return
	}
	w.fresh, w.shaped, w.echoed = 0, 0, 0
	if w.full = w.fills(); w.full {
		trip := w.trip + w.grew
		w.shaped, w.echoed = plateau(w.arrivals, trip), w.heldAcks(trip)
	}
}

// heard are the segments as they were acknowledged: next to the sender only that tells how fast the
// path is.
func (w *policedPath) heard() []ledger.Arrival {
	out := make([]ledger.Arrival, 0, len(w.arrivals))
	for i := range w.arrivals {
		if a := &w.arrivals[i]; a.Heard > 0 {
			out = append(out, ledger.Arrival{At: a.Heard, Octets: a.Octets})
		}
	}
	slices.SortStableFunc(out, ledger.CompareArrivals)
	return out
}

// heldAcks is how fast octets were acknowledged, a second, if that held; 0: it did not.
func (w *policedPath) heldAcks(trip time.Duration) float64 {
	rates, bursts := stretches(w.heard(), trip)
	queue, away := w.usualQueue()
	n := len(rates)
	switch {
	case n < leastStretches || bursts > n/2 || !away:
		return 0
	case queue >= w.shownQueue():
		return rates[n/2] // the path was full for most of the time
	}
	return holdsRoughly(rates, bursts)
}

// fills reports whether the path was full: round trips were longer by a good part of one, and where
// that shows, also when segments were lost. Many connections together are as even as a path, though
// it is losses by chance that set the rate of each.
func (w *policedPath) fills() bool {
	if !w.lossesMet() {
		queue, _ := w.usualQueue()
		return w.queued || queue >= w.shownQueue()
	}
	slices.Sort(w.met)
	return w.met[len(w.met)/2] >= w.shownQueue()
}

// lossesMet reports whether it is known of several losses which queues they met; or of fewer, that
// they met one, as most segments did: a frame that the capture lacks hides a loss, or what it met,
// but not the queue that all others were in.
func (w *policedPath) lossesMet() bool {
	if n := len(w.met); n == 0 || n >= leastWaits {
		return n > 0
	}
	queue, _ := w.usualQueue()
	return min(queue, slices.Min(w.met)) >= w.shownQueue()
}

// shownQueue is how long a queue must be to show that the path is full.
func (w *policedPath) shownQueue() time.Duration { return max(queuedLeast, w.trip/queuedTrip) }

// atOnceParts: near their receiver more than one of so many parts of all segments is acknowledged
// at once, as of two one is (RFC 5681 §4.2); away from it only those of which the capture lacks the
// first copy, where the acknowledgment of that came soon after another (reasoning: an eighth).
const atOnceParts = 8

// usualQueue is by how much later than the soonest segments were acknowledged, as a rule: half of
// them more, half less; false near their receiver, where that shows nothing.
func (w *policedPath) usualQueue() (time.Duration, bool) {
	var late []time.Duration
	for i := range w.arrivals {
		if a := &w.arrivals[i]; a.Heard > 0 && !a.Lost {
			late = append(late, a.Heard-a.At)
		}
	}
	slices.Sort(late)
	soon, _ := slices.BinarySearch(late, w.trip/queuedTrip)
	if len(late) == 0 || soon*atOnceParts >= len(late) {
		return 0, false
	}
	return late[len(late)/2] - late[soon], true
}

// longest is by how much round trips grew at most, or as a rule where losses hid it.
func (w *policedPath) longest() time.Duration {
	usual, _ := w.usualQueue()
	for _, met := range w.met {
		usual = max(usual, met)
	}
	return max(w.grew, usual)
}

// fastest is how fast a path that was full let nine in ten stretches of octets pass at most, a
// second: it carries no more, and may have stood still at times. 0: that is not known.
func (w *policedPath) fastest() float64 {
	if !w.full || !w.lossesMet() {
		return 0
	}
	least := 0.0
	for _, all := range [][]ledger.Arrival{w.arrivals, w.heard()} {
		rates, _ := stretches(all, w.trip+w.grew)
		if n := len(rates); n >= leastStretches {
			if fast := rates[n*fastPercent/100]; least == 0 || fast < least {
				least = fast
			}
		}
	}
	return least
}
