package reassembly

import (
	"time"

	"tcpwhy/capture"
)

// Did the original arrive? Which of two copies came first, and whether the second was needed, is
// told by what the sender wrote on them, and by what their receiver answered.

const (
	// idStep is how far apart the identifications of packets in a row are at most, if they are
	// counted: other flows of the host take some between them (reasoning: an eighth of all there
	// are; random ones are further apart nearly always).
	idStep = 1 << 13
	// idRun is how many in a row must have been counted before they tell an order.
	idRun = 4
	// stampTicks is how many ticks of its clock a sender's timestamps must have shown before the
	// length of one is known.
	stampTicks = 4
)

// mark is what a sender writes on a packet that goes up from one to the next.
type mark struct {
	ts uint32 // the timestamp (RFC 7323 §3); 0 if there is none
	id uint16 // the identification of IP; 0 if there is none
}

// markOf is what the sender of seg wrote on it.
func markOf(seg *capture.Segment) mark {
	m := mark{id: seg.IPID}
	if seg.Options.Has(capture.HasTS) {
		m.ts = seg.TSVal
	}
	return m
}

// marks are those of a sender's packets in a row.
type marks struct {
	id          uint16 // of the latest packet
	run         int    // how many in a row were counted
	first, last uint32 // timestamps
	from, to    time.Duration
	stamped     bool // the four before are valid
}

// note takes note of a packet.
func (m *marks) note(seg *capture.Segment, at time.Duration) {
	if seg.Options.Has(capture.HasTS) {
		if !m.stamped {
			m.first, m.from, m.stamped = seg.TSVal, at, true
		}
		m.last, m.to = seg.TSVal, at
	}
	if seg.Flags&(capture.SYN|capture.RST) != 0 || seg.IPID == 0 {
		return
	}
	switch step := int16(seg.IPID - m.id); {
	case step > 0 && step < idStep:
		m.id, m.run = seg.IPID, m.run+1
	case step < 0 && step > -idStep && m.run >= idRun: // it comes late
	default:
		m.id, m.run = seg.IPID, 0
	}
}

// tick is how long the sender's timestamps stay the same; 0 if that is not known.
func (m *marks) tick() time.Duration {
	ticks := time.Duration(int32(m.last - m.first))
	if ticks < stampTicks {
		return 0
	}
	return (m.to - m.from) / ticks
}

// sentBefore tells whether the packet with mark own was sent before one with mark m, behind it in
// the stream, that passed first; known is false if that does not show. The second copy of a lost
// segment leaves a round trip after those behind it, at the soonest: it cannot have the same
// timestamp, if a tick is shorter.
func (d *side) sentBefore(own, m mark, roundTrip time.Duration) (before, known bool) {
	stamped := own.ts != 0 && m.ts != 0
	if stamped && own.ts != m.ts {
		return int32(own.ts-m.ts) < 0, true
	}
	if step := int16(m.id - own.id); d.run >= idRun && m.id != 0 && own.id != 0 &&
		step != 0 && step < idStep && step > -idStep {
		return step > 0, true
	}
	tick := d.tick()
	return true, stamped && tick > 0 && 2*tick <= roundTrip
}

// resend is a retransmission whose necessity is not known yet.
type resend struct {
	seq, end int64
	at       time.Duration
	mark     mark
	record   int // absolute number
	// when an acknowledgment covered it first, and how far that reached; 0: none has
	covered time.Duration
	upTo    int64
}

// maxResends is how many retransmissions are held for later knowledge, the latest ones: as many as
// a sender repeats of a window after a timeout, before it hears that none was needed.
const maxResends = 32

// remember holds a retransmission until an acknowledgment tells whether it was needed.
func (k *track) remember(e *segment) {
	d := &k.side[e.dir]
	k.secondCopy(e)
	if len(d.resends) == maxResends {
		d.resends = append(d.resends[:0], d.resends[1:]...)
	}
	d.resends = append(d.resends, resend{
		seq:    e.seq,
		end:    e.end,
		at:     e.at.Time,
		mark:   markOf(e.seg),
		record: k.latest(),
	})
}

