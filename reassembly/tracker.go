package reassembly

import (
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
)

// TrackerLimits bound what a Tracker holds. Zero values mean the defaults.
type TrackerLimits struct {
	ConnBuffer int // octets of one connection that wait behind holes; default 1 MiB
	Buffer     int // the same of all connections of the tracker; default 64 MiB
	// records of one connection while an exchange is open; default 16,384, at least 64
	Records int
}

const (
	defaultConnBuffer = 1 << 20
	defaultBuffer     = 64 << 20
	defaultRecords    = 16384
)

// Tracker applies segments to the connections of one worker. It is not safe for use by several
// goroutines.
type Tracker struct {
	sink    Sink
	limits  TrackerLimits
	held    int // octets that wait behind holes
	spare   pool
	waits   waitHeap
	moment  time.Duration // as Moment tells it
	settled *Conn         // as Settling tells it
	shared  exchange.Shared
	arrival exchange.Arrival // of the octets that a reader is given
}

// NewTracker makes a Tracker that reports to sink.
func NewTracker(sink Sink, limits TrackerLimits) *Tracker {
	if limits.ConnBuffer <= 0 {
		limits.ConnBuffer = defaultConnBuffer
	}
	if limits.Buffer <= 0 {
		limits.Buffer = defaultBuffer
	}
	if limits.Records <= 0 {
		limits.Records = defaultRecords
	}
	limits.Records = max(limits.Records, 64)
	t := &Tracker{sink: sink, limits: limits, moment: noMoment}
	t.shared.Readers = knownReaders()
	return t
}

// side is what the tracker knows of one direction beside its Half.
type side struct {
	numbers
	windows
	recovery
	clues
	debt debt
	marks
	stream   stream
	sent     sentQueue
	rtt      estimator // of the round trip between the capture point and this host
	sizes    sizes
	lastSend time.Duration // latest segment with sequence space
	ackedAt  time.Duration // when the peer last acknowledged something new
	unseen   *unseen       // nil: nothing has been yet
	beyond   bool          // a RST of it came behind octets that had not been seen
	onlyRST  bool          // the TTLs are those of RSTs
	last     Kind          // of its latest segment
	// its latest segment was a SYN or RST that calls for a challenge ACK (RFC 5961)
	challenged bool
}

// numbers is where a side's sequence numbers are.
type numbers struct {
	origin  origin
	seqJump jump
	ackJump jump
	ackSeen bool
	placed  bool // a segment of this side told where its numbers are
}

// windows are the one that a side offers, and the one that it may fill.
type windows struct {
	win     uint32 // the latest that this side offered, scaled; valid with winSet
	winSet  bool
	edge    int64 // how far the peer's reaches, valid with edgeSet
	edgeSet bool
}

// recovery is what is known of losses of what a side sent, and of their repair.
type recovery struct {
	sacked     spans // what the peer has beyond a hole
	resends    []resend
	dupAcks    uint32        // duplicate acknowledgments since the edge last moved
	signal     bool          // there is a sign of a loss
	signalAt   time.Duration // the first one since the edge last moved, valid with signal
	signalLast time.Duration // the latest one
	point      int64         // where the current recovery ends (RFC 6675: RecoveryPoint)
	timeout    bool          // it began with a timeout
}

// clues count frames that tell where the capture was taken.
type clues struct {
	outgoing uint32 // the capture calls them outgoing
	incoming uint32
	badSum   uint32
}

// track is the tracker's state of one connection.
type track struct {
	t       *Tracker
	c       *Conn
	reader  exchange.Reader // of what is said; nil before the first octet
	context exchange.Context
	side    [2]side
	hist    history
	now     time.Duration
	// when the first exchange is due at the soonest, valid if it has a slot
	awaited time.Duration
	slot    int            // among those that wait, from 1; 0: none
	over    []overExchange // that the sink knows to be over, in that order
	inTurn  int            // how many of over follow each other, having no stream of their own
	streams bool           // there were exchanges with streams of their own
	turned  bool           // the Table's directions are the wrong way round
	sniffed bool           // the orientation is final
	v6      bool
}

// Add applies a segment to its connection. The connection's segments come in the order of the
// capture.
func (t *Tracker) Add(c *Conn, dir Dir, seg *capture.Segment) {
	k := t.state(c)
	if k.turned {
		dir = dir.Peer()
	}
	if seg.Kind == capture.ICMPError {
		k.icmp(dir, seg)
		return
	}
	if !k.sniffed {
		dir = k.orient(dir, seg)
	}
	if len(k.over) > 0 {
		k.settleBefore(seg.Time)
	}
	k.now = max(k.now, seg.Time)
	e := segment{dir: dir, seg: seg, at: capture.Mark{Time: k.now, Frame: seg.Frame}}
	k.place(&e)
	k.apply(&e)
	k.holes(dir, e.at)
	k.holes(dir.Peer(), e.at)
	k.settle()
	if len(k.over) > 0 {
		k.await()
	}
}

// state is the tracker's state of c, made at its first segment.
func (t *Tracker) state(c *Conn) *track {
	if k, ok := c.track.(*track); ok {
		return k
	}
	k := t.spare.track()
	k.t, k.c, k.v6 = t, c, c.Client.Addr().Is6() && !c.Client.Addr().Is4In6()
	c.track = k
	return k
}

