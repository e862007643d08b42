package analysis

import (
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

const (
	maxHoles   = 256 // lost ranges followed at a time; beyond it the oldest counts as delivered
	maxRepairs = 8192
	rateSpan   = 10 // full segments over which a delivery rate is measured
)

// repair is a retransmission that was needed.
type repair struct {
	from, to int64
	record   int // absolute number
}

// hole is a range that the receiver lacks.
type hole struct {
	from, to int64
	sent     time.Duration // when it passed the capture point in vain; valid if seen
	frame    capture.FrameID
	seen     bool
}

// small is the last segment that was smaller than the effective MSS: what Nagle's algorithm waits for (RFC 896, in
// Minshall's form).
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
}

// sender is what the walk knows of one direction: what was sent, what arrived, and what the sender could know.
//
// A sender learns of an acknowledgment that passes the capture point only after a trip to it. So "known" means: it
// passed the capture point at least one round trip between the capture point and this sender before the segment in
// hand did (diagnosis 3.2).
type sender struct {
	max     int64 // offset after the highest octet sent
	oldest  int64 // highest offset that was acknowledged in records already released
	holes   []hole
	repairs []repair
	gap     bool // the capture lacks octets since the last progress event

	known     int           // absolute number of the peer's record up to which everything is known
	ack       int64         // highest acknowledgment known
	ackAt     time.Duration // when it passed
	ackFrame  capture.FrameID
	ackPrev   int64 // the one before
	edge      int64 // right edge of the receive window known
	edgeAt    time.Duration
	edgeFrame capture.FrameID
	edgePrev  int64
	closedAt  time.Duration // when a window of zero passed
	closed    bool          // the window was zero before its last move
	last      *lastSent
	lastStore lastSent

	small     small
	round     round // the current one
	growing   bool  // slow start has not ended: no loss, and rounds still grow
	idled     bool  // it began again after an idle period, from a larger window
	rounds    []round
	flight    int64 // the most in flight so far
	initial   int64 // octets of the first round of the connection
	rate      rate
	sampleEnd int64 // a segment whose ACK is awaited, to see the current round trip
	sampleAt  time.Duration
	near      time.Duration // the latest such round trip between capture point and peer
}

// lastSent is the last segment with data.
type lastSent struct {
	at   time.Duration
	full bool
	push bool
	end  int64
}

// round is what was sent within one round trip.
type round struct {
	start capture.Mark
	seq   int64
	bytes int64
}

// rate follows the delivery rate: the best over rateSpan full segments in a row.
type rate struct {
	times [rateSpan]time.Duration
	n     int
	best  time.Duration // least time over which rateSpan-1 full segments passed; 0: not known
}

// learn lets the sender know everything that had reached it when it sent record n.
func (s *sender) learn(w *walker, n int, r *reassembly.Record) {
	c := w.s.conn
	horizon := r.Time - c.Far(r.Dir)
	i := max(s.known, c.Released)
	for ; i < n; i++ {
		a := &c.Records[i-c.Released]
		if a.Time > horizon {
			break
		}
		if a.Dir != r.Dir {
			s.absorb(c, a)
		}
	}
	s.known = i
}

// absorb takes in one segment of the peer.
func (s *sender) absorb(c *reassembly.Conn, a *reassembly.Record) {
	if a.Len > 0 {
		s.small.turn = true
	}
	if a.Flags&capture.ACK == 0 {
		return
	}
	if s.small.valid && !s.small.acked && a.Ack >= s.small.end {
		s.small.acked, s.small.pure, s.small.ack = true, a.PureAck(), a.Mark()
	}
	if a.Ack > s.ack {
		s.ackPrev, s.ack, s.ackAt, s.ackFrame = s.ack, a.Ack, a.Time, a.Frame
	}
	if s.sampleEnd > 0 && a.Ack >= s.sampleEnd {
		s.near, s.sampleEnd = a.Time-s.sampleAt, 0
	}
	s.absorbWindow(a)
}

