package sender

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

// stream is what a sender has sent of its octets, and what of them its receiver has: all up to
// sent, but the holes. These are in order of offset and have no octet in common.
type stream struct {
	sent    int64 // offset after the highest octet sent
	before  int64 // the same before the latest record with data
	holes   []Hole
	repairs []repair // retransmissions to come that were needed
	begins  bool     // the capture shows where it begins: offset 0 is the first octet
	// octets were acknowledged that the capture never showed, and nobody has asked since
	gap bool
	// highest acknowledgment among the records that have been released
	released int64
}

// repair is a retransmission that was needed.
type repair struct {
	from, to int64
	record   int // absolute number
}

// Hole is a range that the receiver lacks.
type Hole struct {
	from, to int64
	// Lost is the frame that passed the capture point in vain; if none did, the one that later
	// passed and had gone beyond the range.
	Lost capture.Mark
	Seen bool // a frame with the range did pass
	// Again is when the latest retransmission passed that was lost, too; 0: none was
	Again time.Duration
	Kind  reassembly.Kind // of that retransmission
}

// part is the part of the hole between two offsets, lost as h was.
func (h Hole) part(from, to int64) Hole {
	h.from, h.to = from, to
	return h
}

// certain drops the repairs that have turned out to be needless since they were noted.
func (t *stream) certain(c *reassembly.Conn) {
	kept := t.repairs[:0]
	for _, p := range t.repairs {
		if i := p.record - c.Released; i < 0 || i >= len(c.Records) ||
			c.Records[i].Kind != reassembly.SpuriousRetransmission {
			kept = append(kept, p)
		}
	}
	t.repairs = kept
}

// expect notes that r, record n, is a retransmission that was needed.
func (t *stream) expect(r *reassembly.Record, n int) {
	if len(t.repairs) < maxRepairs {
		t.repairs = append(t.repairs, repair{r.Seq, r.Seq + int64(r.Len), n})
	}
}

// acknowledged takes from the holes what has arrived though the capture never showed it.
func (t *stream) acknowledged(ack int64) {
	for len(t.holes) > 0 && t.holes[0].from < ack && !t.holes[0].Seen {
		t.gap = true
		t.holes = t.holes[1:]
	}
}

// deliver books r, record n, which has data, as it reaches the receiver. filled is the hole at the
// receiver's edge that it filled, nil if it filled none; forward tells that the receiver now has
// more in order.
func (t *stream) deliver(r *reassembly.Record, n int) (filled *Hole, forward bool) {
	before := t.frontier()
	from, to := r.Seq, r.Seq+int64(r.Len)
	if from > t.sent && (t.sent > 0 || t.begins) {
		t.add(Hole{from: t.sent, to: from, Lost: r.Mark()})
	}
	filled = t.fill(from, to)
	for len(t.repairs) > 0 && t.repairs[0].record <= n {
		t.repairs = t.repairs[1:]
	}
	for _, p := range t.repairs {
		if p.from < to && p.to > from {
			t.add(t.lost(r, filled).part(max(p.from, from), min(p.to, to)))
		}
	}
	t.before, t.sent = t.sent, max(t.sent, to)
	return filled, t.frontier() > before
}

// lost is a hole that r leaves because it is going to be sent again, though it filled one: then
// this copy was lost like the first, which is the one that began the wait.
func (t *stream) lost(r *reassembly.Record, filled *Hole) Hole {
	if filled == nil || !r.Kind.Retransmitted() {
		return Hole{Lost: r.Mark(), Seen: true}
	}
	h := *filled
	h.Again, h.Kind = r.Time, r.Kind
	return h
}

// doomed reports whether r, just delivered, is the first copy of what the receiver needs next, and
// will be sent again for want of having arrived.
func (t *stream) doomed(r *reassembly.Record) bool {
	return !r.Kind.Retransmitted() && r.Seq == t.before && len(t.holes) > 0 &&
		t.holes[0].from == r.Seq && t.holes[0].Seen
}

// leapt reports whether r, just delivered, is the first behind a range that never passed the
// capture point and that the receiver needs next.
func (t *stream) leapt(r *reassembly.Record) bool {
	return (t.before > 0 || t.begins) && r.Seq > t.before && len(t.holes) > 0 &&
		t.holes[0].from == t.before
}

// repaired reports whether a repair to come has the octet at the given offset.
func (t *stream) repaired(offset int64) bool {
	for _, p := range t.repairs {
		if p.from <= offset && p.to > offset {
			return true
		}
	}
	return false
}

// frontier is the offset up to which the receiver has everything.
func (t *stream) frontier() int64 {
	if len(t.holes) > 0 {
		return t.holes[0].from
	}
	return t.sent
}

// fill removes [from, to) from the holes; the result is what was the first hole, if that was
// touched.
func (t *stream) fill(from, to int64) *Hole {
	at := sort.Search(len(t.holes), func(i int) bool { return t.holes[i].to > from })
	if at == len(t.holes) || t.holes[at].from >= to {
		return nil
	}
	first := t.holes[0]
	kept := make([]Hole, 0, len(t.holes)+1)
	for _, h := range t.holes {
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
	t.holes = kept
	if first.from < to && first.to > from {
		return &first
	}
	return nil
}

// add notes a hole, in order of offset. What is already known as missing stays as it is.
func (t *stream) add(h Hole) {
	i := 0
	for i < len(t.holes) && t.holes[i].from < h.from {
		i++
	}
	if i > 0 && t.holes[i-1].to > h.from {
		h.from = t.holes[i-1].to
	}
	if i < len(t.holes) && t.holes[i].from < h.to {
		h.to = t.holes[i].from
	}
	if h.from >= h.to {
		return
	}
	t.holes = append(t.holes, Hole{})
	copy(t.holes[i+1:], t.holes[i:])
	t.holes[i] = h
	if len(t.holes) > maxHoles {
		t.holes = t.holes[1:]
	}
}