// secondCopy looks whether e, whose record is the latest, is the second copy of octets of which the
// first had never passed before. If what is written on both says that e left before that one, e is
// the original, which its copy has overtaken. Else, within a round trip, the first was the
// original: a sender does not repeat anything twice within a round trip.
func (k *track) secondCopy(e *segment) {
	d := &k.side[e.dir]
	within := k.roundTrip() * 9 / 10
	for i := len(d.resends) - 1; i >= 0; i-- {
		r := &d.resends[i]
		rec := k.recordOf(r.record)
		if rec == nil || r.seq >= e.end || e.seq >= r.end || !rec.Trait.Has(Unseen) {
			continue
		}
		if before, known := d.sentBefore(markOf(e.seg), r.mark, 0); known && before {
			k.recordOf(k.latest()).Trait |= Outrun
			return
		}
		if rec.Kind.Retransmitted() && e.at.Time-r.at < within {
			rec.Kind, rec.Trait = OutOfOrder, rec.Trait&^Unseen
			k.c.Half[e.dir].Retrans--
			d.resends = append(d.resends[:i], d.resends[i+1:]...)
			return
		}
	}
}

// judgeResends looks at an acknowledgment from e.dir of what its peer sent again, and amends
// records of retransmissions that were not needed. una is the edge before it.
func (k *track) judgeResends(e *segment, una int64) {
	d := &k.side[e.dir.Peer()]
	if len(d.resends) == 0 {
		return
	}
	keep := d.resends[:0]
	for i := range d.resends {
		r := d.resends[i]
		if k.answersOriginal(e, &r, una) ||
			e.dsack && k.reports(e, r) && !k.overtook(r, d.resends[i+1:]) {
			k.amend(r.record, SpuriousRetransmission)
			continue
		}
		if r.covered == 0 && e.ack >= r.end {
			r.covered, r.upTo = e.at.Time, e.ack
		}
		if r.covered == 0 || e.at.Time-r.covered < 2*k.roundTrip()+jiffies {
			keep = append(keep, r) // a report of the duplicate may still come
		}
	}
	d.resends = keep
	if k.again(e, una) {
		d.answeredTwice(k, e.ack, e.at.Time-k.far(e.dir)*6/10)
	}
}

// answersOriginal reports whether e, whose peer had acknowledged up to una, answers the first copy
// of what r repeats. The strongest evidence comes first.
func (k *track) answersOriginal(e *segment, r *resend, una int64) bool {
	if r.covered != 0 {
		return k.oneByOne(e, r)
	}
	if una > r.seq || e.ack <= r.seq {
		return false
	}
	switch {
	case r.mark.ts != 0 && e.seg.Options.Has(capture.HasTS) && int32(e.seg.TSEcr-r.mark.ts) < 0:
		return true // it echoes an older timestamp (Eifel, RFC 3522)
	case k.far(e.dir) >= 2*reaction && e.at.Time-r.at < k.soonest(e.dir):
		// It came too soon to be caused by the copy. Next to the host, where all of the round trip
		// is what it takes to answer, that says nothing.
		return true
	}
	return e.ack >= r.end && k.beyond(e, r)
}

// beyond reports whether e acknowledges more than r, all of which had been sent so long before that
// its receiver would have told of the hole, by a duplicate or selective acknowledgment (RFC 5681
// §4.2), and did not: there was none, and only acknowledgments were lost, or late.
func (k *track) beyond(e *segment, r *resend) bool {
	d := &k.side[e.dir.Peer()]
	if e.ack <= r.end || d.signal || d.dupAcks > 0 || len(d.sacked) > 0 {
		return false
	}
	next := d.sent.find(r.end)
	return next != nil && next.times == 1 && next.end <= e.ack &&
		r.at-next.first >= k.roundTrip()+jiffies
}

