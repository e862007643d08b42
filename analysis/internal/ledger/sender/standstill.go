package sender

import (
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// A host that is paused, suspended or starved does nothing at all: its programs do not run, it
// acknowledges nothing, its timers do not fire. What it sends next tells: its timestamps (RFC 7323
// §5.4) went on by less than the capture's clock, as its own stood, too; or its timer should have
// fired long before.

const (
	// standsLeast is from how long on a host has stood still: anything less interrupts nobody, and
	// schedulers of virtual machines take turns by tenths of a second.
	standsLeast = time.Second
	// standsLooks is how many records behind and before one are looked at for what it answered.
	standsLooks = 64
	// heldParts: what was held up for less than such a part of standsLeast left when it passed, as
	// far as that matters (reasoning).
	heldParts = 10
)

// Standstill is time in which a host did nothing. The zero value is none.
type Standstill struct {
	From, To      time.Duration
	Dir           reassembly.Dir // of what the host sends
	Before, After capture.Mark   // its last segment before, and its first after
	// by how much its own clock went on from one to the other; where that is less than half of the
	// time, the clock stood, else a timer did not fire
	Ticked time.Duration
}

// ClockStood reports whether the host's own clock stood, too.
func (s *Standstill) ClockStood() bool { return 2*s.Ticked < s.After.Time-s.Before.Time }

// StoodStill is when the sender of r, record n, stood still just before it; zero if it did not, or
// nothing tells. It is asked before r is observed.
func (p *Path) StoodStill(r *reassembly.Record, n int) Standstill {
	s := &p.senders[r.Dir]
	last := &s.stamps.latest
	gap := r.Time - last.Time
	if gap < standsLeast || !last.any || !r.Trait.Has(reassembly.HasTS) || s.stamps.pace() == 0 {
		return Standstill{}
	}
	ticked := time.Duration(int32(r.TSVal-last.val)) * s.stamps.pace()
	still := Standstill{
		From: r.Time - (gap - ticked), To: r.Time, Dir: r.Dir, Before: last.Mark,
		After: r.Mark(), Ticked: ticked,
	}
	switch {
	case ticked < 0:
		return Standstill{}
	case 2*ticked < gap:
		if !p.clockStood(s, n, gap-ticked) && !p.neverRepeated(s, r, n, gap-ticked) {
			return Standstill{}
		}
		s.stamps.skip(gap - ticked)
		return still
	case s.timerStood(r, n, gap):
		// what was lost would have taken a timer all the same
		still.From, still.To = last.Time, still.To-timersLatest(p.Timeout(), 1)
		return still
	}
	return Standstill{}
}

// LeftThen reports whether r, the record in hand, shows that it left when it passed: next to its
// sender, or by its timestamp.
func (s *State) LeftThen(r *reassembly.Record) bool {
	return s.far() < nearHost || r.Trait.Has(reassembly.HasTS) && s.stamps.tick > 0 &&
		s.hand.late < standsLeast/heldParts
}

// clockStood reports whether the clock of s, whose record n comes so much later than it says, really
// stood: this record, or a later one, answers what the peer had sent when the capture's clock was
// ahead already, and not what was on its way before; and the peer's clock had gone on.
func (p *Path) clockStood(s *State, n int, stood time.Duration) bool {
	c := p.Conn
	last := &s.stamps.latest
	for i := n - c.Released; i < len(c.Records) && i < n-c.Released+standsLooks; i++ {
		h := &c.Records[i]
		if h.Dir != s.dir || !h.Trait.Has(reassembly.HasTS) {
			continue
		}
		asked := p.echoed(h, i, last.Time)
		if asked == nil {
			continue
		}
		ticked := time.Duration(int32(h.TSVal-last.val)) * s.stamps.pace()
		if 2*(asked.Time-last.Time-ticked) >= stood && p.wentOn(asked, last.Time) {
			return true
		}
	}
	return false
}

// neverRepeated reports whether r, record n, was not held up on the way for so long, as its sender
// never repeated it though its timer would have run out; and the peer's clock went on.
func (p *Path) neverRepeated(s *State, r *reassembly.Record, n int, late time.Duration) bool {
	if r.Len == 0 || r.Kind.Retransmitted() || late <= s.timerLongest(0) ||
		!s.sawAll(s.stamps.latest.Time) {
		return false
	}
	went := false
	for i := n + 1 - p.Conn.Released; i < len(p.Conn.Records); i++ {
		switch q := &p.Conn.Records[i]; {
		case q.Dir == r.Dir && q.Len > 0 && q.Seq < r.End():
			return false
		case q.Dir != r.Dir && q.Trait.Has(reassembly.HasTS) && !went:
			went = p.wentOn(q, s.stamps.latest.Time)
		}
	}
	return went
}

// echoed is the peer's segment after the given moment whose timestamp h, the i-th record that is
// held, echoes; nil if it is not among the records before.
func (p *Path) echoed(h *reassembly.Record, i int, after time.Duration) *reassembly.Record {
	for k := i - 1; k >= max(0, i-standsLooks); k-- {
		q := &p.Conn.Records[k]
		if q.Time <= after {
			return nil
		}
		if q.Dir != h.Dir && q.Trait.Has(reassembly.HasTS) && q.TSVal == h.TSEcr {
			return q
		}
	}
	return nil
}

// wentOn reports whether the clock of q's sender went on as the capture's did since before the
// given moment.
func (p *Path) wentOn(q *reassembly.Record, before time.Duration) bool {
	st := &p.senders[q.Dir].stamps
	if !st.any || st.pace() == 0 {
		return false
	}
	val, at := st.val, st.at
	for i := len(p.Conn.Records) - 1; i >= 0; i-- {
		r := &p.Conn.Records[i]
		if r.Dir == q.Dir && r.Time <= before && r.Trait.Has(reassembly.HasTS) {
			val, at = r.TSVal, r.Time
			break
		}
	}
	took := time.Duration(int32(q.TSVal-val)) * st.pace()
	return q.Time > at && 2*took >= q.Time-at
}

// timerStood reports whether, in the time since its last segment, a retransmission timer of s must
// have run out, and did not fire before r, record n: something that it had sent was missing, as it
// sent it again then or later, and none of its copies could have been lost before it came here.
func (s *State) timerStood(r *reassembly.Record, n int, gap time.Duration) bool {
	octet, unseen, missing := s.missing(r, n)
	if !missing || r.Flags&(capture.SYN|capture.RST) != 0 || !s.sawAll(s.stamps.latest.Time) {
		return false
	}
	passed := 0 // each copy that had passed doubled the timer
	for i := n - 1 - s.path.Conn.Released; i >= 0; i-- {
		o := &s.path.Conn.Records[i]
		if o.Dir == s.dir && o.Len > 0 && o.Seq <= octet && o.End() > octet {
			passed++
		}
	}
	return (passed > 0 || unseen) && gap > s.timerLongest(max(passed-1, 0))
}

// missing is the first octet that r, record n, or a later one, sent again as it had been sent before
// r and was lost, and whether that was before it came here; false if none did. What is sent again
// sooner than r can have been heard of had been lost long before r.
func (s *State) missing(r *reassembly.Record, n int) (octet int64, unseen, found bool) {
	if needed(r) {
		return r.Seq, r.Trait.Has(reassembly.Unseen), true
	}
	for _, p := range s.stream.repairs {
		if p.record <= n || p.from >= r.Seq || found && p.from >= octet {
			continue
		}
		copied := s.path.record(p.record)
		if p.from < s.stream.sent || copied.Time-r.Time < s.path.Conn.RTTMin()*probeAnswer/100 {
			octet, unseen, found = p.from, copied.Trait.Has(reassembly.Unseen), true
		}
	}
	return octet, unseen, found
}

// needed reports whether r is a copy that was needed.
func needed(r *reassembly.Record) bool {
	return r.Kind.Retransmitted() && r.Kind != reassembly.SpuriousRetransmission && r.Len > 0
}
