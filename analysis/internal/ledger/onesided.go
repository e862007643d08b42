package ledger

import (
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// echoes stands for the acknowledgments that a capture of one direction lacks (T-RAT, Zhang et al.
// 2002): each segment echoes the timestamp of the latest that its sender had received (RFC 7323
// §3). Where the echo is as fresh as that of a SYN-ACK, an acknowledgment had just arrived.
type echoes struct {
	least  int32 // ticks by which the sender's clock was ahead of what it echoed, at the least
	any    bool
	fresh  bool // the record in hand left when something had just arrived
	flight bool // the record in hand begins a flight
	// the least time from one flight that an acknowledgment released to the next; 0: not known
	period time.Duration
}

// freshTicks is how stale an echo may be that is called fresh: either clock may have been about to
// tick.
const freshTicks = 2

const (
	// flightGap is from how long a pause on, as a multiple of the staleness that still is called
	// fresh, an echo tells that something arrived at its end: what the sender had heard by the
	// start of a shorter one would seem fresh, too.
	flightGap = 3
	// A flight that is grownTo / grownFrom of the one before has grown: in slow start by a half at
	// least, where acknowledgments are delayed, beyond it by a segment (RFC 5681 §3.1), which is a
	// tenth of an initial window of ten. A fifth lies between.
	grownFrom, grownTo = 5, 6
)

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

// oneSided reports whether the capture has nothing of what dir's peer sent.
func oneSided(
	c *reassembly.Conn,
	dir reassembly.Dir,
) bool {
	return c.Half[dir.Peer()].Segments == 0
}

// begins reports whether a response begins with r.
func (s *Connection) begins(r *reassembly.Record) bool {
	for _, j := range s.jobs {
		if m := j.Parsed.Response; m != nil && r.Dir == reassembly.FromServer && m.From == r.Seq {
			return true
		}
	}
	return false
}

// flown reports whether r begins a flight that a window had held back, where the capture shows one
// direction only: the one before had ended with a full segment, and r left when an acknowledgment
// arrived. What had been sent before that one was acknowledged.
func (w *walker) flown(s *sender, r *reassembly.Record, gap time.Duration) bool {
	if !s.echoes.fresh || s.last == nil || !s.last.full ||
		gap < flightGap*freshTicks*s.Stamps.Tick ||
		s.Stamps.Tick == 0 {
		return false
	}
	took := r.Time - s.round.Start.Time
	if s.echoes.period == 0 || took < s.echoes.period {
		s.echoes.period = took
	}
	s.echoes.flight = true
	s.presume(s.round.seq, w.s.Conn.Half[r.Dir].Eff)
	return true
}

// presume takes it that the peer has acknowledged everything before the given offset.
func (s *sender) presume(ack int64, eff uint32) {
	if ack > s.ack {
		s.ackPrev, s.ack = s.ack, ack
		s.trail.drop(ack, s.Max, eff)
	}
}

// flightLabel is the label of the wait before r, which begins a flight: which window it is shows
// only if it grows.
func (w *walker) flightLabel(s *sender, r *reassembly.Record, gap time.Duration) report.Label {
	size, last := w.flight(r, gap/3)
	if !s.Growth.slow && len(s.rounds) != 1 || !last && size*grownFrom < s.round.Bytes*grownTo {
		return report.Unknown
	}
	return w.window(s)
}

// flight is how many octets leave with r, before a pause, and whether they are the last of all that
// is held.
func (w *walker) flight(r *reassembly.Record, pause time.Duration) (size int64, last bool) {
	c := w.s.Conn
	at := r.Time
	for i := w.next - c.Released; i < len(c.Records); i++ {
		o := &c.Records[i]
		if o.Dir != r.Dir || o.Len == 0 {
			continue
		}
		if o.Time-at > pause {
			return size, false
		}
		size, at = size+int64(o.Len), o.Time
	}
	return size, true
}