// apply takes one placed segment through all that depends on it.
func (k *track) apply(e *segment) {
	k.takeHeader(e)
	rec := k.record(e)
	if e.wild {
		k.c.Caveats.Add(CaveatWild)
		rec.Trait |= Wild
		k.append(e, rec)
		return
	}
	if e.hasAck {
		k.selective(e)
	}
	k.c.Half[e.dir].heed(e.seg.Len, e.seg.Flags)
	kind, trait := k.classify(e)
	rec.Kind = kind
	rec.Trait |= trait | k.traits(e)
	k.append(e, rec)
	if kind.Retransmitted() {
		k.c.Half[e.dir].Retrans++
		k.remember(e)
	}
	if e.hasAck && (!e.seg.Flags.Has(capture.RST) || k.resets(e)) {
		k.acknowledge(e, kind)
	}
	k.owe(e)
	k.send(e, kind)
	k.lifecycle(e)
	k.passed(e)
	k.asked(e)
	k.content(e)
	k.closing(e)
	k.giveUpAttempt()
}

// record is the compact form of a segment, without its kind.
func (k *track) record(e *segment) Record {
	seg := e.seg
	r := Record{
		Time: e.at.Time, Frame: e.at.Frame, Seq: e.seq, Ack: e.ack, Len: seg.Len, Window: e.win,
		IPID: seg.IPID, Dir: e.dir, Flags: seg.Flags, TTL: seg.TTL,
	}
	if seg.Options.Has(capture.HasTS) {
		r.TSVal, r.TSEcr, r.Trait = seg.TSVal, seg.TSEcr, HasTS
	}
	if e.hasAck && seg.NSACK > 0 && !e.wild {
		r.SACK = k.highestSACK(e)
	}
	return r
}

// highestSACK is how far above the acknowledgment the segment's SACK blocks reach.
func (k *track) highestSACK(e *segment) uint32 {
	high := e.ack
	o := &k.side[e.dir.Peer()].origin
	for _, b := range e.seg.SACK[:min(e.seg.NSACK, 4)] {
		high = max(high, o.offset(b.End, e.ack))
	}
	return uint32(high - e.ack)
}

// traits are those that the kind does not tell.
func (k *track) traits(e *segment) Trait {
	var t Trait
	h, p := &k.c.Half[e.dir], &k.c.Half[e.dir.Peer()]
	if e.end > e.seq && e.seq <= h.Frontier && e.end > h.Frontier {
		t |= Advances
	}
	if e.hasAck && e.ack > p.Una && e.ack > p.Frontier && p.Segments > 0 {
		t |= AcksUnseen
	}
	if len(e.seg.Payload) > 0 && len(k.side[e.dir].stream.pend) > 0 &&
		k.side[e.dir].stream.conflicts(e.data(), e.seg.Payload) {
		t |= Conflict
		k.c.Caveats.Add(CaveatConflict)
	}
	return t
}

// append adds a record to the history and counts the segment.
func (k *track) append(e *segment, rec Record) {
	if len(k.c.Records) == 1 && cap(k.c.Records) < spareRecords {
		k.c.Records = append(k.t.spare.history(), k.c.Records[0]) // more than a lone SYN
	}
	k.c.Records = append(k.c.Records, rec)
	k.c.End = e.at
	k.c.Half[e.dir].Segments++
	if rec.PureAck() {
		k.c.Half[e.dir].Bare++
	}
	k.hist.segment(e.dir, e.seg, &rec)
}

// latest is the absolute number of the latest record.
func (k *track) latest() int { return k.c.Released + len(k.c.Records) - 1 }

// content hands the segment's data to the streams.
func (k *track) content(e *segment) {
	s := &k.side[e.dir].stream
	n := int64(e.seg.Len)
	if e.seg.Flags.Has(capture.FIN) && !s.hasFin && !e.seg.Flags.Has(capture.RST) &&
		e.end > k.c.Half[e.dir].Frontier {
		s.fin, s.hasFin = e.end-1, true
	}
	if e.seg.Flags.Has(capture.RST) || n == 0 && (len(s.pend) == 0 && !s.hasFin || s.over) {
		// data on a RST is an explanation for people (RFC 9293 §3.5.3), no part of the stream
		return
	}
	payload := e.seg.Payload[:min(n, int64(len(e.seg.Payload)))]
	k.arrive(e.dir, e.data(), n, payload, markOf(e.seg), e.at)
	k.flush(e.dir, e.at, true)
}

// Close ends a connection: no segment will follow. ended says that this is so only because the
// capture ended.
func (t *Tracker) Close(c *Conn, ended bool) {
	k := t.state(c)
	for dir := range k.side {
		if h := &c.Half[dir]; h.Una > h.Frontier {
			k.giveUp(Dir(dir), h.Una, c.End)
		}
	}
	if k.reader != nil {
		k.reader.End(c.End, ended)
	}
	k.attempt(true)
	k.conclude()
	k.unhold()
	t.sink.Closed(c, ended)
	if k.slot > 0 {
		t.waits.remove(k)
	}
	c.track = nil
	t.spare.keep(k)
}

// unhold counts nothing any more of what waits behind holes.
func (k *track) unhold() {
	for dir := range k.side {
		s := &k.side[dir].stream
		k.t.held -= s.held
		s.held = 0
	}
}

// Drop forgets a connection at any moment, also in the middle of what is being done with it: a
// panic has shown that its state cannot be trusted. The Sink is not told, and the connection must
// not be given to the Tracker again.
func (t *Tracker) Drop(c *Conn) {
	if k, ok := c.track.(*track); ok {
		k.unhold()
		if k.slot > 0 {
			t.waits.remove(k)
		}
		c.track = nil // and its memory serves no other
	}
	c.Records, c.Exchanges = nil, nil
	t.moment = noMoment
}
