package ledger

import (
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// tailCount counts, for one direction, what happened to the small end of a message behind full
// segments that were not acknowledged. Nagle's algorithm as RFC 896 has it holds it until all is
// acknowledged; in Minshall's form, as on Linux, it goes with them.
type tailCount struct {
	prompt int // left with something unacknowledged
	// left as soon as the ACK of everything was known, though the congestion window had room
	held int
	// the same, where the window may have been full, each time with another number of octets before
	// it
	sizes int
	last  int64 // of those
}

// classic reports whether Nagle's algorithm as RFC 896 has it is what holds ends of messages. A
// window that were full just where the full segments of a message end, again and again and however
// many they are, would be a strange one.
func (t *tailCount) classic() bool { return t.prompt == 0 && (t.held >= 2 || t.held+t.sizes >= 4) }

// add takes in a tail that left when all was acknowledged, behind so many octets.
func (t *tailCount) add(octets, eff int64, roomy, sure bool) {
	switch {
	case roomy && sure:
		t.held += 2
	case roomy:
		t.held++
	case octets >= 2*eff && octets != t.last:
		t.sizes, t.last = t.sizes+1, octets
	}
}

// tailHold looks whether r is the small end of a message that left when all before it was
// acknowledged, and counts what happened. The result is the hold, if those before have told that it
// is one.
func (w *walker) tailHold(s *sender, r *reassembly.Record) *Hold {
	c := w.s.Conn
	if r.Len == 0 || r.Trait.Has(reassembly.Full) || r.Flags&capture.FIN != 0 ||
		r.Kind != reassembly.Plain ||
		len(s.holes) > 0 ||
		s.last == nil ||
		!w.any ||
		w.prev != r.Dir ||
		r.Seq != s.Max {
		return nil
	}
	count := &w.s.tail[r.Dir]
	eff := int64(c.Half[r.Dir].Eff)
	if int64(r.Len) > eff {
		count.prompt++ // it left together with full ones
		return nil
	}
	if !s.last.full || s.last.end != r.Seq {
		return nil
	}
	if s.ack < s.Max {
		if r.Time-max(s.last.Time, s.view.heard+c.Far(r.Dir)) < 2*c.RTTMin()*97/100 {
			count.prompt++ // and no tail loss probe
		}
		return nil
	}
	after := r.Time - c.Far(r.Dir) - s.late - s.covered.Time
	if s.view.ack >= s.Max || !s.coveredPure || after > w.s.eps(r.Dir)+2*c.Half[r.Dir].RTT.Jitter ||
		s.bound(w, r) ||
		s.Growth.cut ||
		s.Growth.needless {
		return nil
	}
	sure := s.madeRoom(w, r)
	count.add(s.Max-s.view.ack, eff, sure || s.roomy(int64(r.Len), eff), sure)
	if !count.classic() {
		return nil
	}
	h := &Hold{
		Dir:    r.Dir,
		Tail:   true,
		First:  s.last.Mark,
		Ack:    s.covered,
		Second: r.Mark(),
		Size:   [2]uint32{uint32(min(s.Max-s.view.ack, 1<<31)), r.Len},
		From:   max(w.at, s.last.Time),
		To:     r.Time,
	}
	h.RoundTrip = min(h.Length(), c.RTTMin())
	h.Delayed = h.Length() - h.RoundTrip
	w.s.nagle[r.Dir].ended(h.Delayed)
	return h
}

// roomy reports whether the congestion window had room for n octets more behind what was
// outstanding: as much has been in flight, or the first window of the connection was as large and
// has been acknowledged in earlier messages, which opens it by a segment at least (RFC 5681 §3.1).
func (s *sender) roomy(n, eff int64) bool {
	outstanding := s.Max - s.view.ack
	return s.Growth.idle.Since == 0 &&
		(outstanding+n <= s.Growth.peak || s.initial > 0 && len(s.rounds) <= 1 && outstanding+n <= s.initial+eff)
}

// madeRoom reports whether an acknowledgment had made room for r clearly before the one of
// everything, and nothing was sent. That r left just then would be a coincidence.
func (s *sender) madeRoom(w *walker, r *reassembly.Record) bool {
	return s.view.ack-s.last.ack >= int64(r.Len) &&
		s.covered.Time-s.partly >= 10*w.s.eps(r.Dir)+2*w.s.Conn.Half[r.Dir].RTT.Jitter
}
