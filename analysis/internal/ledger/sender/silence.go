package sender

import (
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// A path that stands still, or loses everything for a while, keeps all that a host sends from its
// peer, whatever its programs do: its kernel would acknowledge what comes, and repeat what it sent.
// That tells it from a server that thinks, whose kernel goes on.

// Deafness is why a host heard nothing for a while, as far as a capture shows. The zero value is
// that it heard, or nobody knows.
type Deafness uint8

const (
	// AcksLost: it repeated, by its timer, what had arrived and been acknowledged.
	AcksLost Deafness = iota + 1
	// HeldUp: what came then had been on its way since.
	HeldUp
	// Unanswered: it repeated, by its timer, what had arrived, or was on its way, and was not
	// answered before.
	Unanswered
	// Lost: likewise, but no copy had arrived, of several segments.
	Lost
	// OwnLost: what came then repaired what its peer had repeated in vain.
	OwnLost
)

// silenceLeast is from how long on it is told that nothing was heard of a host: shorter ones
// interrupt nobody, and a timer or two look the same.
const silenceLeast = time.Second

// fasterTimes: what was held up came at least so many times as fast right before or behind, else
// the path is as slow (reasoning: rates of a path vary by less in a second; a standstill of a
// second on one that carries a segment in 10 ms is a hundred).
const fasterTimes = 8

// Silence is time in which nothing of a host came to the capture point, due to the path. The zero
// value is none.
type Silence struct {
	From, To time.Duration
	Dir      reassembly.Dir // of what did not come
	Again    capture.Mark   // the peer's first copy in that time; no frame if there was none
	Why      Deafness       // of the peer
}

// Silence is the time just before r, record n, in which nothing of its sender came though its host
// was at work; zero if there was none, or nothing tells. It is asked before r is observed; where
// its sender's host stood still, that is what it is.
func (p *Path) Silence(r *reassembly.Record, n int) Silence {
	s := &p.senders[r.Dir]
	last := &s.stamps.latest
	if r.Time-last.Time < silenceLeast || !Seen(last.Mark) || s.far() < nearHost {
		return Silence{}
	}
	out := Silence{From: last.Time, To: r.Time, Dir: r.Dir}
	if late := s.heldSince(r, n); late > 0 {
		out.From, out.Why = r.Time-late, HeldUp
	} else {
		c := p.senders[r.Dir.Peer()].copiesSince(last.Time, r.Time, n)
		out.From, out.Again, out.Why = max(out.From, c.due), c.first, c.why()
	}
	if out.Why == 0 || out.To-out.From < silenceLeast {
		return Silence{}
	}
	return out
}

// heldSince is for how long r, record n, was held up on the way, by its timestamp, beyond what was
// under way before it; 0 if it was not for most of the time since then. Its sender's clock went on
// meanwhile, as a later segment shows; and the path is not as slow.
func (s *State) heldSince(r *reassembly.Record, n int) time.Duration {
	c, last := s.path.Conn, &s.stamps.latest
	pace := s.stamps.pace()
	if !last.any || !r.Trait.Has(reassembly.HasTS) || pace == 0 {
		return 0
	}
	gap := r.Time - last.Time
	ticked := time.Duration(int32(r.TSVal-last.val)) * pace
	late := gap - ticked
	if ticked < 0 || 2*ticked >= gap || !s.peerAwake(n, gap) || !s.carriesFaster(r, n, gap) {
		return 0
	}
	for i := n - c.Released; i < len(c.Records); i++ {
		h := &c.Records[i]
		if h.Dir == s.dir && h.Trait.Has(reassembly.HasTS) && 2*(h.Time-last.Time-
			time.Duration(int32(h.TSVal-last.val))*pace) < late {
			return late
		}
	}
	return 0
}

// awakeParts: a segment of the peer counts that is such a part of the gap away from either end: at
// the end a host that stood still goes on, too, and in the beginning it had not yet stopped
// (reasoning: a timer that is doubled fires between the two).
const awakeParts = 4

// peerAwake reports whether the peer sent something in the midst of the gap before record n: else
// its host, next to which all waits for it, or that of the capture, may have stood still.
func (s *State) peerAwake(n int, gap time.Duration) bool {
	c := s.path.Conn
	at := c.Records[n-c.Released].Time
	for i := n - 1 - c.Released; i >= 0; i-- {
		o := &c.Records[i]
		if o.Time <= at-gap+gap/awakeParts {
			break
		}
		if o.Dir != s.dir && o.Time < at-gap/awakeParts {
			return true
		}
	}
	return false
}

// carriesFaster reports whether the path carried far more in as long as gap right before it, or in
// the time behind r, record n, that ends it, than r alone.
func (s *State) carriesFaster(r *reassembly.Record, n int, gap time.Duration) bool {
	c := s.path.Conn
	least := fasterTimes * (int64(r.Len) + s.headers(r))
	var before, behind int64
	for i := range c.Records {
		o := &c.Records[i]
		switch octets := int64(o.Len) + s.headers(o); {
		case o.Dir != s.dir:
		case i < n-c.Released && o.Time >= r.Time-2*gap:
			before += octets
		case i > n-c.Released && o.Time <= r.Time+gap:
			behind += octets
		}
	}
	return max(before, behind) >= least
}

// copies are what a host repeated by its timer while it heard nothing.
type copies struct {
	n       int           // those that would have been answered
	first   capture.Mark  // the first of them
	due     time.Duration // when an answer to what they repeat was due
	arrived bool          // one of them was needless
	several bool          // other segments than the one that they repeat were not acknowledged, too
}

// why is what they tell.
func (c *copies) why() Deafness {
	switch {
	case c.n < unheardCopies:
		return 0
	case c.arrived:
		return Unanswered
	case c.several:
		return Lost
	}
	return 0
}

// copiesSince are what the sender repeated between two moments, before record n, each a timer after
// the one before, and a round trip and more before the second.
func (s *State) copiesSince(from, to time.Duration, n int) (out copies) {
	c, latest := s.path.Conn, from
	var again *reassembly.Record
	end := min(n-c.Released, len(c.Records))
	begin := end
	for begin > 0 && c.Records[begin-1].Time > from {
		begin--
	}
	for i := begin; i < end; i++ {
		r := &c.Records[i]
		if r.Dir != s.dir || r.Len == 0 || !r.Kind.Retransmitted() ||
			r.Kind == reassembly.FastRetransmission {
			continue
		}
		out.arrived = out.arrived || r.Kind == reassembly.SpuriousRetransmission
		if to-r.Time <= c.RTTMin() || out.n > 0 && r.Time-latest < s.path.timeoutSoonest() {
			continue
		}
		if out.n++; out.n == 1 {
			out.first, again = r.Mark(), r
		}
		latest = r.Time
	}
	if again != nil {
		out.due = s.firstSent(again) + c.RTTMin()
		out.several = s.several(s.AckedBy(from), to)
	}
	return out
}

const (
	// severalLeast is how many segments are several.
	severalLeast = 2
	// smallest is what each path carries of a segment: the MSS where none is named (RFC 9293
	// §3.7.1).
	smallest = 536
)

// several reports whether several segments behind an offset had been sent by the given moment, of
// which a path carries one at least whatever its MTU.
func (s *State) several(acked int64, until time.Duration) bool {
	n, small := 0, false
	for i := range s.path.Conn.Records {
		r := &s.path.Conn.Records[i]
		if r.Time > until {
			break
		}
		if r.Dir == s.dir && r.Len > 0 && r.End() > acked && !r.Kind.Retransmitted() {
			n++
			small = small || r.Len <= smallest
		}
	}
	return small && n >= severalLeast
}

// firstSent is when an octet of r, a copy, passed first, as far as that is held.
func (s *State) firstSent(r *reassembly.Record) time.Duration {
	for i := range s.path.Conn.Records {
		o := &s.path.Conn.Records[i]
		if o.Dir == r.Dir && o.Len > 0 && o.Seq < r.End() && o.End() > r.Seq {
			return min(o.Time, r.Time)
		}
	}
	return r.Time
}

// Unanswered reports whether r, record n, which repeats what was lost again, and several segments
// besides, had not been answered by anything for a second and more: the path carried nothing, as no
// content and no size is all of theirs.
func (p *Path) Unanswered(r *reassembly.Record, n int) bool {
	peer := &p.senders[r.Dir.Peer()]
	from := peer.stamps.latest.Time
	if r.Time-from < silenceLeast || peer.far() < nearHost {
		return false
	}
	c := p.senders[r.Dir].copiesSince(from, r.Time, n)
	return c.n > 0 && c.several
}