// absorbWindow takes in the receive window that a offers.
func (s *sender) absorbWindow(a *reassembly.Record) {
	if a.Flags&capture.RST != 0 {
		return
	}
	if a.Window == 0 && !s.closed {
		s.closed, s.closedAt = true, a.Time
	}
	if edge := a.Ack + int64(a.Window); edge > s.edge {
		s.edgePrev, s.edge, s.edgeAt, s.edgeFrame = s.edge, edge, a.Time, a.Frame
	}
}

// deliver books record n as it reaches the receiver. filled is the hole at the receiver's edge that it filled, nil if it
// filled none; forward tells that the receiver now has more in order.
func (s *sender) deliver(r *reassembly.Record, n int) (filled *hole, forward bool) {
	if r.Len == 0 {
		return nil, false
	}
	before := s.frontier()
	from, to := r.Seq, r.Seq+int64(r.Len)
	if from > s.max && s.max > 0 {
		s.add(hole{from: s.max, to: from})
	}
	filled = s.fill(from, to)
	for len(s.repairs) > 0 && s.repairs[0].record <= n {
		s.repairs = s.repairs[1:]
	}
	for _, p := range s.repairs {
		if p.from < to && p.to > from {
			s.add(hole{max(p.from, from), min(p.to, to), r.Time, r.Frame, true})
		}
	}
	s.max = max(s.max, to)
	return filled, s.frontier() > before
}

// frontier is the offset up to which the receiver has everything.
func (s *sender) frontier() int64 {
	if len(s.holes) > 0 {
		return s.holes[0].from
	}
	return s.max
}

// fill removes [from, to) from the holes; the result is what was the first hole, if that was touched.
func (s *sender) fill(from, to int64) *hole {
	if len(s.holes) == 0 {
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
			kept = append(kept, hole{h.from, from, h.sent, h.frame, h.seen})
		}
		if h.to > to {
			kept = append(kept, hole{to, h.to, h.sent, h.frame, h.seen})
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

// sent takes note of r after it has been judged.
func (s *sender) sent(w *walker, r *reassembly.Record) {
	if r.Len == 0 {
		return
	}
	full := r.Trait.Has(reassembly.Full)
	if r.Kind.Retransmitted() {
		s.growing = false
		s.round.bytes += int64(r.Len)
		return
	}
	s.rate.add(r, full)
	s.countRound(w, r)
	s.lastStore = lastSent{r.Time, full, r.Flags&capture.PSH != 0, r.Seq + int64(r.Len)}
	s.last = &s.lastStore
	s.flight = max(s.flight, s.max-s.ack)
	if s.sampleEnd == 0 {
		s.sampleEnd, s.sampleAt = r.Seq+int64(r.Len), r.Time
	}
	s.closed = false
	if full {
		return
	}
	s.small = small{Mark: r.Mark(), end: r.Seq + int64(r.Len), size: r.Len, valid: true}
	s.small.headers = w.s.endsHeader(r.Dir, s.small.end)
}

// add takes note of a segment for the delivery rate.
func (p *rate) add(r *reassembly.Record, full bool) {
	if !full {
		p.n = 0
		return
	}
	p.times[p.n%rateSpan] = r.Time
	p.n++
	if p.n < rateSpan {
		return
	}
	if span := r.Time - p.times[p.n%rateSpan]; p.best == 0 || span < p.best {
		p.best = max(span, 1)
	}
}

// perSegment is the time that one full segment takes at the best rate seen; 0: not known.
func (p *rate) perSegment() time.Duration { return p.best / (rateSpan - 1) }

// endsHeader reports whether offset end of dir's stream is where the header section of a message in hand ends.
func (s *connState) endsHeader(dir reassembly.Dir, end int64) bool {
	for _, j := range s.jobs {
		m := j.x.Request
		if dir == reassembly.FromServer {
			m = j.x.Response
		}
		if m != nil && !j.x.Turn && m.From+m.HeaderBytes == end {
			return true
		}
	}
	return false
}
