package http2

import (
	"math"
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
		if at, ok := h.readBefore(p, i); ok {
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

// readBefore is the place in the stream of the connection up to which its receiver had read when it
// sent the update that ended wait i; false if that cannot be known.
func (h *holds) readBefore(p *rule.Pass, i int) (int64, bool) {
	if i+1 >= len(h.freed) || h.freed[i+1].Of != h.freed[i].Of {
		return 0, false
	}
	return h.readUpTo(p, &h.freed[i+1])
}

// readUpTo is the place in the stream of the connection up to which its receiver had read when it
// sent the update before the one that let next go; false if that cannot be known.
func (h *holds) readUpTo(p *rule.Pass, next *exchange.Freed) (int64, bool) {
	window, at := h.sizeOf(p, next.Of), next.At
	m := p.Draft.Message(h.dir)
	if window <= 0 || m == nil || !next.Full {
		return 0, false
	}
	if next.Of == exchange.OfConnection {
		return at - window, at-window > m.From
	}
	return ownBefore(p, h, exchange.Range{From: m.From, To: at}, window)
}

// reading is a word of the receiver that let more come, and up to which place it had read by then.
type reading struct {
	by   capture.Mark
	upTo int64
}

// readings are those that let frames of the message go.
func (h *holds) readings(p *rule.Pass, m *exchange.Message) (out []reading) {
	var before *exchange.Freed
	connection := h.cause() == connectionCause
	all := p.Conn.HTTP2.Freed[h.dir].Within(exchange.Range{From: m.From, To: m.To})
	for i := range all {
		f := &all[i]
		switch {
		case connection != (f.Of == exchange.OfConnection):
		case !connection && f.Owner != p.Exchange.Index, before != nil && before.By == f.By:
		default:
			if before != nil {
				if at, ok := h.readUpTo(p, f); ok {
					out = append(out, reading{before.By, at})
				}
			}
			before = f
		}
	}
	return out
}

// paceLeast is how many words must show a receiver's pace: fewer may have been late once.
const paceLeast = 3

// pace is how many seconds the receiver's program takes for an octet: as slow as it can be for its
// words to have come when they did, each behind the octets that it had read by then. 0: that is not
// known, as where the capture lacks frames.
func (h *holds) pace(p *rule.Pass, m *exchange.Message) float64 {
	if p.Conn.HTTP2.Lossy {
		return 0
	}
	words := h.readings(p, m)
	had := h.arrivals(p)
	slack := int64(p.Conn.Half[h.dir].Eff)
	var took, read float64
	shown := 0
	for i := 1; i < len(words); i++ {
		if n := float64(words[i].upTo - words[i-1].upTo); n > 0 {
			took, read = took+n*had.slowest(words[i-1], words[i], slack), read+n
			shown++
		}
	}
	if shown < paceLeast {
		return 0
	}
	return took / read
}

// slowest is how many seconds an octet may have taken a program that had read up to before, and at
// now up to there: it began with each when that had come.
func (a arrivals) slowest(before, now reading, slack int64) float64 {
	least := func(from int64, at time.Duration) float64 {
		return max(0, now.by.Time-max(at, before.by.Time)).Seconds() / float64(now.upTo-from)
	}
	i := sort.Search(len(a), func(i int) bool { return a[i].upTo > before.upTo })
	from, pace := before.upTo, math.MaxFloat64
	for ; i < len(a) && from < now.upTo-slack; i++ {
		pace = min(pace, least(from, a[i].at.Time))
		from = a[i].upTo
	}
	if from < now.upTo-slack || pace == math.MaxFloat64 {
		return 0 // it read what nobody had acknowledged
	}
	return pace
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
