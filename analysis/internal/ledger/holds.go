package ledger

import (
	"time"

	"tcpwhy/analysis/internal/ledger/sender"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

// holds keeps the holds of a connection until it is certain whether they were Nagle's.
type holds struct {
	book    *book
	path    *sender.Path
	waiting int // holds that are not yet decided, about
}

// add keeps a hold with the exchange in which it lies.
func (k *holds) add(h *Hold) {
	for _, j := range k.book.exchanges {
		from, until := j.Span()
		if !j.settled && from <= h.From && h.To <= until && k.book.by.has(j.Index) &&
			j.line.At <= h.From {
			j.Holds = append(j.Holds, *h)
			k.path.Of(h.Dir).Nagle().Counts(h)
			if k.waiting++; k.waiting >= maxHolds {
				k.decide()
			}
			return
		}
	}
}

// decide decides, for all undecided holds of the connection, whether they were Nagle's: the rules
// claim those that were, and the time of the others is the application's own.
func (k *holds) decide() {
	for _, dir := range [...]reassembly.Dir{reassembly.FromClient, reassembly.FromServer} {
		real := k.plausible(dir)
		for _, j := range k.book.exchanges {
			k.decideOf(j, dir, real)
		}
	}
	k.waiting = 0
}

// decideOf decides the holds of one direction of one exchange.
func (k *holds) decideOf(j *Exchange, dir reassembly.Dir, real bool) {
	rest := j.Holds[:0]
	for _, h := range j.Holds {
		switch {
		case h.Dir != dir:
			rest = append(rest, h)
		case h.Tail && k.path.Of(dir).Nagle().HoldsTails(), real && !h.Tail:
			k.divideAnew(j, &h)
			j.hold(k.settled(&h))
		default:
			if !h.Tail && k.lone(&h) {
				j.Lone = append(j.Lone, k.settled(&h))
			}
			k.book.relabel(j, toPause(&h, j.Shared))
		}
	}
	j.Holds = rest
}

// divideAnew gives all of h to the round trip if the path explains how late all ACKs were.
func (k *holds) divideAnew(j *Exchange, h *Hold) {
	t := k.path.Of(h.Dir).Nagle().Tally()
	if h.Delayed == 0 || !t.NoTimer() {
		return
	}
	k.book.relabel(j, toRoundTrip(h))
	h.RoundTrip, h.Delayed = h.Length(), 0
}

// settled is h with what the connection has shown so far.
func (k *holds) settled(h *Hold) SettledHold {
	n := k.path.Of(h.Dir).Nagle()
	return SettledHold{
		Hold:   *h,
		Tally:  n.Tally(),
		Tails:  n.Tails(),
		Waited: waited(n, h),
		near:   k.path.Conn.RTTMin() < nearHosts,
		Behind: max(0, h.Second.Time-h.Ack.Time-k.path.Conn.Far(h.Dir)),
	}
}

// deviations is how many mean deviations of the time that the application takes bound it, either
// way (reasoning: two are the usual bound of what is not known better).
const deviations = 2

// headersParts: one program writes a header section and what follows it in one go, and takes one of
// so many parts of a hold for it at most (reasoning).
const headersParts = 2

// waited is what of a hold the application did not need for itself: the hold less the time that the
// application takes between two writes. Where that never shows, the shortest hold bounds it.
func waited(n *sender.Nagle, h *Hold) report.Cost {
	typical, spread, most, known := n.AppDelay(h.Length())
	length := h.Length()
	if known {
		expected := max(0, length-typical)
		return report.Cost{
			Low:      max(0, expected-deviations*spread),
			Expected: expected,
			High:     min(length, expected+deviations*spread),
		}
	}
	low := length - min(most, length)
	if h.Headers {
		low = max(low, length/headersParts)
	}
	return report.Cost{Low: low, Expected: length, High: length}
}

// loneTimes is how many times longer than "at once" reaches a hold must be that stands alone
// (reasoning: clearly longer than what a kernel takes to react).
const loneTimes = 4

// lone reports whether h is the only hold of its connection, nothing speaks against it, and it was
// clearly longer than what a kernel takes to react: the connections of the same client and service
// together may tell whether it was Nagle's.
func (k *holds) lone(h *Hold) bool {
	c := k.path.Conn
	return k.path.Of(h.Dir).Nagle().Once() && c.Half[0].Missing+c.Half[1].Missing == 0 &&
		h.Length() >= loneTimes*k.path.AtOnce(h.Dir)
}

// plausible reports whether the holds of dir were Nagle's: no small segment ever left with one
// unacknowledged, and most left with the ACK. A single hold must have all of the signature.
func (k *holds) plausible(dir reassembly.Dir) bool {
	n := k.path.Of(dir).Nagle()
	if n.Contradicted() {
		return false
	}
	if n.Repeated() {
		return true
	}
	for _, j := range k.book.exchanges {
		for i := range j.Holds {
			if h := &j.Holds[i]; h.Dir == dir && k.proven(h) {
				return true
			}
		}
	}
	return false
}

const (
	// provenDelay is how late the ACK of a hold must be that is proof alone: half of Linux's least
	// delayed ACK of 40 ms (TCP_ATO_MIN), and more than any reaction.
	provenDelay = 20 * time.Millisecond
	// provenTimes is how many times longer than "at once" reaches it must be (reasoning: an order
	// of magnitude).
	provenTimes = 10
)

// proven reports whether one hold alone is proof enough: the first segment ended with the headers,
// and the ACK was as late as only a timer makes it.
func (k *holds) proven(h *Hold) bool {
	return h.Headers && h.Delayed >= provenDelay && h.Delayed <= sender.DelackCeil &&
		h.Length() >= provenTimes*k.path.AtOnce(h.Dir)
}
