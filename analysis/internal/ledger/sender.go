package ledger

import (
	"sort"
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

const (
	maxHoles   = 256  // lost ranges followed at a time; beyond it the oldest counts as delivered
	maxRepairs = 1024 // retransmissions looked ahead for at a time
)

// repair is a retransmission that was needed.
type repair struct {
	from, to int64
	record   int // absolute number
}

// hole is a range that the receiver lacks.
type hole struct {
	from, to int64
	// when it passed the capture point in vain; if it never did, when something later passed
	sent  time.Duration
	frame capture.FrameID
	seen  bool
	again time.Duration   // when the latest retransmission passed that was lost too; 0: none was
	kind  reassembly.Kind // of that retransmission
}

// small is the last segment that was smaller than the effective MSS: what Nagle's algorithm waits
// for (RFC 896, in Minshall's form).
type small struct {
	capture.Mark
	end     int64 // offset after it
	size    uint32
	valid   bool
	turn    bool         // the peer sent data since: what followed may have been caused by that
	acked   bool         // the sender knows of an ACK that covers it
	pure    bool         // that ACK carried no data
	ack     capture.Mark // that ACK
	headers bool         // it ends where the header section ends
	probe   bool         // a timer may have sent it, whatever Nagle's algorithm says
}

// sender is what the walk knows of one direction: what was sent, what arrived, and what the sender
// could know.
//
// A sender learns of an acknowledgment that passes the capture point only after a trip to it. So
// "known" means: it passed the capture point at least one round trip between the capture point and
// this sender before the segment in hand did.
type sender struct {
	Max     int64 // offset after the highest octet sent
	Oldest  int64 // highest offset that was acknowledged in records already released
	holes   []hole
	repairs []repair
	gap     bool // the capture lacks octets since the last progress event

	// absolute number of the peer's record up to which everything is known
	known       int
	ack         int64         // highest acknowledgment known
	ackPrev     int64         // the one before
	covered     capture.Mark  // the segment that told of ack
	coveredPure bool          // it carried no data
	partly      time.Duration // when the segment before it passed that told of less
	edge        int64         // right edge of the receive window known
	before      int64         // max, before the record in hand
	release     release
	view        view
	last        *lastSent
	store       lastSent

	small   small
	probed  bool    // the record in hand may be a tail loss probe of new data
	rounds  []Round // of the message in hand, the first maxRounds
	round   Round   // the current one
	Growth  growth
	flight  int64 // the most in flight so far
	initial int64 // octets of the first round of the connection
	rwnd    bound
	rate    rate
	ackRate ackRate
	trail   trail
	cwnd    replica
	pacing  pacing
	echoes  echoes
	Stamps  stamps
	late    time.Duration // by how much longer than the least the record in hand was under way
	ids     counter
	pieces  pieces
	Large   largePass
	tails   tails
	Delacks []time.Duration // how late the peer acknowledged small segments
	// acknowledgments in a row that came while two full segments and more were on their way
	deep  int
	queue time.Duration // the most by which round trips grew during the message in hand
	// by how much the latest acknowledgments came later than the least round trip, latest first
	delay [3]time.Duration
}

// bound is what the receive window was when it kept the sender back during the message in hand.
type bound struct {
	Times       int
	first, last int64 // octets
	Most        int64
	early, late int64 // the most of the first few times, and of the later ones
	// what there was room for when the message began, and the most that was offered after the first
	// few times
	begun, room int64
	steady      int   // how many of the latest were about as large as the first of them
	level       int64 // that first one
	Offered     int64 // the largest during the message, whether it kept the sender back or not
}

// earlyTimes is how many of the first times tell how large a window is that then goes up and down,
// as one of two or three segments does with every acknowledgment.
const earlyTimes = 6

// Fixed reports whether the window stayed about the same: from the first to the last, or for all
// but a few at the start, before the receiver's buffer was known to it; or whether it came back to
// what it was in the beginning, and to no more. Where the receiver's program is slow it does not
// come back. One that was twice as large later, when nothing waited for it, was not fixed.
func (b *bound) Fixed() bool {
	if b.Offered > 2*b.Most {
		return false
	}
	if b.Times >= 2*earlyTimes && b.late*4 <= b.early*5 && b.room*5 >= max(b.early, b.begun)*4 {
		return true
	}
	return b.Times >= 3 && b.last*4 <= b.first*5 || b.Times >= 8 && b.steady*4 >= b.Times*3
}

// lastSent is the last segment with data.
type lastSent struct {
	capture.Mark
	full bool
	push bool
	end  int64
	ack  int64 // the highest acknowledgment known then
}

// deliver books record n as it reaches the receiver. filled is the hole at the receiver's edge that
// it filled, nil if it filled none; forward tells that the receiver now has more in order.
func (s *sender) deliver(r *reassembly.Record, n int) (filled *hole, forward bool) {
	if r.Len == 0 {
		return nil, false
	}
	before := s.frontier()
	from, to := r.Seq, r.Seq+int64(r.Len)
	if from > s.Max && s.Max > 0 {
		s.add(hole{from: s.Max, to: from, sent: r.Time, frame: r.Frame})
	}
	filled = s.fill(from, to)
	for len(s.repairs) > 0 && s.repairs[0].record <= n {
		s.repairs = s.repairs[1:]
	}
	for _, p := range s.repairs {
		if p.from >= to || p.to <= from {
			continue
		}
		h := hole{
			from:  max(p.from, from),
			to:    min(p.to, to),
			sent:  r.Time,
			frame: r.Frame,
			seen:  true,
		}
		if filled != nil && r.Kind.Retransmitted() {
			// This copy was lost like the first, which is the one that began the wait.
			h.sent, h.frame, h.seen, h.again, h.kind = filled.sent, filled.frame, filled.seen, r.Time, r.Kind
		}
		s.add(h)
	}
	s.before, s.Max = s.Max, max(s.Max, to)
	return filled, s.frontier() > before
}

// vain reports whether r, just delivered, is the first copy of what the receiver needs next, and is
// going to be lost. What led to it is judged when it is sent, as what led to any other.
func (s *sender) vain(r *reassembly.Record) bool {
	return r.Len > 0 && !r.Kind.Retransmitted() && r.Seq == s.before && len(s.holes) > 0 &&
		s.holes[0].from == r.Seq &&
		s.holes[0].seen
}

// beyond reports whether r, just delivered, is the first that follows what the receiver needs next,
// which was lost before it passed the capture point and is going to be sent again, or is late. That
// one left with it, so that what led to r led to it.
func (s *sender) beyond(w *walker, r *reassembly.Record) bool {
	if r.Len == 0 || s.before == 0 || r.Seq <= s.before || len(s.holes) == 0 ||
		s.holes[0].from != s.before {
		return false
	}
	for _, p := range s.repairs {
		if p.from <= s.before && p.to > s.before {
			return true
		}
	}
	return w.overtaken(r.Dir, s.before)
}

// overtaken reports whether the octet of dir at the given offset comes later, overtaken on the way.
func (w *walker) overtaken(dir reassembly.Dir, offset int64) bool {
	c := w.s.Conn
	for i := w.next - c.Released; i < len(c.Records) && i < w.next-c.Released+maxRepairs; i++ {
		if r := &c.Records[i]; r.Dir == dir && r.Kind == reassembly.OutOfOrder && r.Seq <= offset &&
			r.Seq+int64(r.Len) > offset {
			return true
		}
	}
	return false
}

// frontier is the offset up to which the receiver has everything.
func (s *sender) frontier() int64 {
	if len(s.holes) > 0 {
		return s.holes[0].from
	}
	return s.Max
}

// part is the hole from from to to, lost as h was.
func (h hole) part(from, to int64) hole {
	h.from, h.to = from, to
	return h
}

// fill removes [from, to) from the holes; the result is what was the first hole, if that was
// touched.
func (s *sender) fill(from, to int64) *hole {
	at := sort.Search(len(s.holes), func(i int) bool { return s.holes[i].to > from })
	if at == len(s.holes) || s.holes[at].from >= to {
		return nil
	}
	first := s.holes[0]
	kept := make([]hole, 0, len(s.holes)+1)
	for _, h := range s.holes {
		if h.to <= from || h.from >= to {
			kept = append(kept, h)
			continue
		}
		if h.from < from {
			kept = append(kept, h.part(h.from, from))
		}
		if h.to > to {
			kept = append(kept, h.part(to, h.to))
		}
	}
	s.holes = kept
	if first.from < to && first.to > from {
		return &first
	}
	return nil
}

// add notes a hole, in order of offset. What is already known as missing stays as it is.
func (s *sender) add(h hole) {
	i := 0
	for i < len(s.holes) && s.holes[i].from < h.from {
		i++
	}
	if i > 0 && s.holes[i-1].to > h.from {
		h.from = s.holes[i-1].to
	}
	if i < len(s.holes) && s.holes[i].from < h.to {
		h.to = s.holes[i].from
	}
	if h.from >= h.to {
		return
	}
	s.holes = append(s.holes, hole{})
	copy(s.holes[i+1:], s.holes[i:])
	s.holes[i] = h
	if len(s.holes) > maxHoles {
		s.holes = s.holes[1:]
	}
}

// sent takes note of r after it has been judged. fresh tells that it is the first of a message.
func (s *sender) sent(w *walker, r *reassembly.Record, n int, fresh bool) {
	if r.Len == 0 {
		return
	}
	full := r.Trait.Has(reassembly.Full)
	if r.Kind.Retransmitted() {
		if r.Kind != reassembly.SpuriousRetransmission {
			s.Growth.lose(s.Max)
			s.cwnd.size = 0
		}
		s.round.Bytes += int64(r.Len)
		s.view.missing = 0
		return
	}
	eff := w.s.Conn.Half[r.Dir].Eff
	s.rate.add(r, full && r.Len <= eff && s.ack < s.before)
	s.countRound(w, r, n, fresh)
	gap := time.Duration(0)
	if s.last != nil && !fresh {
		gap = r.Time - s.last.Time
	}
	s.pieces.count(r, gap, full)
	s.store = lastSent{r.Mark(), full, r.Flags&capture.PSH != 0, r.Seq + int64(r.Len), s.ack}
	s.last = &s.store
	s.flight = max(s.flight, s.Max-s.ack)
	if s.ack >= s.Growth.past { // before that, much of it has arrived behind what was lost
		s.Growth.peak = max(s.Growth.peak, s.Max-s.ack)
	}
	s.trail.add(r, eff)
	s.Stamps.late = [3]time.Duration{s.late, s.Stamps.late[0], s.Stamps.late[1]}
	if len(s.holes) == 0 && s.before > s.Growth.past {
		s.queue = max(s.queue, s.Stamps.queue())
	}
	s.cwnd.sent(s.trail.sent-s.trail.acked, s.trail.sent-s.cwnd.sure)
	s.view.reset()
	probed := s.probed
	s.probed = false
	if full {
		return
	}
	s.small = small{
		Mark:  r.Mark(),
		end:   r.Seq + int64(r.Len),
		size:  r.Len,
		valid: true,
		probe: probed,
	}
	s.small.headers = w.s.endsHeader(r.Dir, s.small.end)
}

// endsHeader reports whether offset end of dir's stream is where the header section of a message in
// hand ends.
func (s *Connection) endsHeader(dir reassembly.Dir, end int64) bool {
	for _, j := range s.jobs {
		m := j.Parsed.Request
		if dir == reassembly.FromServer {
			m = j.Parsed.Response
		}
		if m != nil && !j.Parsed.Turn && m.From+m.HeaderBytes == end {
			return true
		}
	}
	return false
}

// reuse takes over the room of a sender that is no longer needed.
func (s *sender) reuse(old *sender) {
	s.holes, s.repairs, s.rounds = old.holes[:0], old.repairs[:0], old.rounds[:0]
	s.trail.q = old.trail.q[:0]
	s.cwnd.next = old.cwnd.next[:0]
}
