package http2

import (
	"sort"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
)

// A receiver that reads at once lets as much more come as it has got: whether it says so for each
// frame or for half a window, an update follows the last of the octets that it is for. One whose
// program is slow lets them lie: what an update is for had come long before. The octets that an
// update is for are known by the frame that the next one let go: all before that had been allowed,
// which is a window more than had been read.

// read tells, of each wait, by how much the update that ended it was later than its sender had the
// octets it was for.
func (h *holds) read(p *rule.Pass) {
	if len(h.waits) == 0 {
		return
	}
	trip := max(lateLeast, p.Conn.RTTMin()*lateTrip/100)
	had := h.arrivals(p)
	for i := range h.waits {
		late := h.freed[i].By.Time - had.last(h.freed[i].Since.Time, h.freed[i].By)
		if at, ok := h.readUpTo(p, i); ok {
			late = max(late, h.freed[i].By.Time-had.of(at, h.freed[i].By.Time))
		}
		if late <= trip {
			continue
		}
		h.slow(i, late)
	}
}

// slow notes that the update that ended wait i came so much later than it could have.
func (h *holds) slow(i int, late time.Duration) {
	h.late += min(late, h.waits[i].Length())
	if late > h.lateMost {
		h.slowest, h.lateMost = i, late
	}
}

// readUpTo is the place in the stream of the connection up to which its receiver had read when it
// sent the update that ended wait i; false if that cannot be known.
func (h *holds) readUpTo(p *rule.Pass, i int) (int64, bool) {
	if i+1 >= len(h.freed) || !h.freed[i+1].Full || h.freed[i+1].Of != h.freed[i].Of {
		return 0, false
	}
	window, at := h.sizeOf(p, h.freed[i].Of), h.freed[i+1].At
	m := p.Draft.Message(h.dir)
	if window <= 0 || m == nil {
		return 0, false
	}
	if h.freed[i].Of == exchange.OfConnection {
		return at - window, at-window > m.From
	}
	return ownBefore(p, h, exchange.Range{From: m.From, To: at}, window)
}

// ownBefore is the place in r behind which the exchange has so many octets of its own; false if it
// has fewer.
func ownBefore(p *rule.Pass, h *holds, r exchange.Range, octets int64) (int64, bool) {
	runs := p.Conn.HTTP2.Owners[h.dir].Within(r)
	for i := len(runs) - 1; i >= 0; i-- {
		if runs[i].Owner != p.Exchange.Index {
			continue
		}
		from, to := max(runs[i].From, r.From), min(runs[i].To, r.To)
		if octets -= to - from; octets <= 0 {
			return from - octets, true
		}
	}
	return 0, false
}

// arrivals are when octets had come to their receiver, by its acknowledgments: in order of both.
type arrivals []arrival

type arrival struct {
	upTo int64
	at   capture.Mark
}

// arrivals are those of all the waits, from the beginning of the message on.
func (h *holds) arrivals(p *rule.Pass) arrivals {
	m := p.Draft.Message(h.dir)
	from := h.freed[0].Since.Time
	if m != nil {
		from = min(from, m.Start.Time)
	}
	var out arrivals
	upTo := int64(0)
	for r := range ledger.Segments(p.Conn, from, h.freed[len(h.freed)-1].By.Time) {
		if r.Dir != h.dir && r.Flags&capture.ACK != 0 && r.Ack > upTo {
			upTo = r.Ack
			out = append(out, arrival{upTo, r.Mark()})
		}
	}
	return out
}

// of is when all octets before the given place had come, at the latest that until says.
func (a arrivals) of(place int64, until time.Duration) time.Duration {
	i := sort.Search(len(a), func(i int) bool { return a[i].upTo >= place })
	if i == len(a) {
		return until
	}
	return min(a[i].at.Time, until)
}

// last is when the latest octets had come that the frame by or one before it acknowledges; since if
// none came after that.
func (a arrivals) last(since time.Duration, by capture.Mark) time.Duration {
	i := sort.Search(len(a), func(i int) bool {
		return a[i].at.Time > by.Time || a[i].at.Time == by.Time && a[i].at.Frame > by.Frame
	})
	if i == 0 {
		return since
	}
	return max(since, a[i-1].at.Time)
}