// oneByOne reports whether e, after an acknowledgment that had covered r and not what was sent
// behind it, acknowledges that, too, though it was sent once and nobody had asked for it: all of it
// came in order, and late, r's first copy included.
func (k *track) oneByOne(e *segment, r *resend) bool {
	d := &k.side[e.dir.Peer()]
	if e.ack <= r.upTo || d.signal || d.dupAcks > 0 || e.newSACK {
		return false
	}
	next := d.sent.find(r.upTo)
	return next != nil && next.times == 1 && next.seq == r.upTo && next.first < r.at &&
		e.ack >= next.end
}

// again reports whether e acknowledges once more what it had acknowledged, though nothing that it
// could have seen is outstanding and its window is as it was: it answers a segment that its host
// had already (RFC 9293 §3.10.7.4), and a host without SACK says so in no other way.
func (k *track) again(e *segment, una int64) bool {
	own, h := &k.side[e.dir], &k.c.Half[e.dir]
	const other = capture.SYN | capture.FIN | capture.RST
	return e.ack == una && e.seg.NSACK == 0 && e.seg.Flags&other == 0 &&
		e.seq == e.end && e.seq == h.Max && !h.FinSeen && own.winSet && e.win == own.win &&
		k.nothingNew(e, una)
}

// nothingNew reports whether what e's peer sent last is a copy, or has been sent so lately that e
// knows nothing of it.
func (k *track) nothingNew(e *segment, una int64) bool {
	peer, p := &k.side[e.dir.Peer()], &k.c.Half[e.dir.Peer()]
	if p.Max == una {
		return peer.last.Retransmitted()
	}
	next := peer.sent.find(una)
	return next != nil && k.far(e.dir) >= 2*reaction && e.at.Time-next.first < k.soonest(e.dir)
}

// answeredTwice amends the latest retransmission of what is acknowledged up to una, if it was sent
// early enough to have been answered: both copies had arrived.
func (d *side) answeredTwice(k *track, una int64, by time.Duration) {
	for i := len(d.resends) - 1; i >= 0; i-- {
		if r := d.resends[i]; r.end <= una && r.at <= by {
			k.amend(r.record, SpuriousRetransmission)
			d.resends = append(d.resends[:i], d.resends[i+1:]...)
			return
		}
	}
}

// soonest is how soon after a segment passes its acknowledgment may. The least of many samples is
// hardly ever undercut.
func (k *track) soonest(dir Dir) time.Duration {
	if k.c.Half[dir].RTT.Samples >= 8 {
		return k.far(dir) * 9 / 10
	}
	return k.far(dir) * 6 / 10
}

// reports reports whether the first SACK block of e names the octets of r as received twice.
func (k *track) reports(e *segment, r resend) bool {
	o := &k.side[e.dir.Peer()].origin
	lo, hi := o.offset(e.seg.SACK[0].Start, e.ack), o.offset(e.seg.SACK[0].End, e.ack)
	return lo < r.end && r.seq < hi
}

// overtook reports whether r came before the first copy, which came among the later ones: then r is
// what the receiver took, and the duplicate is the other.
func (k *track) overtook(r resend, later []resend) bool {
	if rec := k.recordOf(r.record); rec == nil || !rec.Trait.Has(Unseen) {
		return false
	}
	for _, l := range later {
		if l.seq < r.end && r.seq < l.end {
			return true
		}
	}
	return false
}

// amend changes the kind of a record that is still held.
func (k *track) amend(record int, kind Kind) {
	if r := k.recordOf(record); r != nil {
		r.Kind = kind
	}
}

// recordOf is the record of that absolute number; nil if it is not held any more.
func (k *track) recordOf(n int) *Record {
	if i := n - k.c.Released; i >= 0 && i < len(k.c.Records) {
		return &k.c.Records[i]
	}
	return nil
}
