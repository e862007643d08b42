package sender

import (
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// Path is a connection with its two senders, seen from the capture point.
//
// Its records are taken one after the other, each but once: LookAhead for what has become known of
// the records to come, then Observe for every record. One that carries what a message needs is then
// handed to its sender: to Learn, Deliver and Sent, in that order. In between the sender answers
// what may have released it.
//
// A sender learns of an acknowledgment that passes the capture point only after a trip to it. So it
// "knew" of one means: that passed at least one round trip between the capture point and this
// sender before the segment in hand did.
type Path struct {
	Conn    *reassembly.Conn
	tick    time.Duration // by which the coarsest clock of its segments counts; 0: not known
	scanned int           // number of the record up to which repairs have been noted
	senders [2]State      // by direction
}

// Begin makes p the path of c. What room p had is used again.
func (p *Path) Begin(c *reassembly.Conn) {
	p.Conn, p.tick, p.scanned = c, 0, 0
	for dir := range p.senders {
		p.senders[dir].begin(p, reassembly.Dir(dir))
	}
}

// coarsestTick is the coarsest clock that is believed: files with whole seconds are the worst.
const coarsestTick = time.Second

// Stamped takes note of by how much the clock goes on at a time that stamped a segment.
func (p *Path) Stamped(tick time.Duration) { p.tick = max(p.tick, min(tick, coarsestTick)) }

// Of is the sender of dir.
func (p *Path) Of(dir reassembly.Dir) *State { return &p.senders[dir] }

// OneSided reports whether the capture has nothing of what dir's peer sent.
func (p *Path) OneSided(dir reassembly.Dir) bool {
	return p.Conn.Half[dir.Peer()].Segments == 0
}

const (
	// kernelReaction is how late a kernel may react: Linux takes 10 to 70 µs, 300 µs under load
	// (measured).
	kernelReaction = 300 * time.Microsecond
	// The other parts of AtOnce rest on reasoning: two frames are each stamped a tick late at most,
	// and what they are compared with, too; the least round trip is that of few samples; and half
	// of all segments are later than the jitter, which is a median. Where all that is large, a
	// quarter of a round trip is still clearly less than one.
	reactionTicks   = 4
	reactionTrip    = 6 // percent of the round trip to the host
	reactionJitters = 2
	reactionParts   = 4 // one of so many parts of the round trip, and
	reactionAtMost  = 2 * time.Millisecond
)

// AtOnce is the tolerance for "at once" of what dir sends: how late a kernel that reacts to a
// segment may seem to be. It covers the kernel's own delay, the clock's tick and the path's jitter;
// docs/model.md calls it eps.
func (p *Path) AtOnce(dir reassembly.Dir) time.Duration {
	far := p.Conn.Far(dir)
	jitter := p.Conn.Half[dir].RTT.Jitter
	late := max(kernelReaction, reactionTicks*p.tick, far*reactionTrip/100, reactionJitters*jitter)
	return min(late, far/reactionParts+reactionAtMost)
}

// LookAhead notes the retransmissions that were needed among the records held, so that Deliver
// knows which copy of an octet counts.
func (p *Path) LookAhead() {
	c := p.Conn
	for d := range p.senders {
		p.senders[d].stream.certain(c)
	}
	for i := max(p.scanned-c.Released, 0); i < len(c.Records); i++ {
		r := &c.Records[i]
		if r.Kind.Retransmitted() && r.Kind != reassembly.SpuriousRetransmission && r.Len > 0 {
			p.senders[r.Dir].stream.expect(r, c.Released+i)
		}
	}
	p.scanned = c.Released + len(c.Records)
}

// Observe takes note of r, record n, as it passes: of what it acknowledges, and of its sender's
// clock and counters. The result is its sender, which has r in hand.
func (p *Path) Observe(r *reassembly.Record, n int) *State {
	if r.Flags&capture.ACK != 0 {
		peer := &p.senders[r.Dir.Peer()]
		peer.stream.acknowledged(r.Ack)
		peer.full.acked(r)
	}
	s := &p.senders[r.Dir]
	s.full.sent(r, s.mss())
	s.countPackets(r, n)
	s.hand.n, s.hand.probe, s.hand.trickled = n, false, false
	s.rates.trickle.stamped(r)
	s.hand.late = s.stamps.add(p.Conn, r)
	if p.OneSided(r.Dir) {
		s.echoes.add(r)
	}
	return s
}

// Forget keeps what later questions need of records that are about to be released.
func (p *Path) Forget(records []reassembly.Record) {
	for i := range records {
		if r := &records[i]; acknowledges(r) {
			t := &p.senders[r.Dir.Peer()].stream
			t.released = max(t.released, r.Ack)
		}
	}
}

// acknowledges reports whether r has an acknowledgment that its sender meant: that of a RST may be
// that of the segment which it refuses.
func acknowledges(r *reassembly.Record) bool {
	return r.Flags&(capture.ACK|capture.RST) == capture.ACK
}

// record is the record of absolute number n, which is held.
func (p *Path) record(n int) *reassembly.Record { return &p.Conn.Records[n-p.Conn.Released] }

// Seen reports whether m names a frame.
func Seen(m capture.Mark) bool { return m.Frame != 0 }

// nearHost is how near the capture point is to a host at least whose segments come in the order in
// which things happened there (reasoning: a millisecond is what a busy kernel takes).
const nearHost = time.Millisecond
