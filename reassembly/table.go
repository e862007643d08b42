package reassembly

import (
	"net/netip"
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly/internal/names"
	"tcpwhy/reassembly/internal/quic"
)

// TableLimits bound what a Table holds. Zero values mean the defaults; math.MaxInt is no limit.
type TableLimits struct {
	Open int // connections that may have data; default 1<<20
	// connections that both sides closed, or a RST ended, kept for what may still come; default
	// 4096
	Closed int
	// connections of which only one side was seen, by SYNs: what a flood of SYNs may cost; default
	// 1<<16
	Embryos  int
	Finished int // four-tuples remembered after their connection was handed back; default 1<<18
	// closed connections of which nothing is left to be repeated that wait for late copies; beyond
	// these, what is finished goes at once: at high rates the memory that waits costs more than
	// what the copies tell. Default 256
	Waiting int
}

// How long a connection may be silent, in the time of the capture, before it is handed back. It may
// take up to twice as long, as entries are not moved for each segment.
const (
	// idleEmbryo is above the largest gap between two SYNs of Linux: 64 s after the sixth of the
	// default retries.
	idleEmbryo = 75 * time.Second
	// idleOpen is what servers and middleboxes allow at most (RFC 5382 REQ-5: not less than 2 h 4
	// min for NAT; in practice an hour): longer silences are rarely followed by anything.
	idleOpen = time.Hour
	// idleClosed waits for late copies, the last acknowledgment and resets after both sides have
	// closed, or after a RST. Zeek uses the same 5 s.
	idleClosed = 5 * time.Second
	// idleDone is the same where everything that was sent has been acknowledged, so that neither
	// side has anything to repeat: what silence that long settles elsewhere is settled here.
	idleDone = quietFor
	// rememberFor is how long a four-tuple keeps its number after its connection was handed back:
	// late segments keep the number, and reuse of the tuple is recognised.
	rememberFor = 10 * time.Minute
)

// The lists of a Table, each in order of the time at which entries were put there.
const (
	listFree     = iota
	listEmbryo   // one-sided SYNs
	listOpen     // everything else that is open
	listClosed   // both FINs or a RST were seen
	listDone     // the same, and nothing is left to be repeated
	listFinished // handed back; only the number is left
	lists
)

// tuple is a four-tuple in canonical order: the lesser endpoint first, so that both directions are
// equal.
type tuple struct {
	a, b   [16]byte
	ap, bp uint16
}

// entry is a Table's knowledge of one four-tuple.
type entry struct {
	key        tuple
	hash       uint32
	next, prev int32         // in its list
	last       time.Duration // of its latest segment
	moved      time.Duration // when it was put where it is in its list, in order in each list
	conn       *Conn         // nil once handed back
	id         int
	base       [2]uint32 // Wireshark's base_seq of each direction, by order in the tuple
	high       [2]uint32 // the latest raw end of what each sent
	list       uint8
	flags      uint16
}

// Flags of an entry. Those of a direction are shifted by 0 or 1.
const (
	baseSet   = 1 << 0
	finSeen   = 1 << 2
	spoke     = 1 << 4
	finAcked  = 1 << 6 // the direction's sender acknowledged its peer's FIN
	clientIsB = 1 << 8
	acked     = 1 << 9  // everything that the direction carried has been acknowledged
	rstSeen   = 1 << 11 // the direction's sender reset the connection
)

// rstBelieve is how far from what its sender sent last the number of a RST may be to count as the
// end of the connection.
const rstBelieve = 1 << 20

// Entries to a page.
const (
	pageBits = 8
	pageSize = 1 << pageBits
)

// Table assigns segments to connections and decides when a connection is over. Numbers are
// Wireshark's tcp.stream. It is not safe for use by several goroutines.
//
// What it says of one connection depends on that connection's segments alone, and on what is told
// of the capture as a whole: how far it has come (Assign, Finish), when it was interrupted (Gap),
// and the limits. So a Table that is given a part of the connections says of them what one that is
// given all does.
type Table struct {
	limits  TableLimits
	slots   []int32 // open addressing by hash: index of an entry + 1, 0 is empty
	pages   []*[pageSize]entry
	used    int32        // entries in use or free again
	head    [lists]int32 // the entry that was put there first; -1: empty
	tail    [lists]int32
	count   [lists]int
	next    int // number of the next connection
	now     time.Duration
	due     time.Duration // no entry has been idle for too long before
	over    []ended       // to be handed back
	taken   int           // how many of over were
	gaps    []gap         // of the capture, that lie ahead
	resumed bool          // one of them has just ended
	// entry whose FINs have both been acknowledged by the latest segment; -1: none
	done    int32
	evicted uint64
	late    uint64
	views   views
	quoted  uint64
	names   names.Follower
	quic    quic.Follower
}

// gap is a stretch of time of which the capture has nothing.
type gap struct{ from, to time.Duration }

// ended is a connection that will get no more segments, since when that is so, and whether only
// because the capture has ended.
type ended struct {
	conn       *Conn
	at         time.Duration
	captureEnd bool
}

// NewTable makes an empty Table.
func NewTable(limits TableLimits) *Table {
	if limits.Open <= 0 {
		limits.Open = 1 << 20
	}
	if limits.Closed <= 0 {
		limits.Closed = 4096
	}
	if limits.Embryos <= 0 {
		limits.Embryos = 1 << 16
	}
	if limits.Finished <= 0 {
		limits.Finished = 1 << 18
	}
	if limits.Waiting <= 0 {
		limits.Waiting = 256
	}
	t := &Table{limits: limits, slots: make([]int32, 1024), done: -1, due: never}
	for i := range t.head {
		t.head[i], t.tail[i] = -1, -1
	}
	return t
}

// GapFrom is how long the capture must have had nothing for that to be a Gap: as long as a
// connection may be idle.
const GapFrom = idleOpen

// Gap tells that the whole capture has no segment between two moments, which are longer than
// GapFrom apart: silence within is no sign that a connection was idle. Gaps are told in order, each
// before the first segment that follows it.
func (t *Table) Gap(from, to time.Duration) { t.gaps = append(t.gaps, gap{from, to}) }

// Datagram takes a message of DNS, or a datagram of QUIC, that came beside the segments: it may
// lead to a connection.
func (t *Table) Datagram(seg *capture.Segment) {
	if seg.Src.Port() == names.Port || seg.Dst.Port() == names.Port {
		t.names.Message(seg)
		return
	}
	t.quic.Datagram(seg)
}

// QUIC is what QUIC connections have been seen so far.
func (t *Table) QUIC() QUICTally { return t.quic.Tally() }

// KeepNames has the names of look-ups kept that led to no connection.
func (t *Table) KeepNames() { t.names.KeepNames() }

// Names is what became of look-ups until a moment.
func (t *Table) Names(now time.Duration) NamesTally { return t.names.Tally(now) }

// Assign finds the connection of a segment and its direction there. now is how far the capture has
// come: the latest time of any of its segments up to this one. fresh tells that the connection is
// new. c is nil for an ICMP error about no known connection, and for what comes late, without new
// data, to one that was handed back. After each call the caller takes what Over returns, and, once
// the Tracker has the segment, what Finished returns.
func (t *Table) Assign(seg *capture.Segment, now time.Duration) (c *Conn, dir Dir, fresh bool) {
	t.done = -1
	t.advance(now)
	t.makeRoom()
	key, side := canonical(seg.Src, seg.Dst)
	hash := key.hash()
	i := t.find(&key, hash)
	if seg.Kind == capture.ICMPError {
		whole := seg.Flags != 0 || seg.Ack != 0 || seg.Window != 0 // else 8 octets of the header
		if i < 0 && whole {
			t.quoted++
		}
		if i < 0 || t.at(i).conn == nil {
			return nil, 0, false
		}
		return t.at(i).conn, t.at(i).dir(side), false
	}
	if i < 0 {
		i = t.insert(key, hash)
		fresh = true
		t.begin(i, side, seg, -1)
	} else if e := t.at(i); e.reused(side, seg) {
		fresh = true
		t.handBack(i, t.now)
		t.begin(i, side, seg, e.id)
	} else if e.conn == nil {
		if seg.Len == 0 || t.now-e.last <= idleClosed && e.isCopy(side, seg) {
			t.late++
			return nil, 0, false
		}
		fresh = true
		t.resume(i, side, seg)
	}
	if seg.Len > 0 && (seg.Src.Port() == names.Port || seg.Dst.Port() == names.Port) {
		t.names.Message(seg)
	}
	e := t.at(i)
	t.update(i, side, seg)
	return e.conn, e.dir(side), fresh
}

// Over returns the next connection that will get no more segments, since when that is so, and
// whether only because the capture has ended; nil if there is none. The Tracker that owns it is to
// be told after all segments assigned before.
func (t *Table) Over() (c *Conn, at time.Duration, captureEnd bool) {
	if t.taken == len(t.over) {
		t.over, t.taken = t.over[:0], 0
		return nil, 0, false
	}
	o := t.over[t.taken]
	t.over[t.taken] = ended{}
	t.taken++
	return o.conn, o.at, o.captureEnd
}

// Finish hands back all connections, because the capture has ended at the given moment: those first
// that were over by then, the others in order of their numbers. The caller takes them from Over.
func (t *Table) Finish(end time.Duration) {
	t.advance(end)
	first := len(t.over)
	for i := range t.used {
		if e := t.at(i); e.conn != nil {
			t.over = append(t.over, ended{e.conn, t.now, true})
			e.conn = nil
		}
	}
	sortByID(t.over[first:])
}

// Evicted is how many open connections were handed back only because there were too many.
func (t *Table) Evicted() uint64 { return t.evicted }

// Late is how many segments without new data came to connections that had been handed back; they
// were dropped.
func (t *Table) Late() uint64 { return t.late }

// Quoted is how many ICMP errors quoted the whole header of a segment of a connection that the
// capture did not show before: Wireshark gives such a connection a number.
func (t *Table) Quoted() uint64 { return t.quoted }

// Open is how many connections are open.
func (t *Table) Open() int {
	return t.count[listEmbryo] + t.count[listOpen] + t.count[listClosed] + t.count[listDone]
}

// Connections is how many connections have begun.
func (t *Table) Connections() int { return t.next }

// reused reports whether a SYN begins a new connection on the tuple: Wireshark begins one whenever
// its number is not that of the current one, whatever that one's state; the same number is a
// retransmission.
func (e *entry) reused(side int, seg *capture.Segment) bool {
	if seg.Flags&(capture.SYN|capture.ACK) != capture.SYN {
		return false
	}
	return e.flags&(baseSet<<side) != 0 && e.base[side] != seg.Seq
}

// begin makes a connection for entry i. old is the number of the one before on the same tuple, -1
// if there was none.
func (t *Table) begin(i int32, side int, seg *capture.Segment, old int) {
	e := t.at(i)
	reusesEnd := e.last
	e.id = t.next
	t.next++
	e.flags, e.high = 0, [2]uint32{}
	t.open(e, side, seg)
	e.conn.View = t.views.again(seg)
	e.conn.Reuses = old
	if old >= 0 {
		e.conn.ReusesEnd = reusesEnd
	}
	t.move(i, listOpen)
	if seg.Flags&(capture.SYN|capture.ACK) == capture.SYN {
		t.move(i, listEmbryo)
		if c := e.conn; !c.View && c.Server.Port() != names.Port {
			t.lookUp(i, c, seg.Mark)
			c.Tried = t.quic.Connects(c.Client.Addr(), c.Server, seg.Mark)
		}
	}
}

// lookUp gives a connection that begins the look-up that may have led to it, or to another address
// that its client tried in vain before.
func (t *Table) lookUp(i int32, c *Conn, at capture.Mark) {
	client := c.Client.Addr()
	c.Lookup = t.names.Connects(client, c.Server.Addr(), at)
	before, l := t.names.Before(client,
		names.Opened{Place: i, Number: c.ID, Server: c.Server, First: at})
	if l == nil || t.at(before.Place).id != before.Number {
		return
	}
	e := t.at(before.Place)
	server := 0
	if e.dir(0) == FromClient {
		server = 1
	}
	// nothing but the RST: one that had been accepted was reset for another reason
	refused := e.flags&((rstSeen|finSeen)<<server) == rstSeen<<server && e.high[server] == 0
	silent := e.flags&(spoke<<server) == 0 && e.last-before.First.Time >= names.LeastRepeat
	if !refused && !silent {
		return
	}
	if c.Lookup != nil {
		l = c.Lookup
	}
	tried := *l
	tried.Dead = names.Attempt{Server: before.Server, First: before.First, Refused: refused}
	c.Lookup = &tried
}

// resume makes another connection of the same number when data follows after so long that the state
// was dropped.
func (t *Table) resume(i int32, side int, seg *capture.Segment) {
	e := t.at(i)
	keep := e.flags & (baseSet | baseSet<<1)
	t.open(e, side, seg)
	e.flags = e.flags&clientIsB | keep
	e.conn.Reuses = -1
	e.conn.Caveats.Add(CaveatContinued)
	t.move(i, listOpen)
}

// open makes the Conn and decides which side is the client.
func (t *Table) open(e *entry, side int, seg *capture.Segment) {
	src, dst := endpoint(seg.Src), endpoint(seg.Dst)
	c := &Conn{ID: e.id, Client: src, Server: dst}
	c.SYNs, c.SYNACKs, c.Exchanges = c.room.syn[:0], c.room.synACK[:0], c.room.exchange[:0]
	fromClient := senderIsClient(seg)
	if !fromClient {
		c.Client, c.Server = dst, src
	}
	if fromClient == (side == 1) {
		e.flags |= clientIsB
	} else {
		e.flags &^= clientIsB
	}
	e.conn = c
}

// endpoint is the address without IPv4-in-IPv6 mapping.
func endpoint(a netip.AddrPort) netip.AddrPort {
	if a.Addr().Is4In6() {
		return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
	}
	return a
}

// dir is the direction of what the given side of the tuple sends.
func (e *entry) dir(side int) Dir {
	if (e.flags&clientIsB != 0) == (side == 1) {
		return FromClient
	}
	return FromServer
}

// update follows the connection as far as the Table needs it: Wireshark's base numbers, and whether
// it is over.
func (t *Table) update(i int32, side int, seg *capture.Segment) {
	e := t.at(i)
	e.last = t.now
	e.learnBase(side, seg)
	list := e.list
	if list == listDone {
		list = listClosed
	}
	if list == listEmbryo && (e.dir(side) == FromServer || seg.Flags&capture.SYN == 0) {
		list = listOpen
	}
	end := seg.Seq + seg.Len
	if seg.Flags.Has(capture.FIN) {
		end++
		e.flags |= finSeen << side
		if e.flags&(finSeen<<(1-side)) != 0 {
			list = listClosed
		}
	}
	if seg.Flags.Has(capture.RST) {
		away := int32(seg.Seq - e.high[side])
		if e.flags&(spoke<<side) == 0 || away < rstBelieve && away > -rstBelieve {
			list = listClosed
			e.flags |= rstSeen << side
		}
	} else if e.flags&(spoke<<side) == 0 || int32(end-e.high[side]) > 0 {
		e.high[side] = end
		e.flags &^= acked << side
	}
	e.flags |= spoke << side
	if seg.Flags.Has(capture.ACK) && e.flags&(spoke<<(1-side)) != 0 &&
		int32(seg.Ack-e.high[1-side]) >= 0 {
		e.flags |= acked << (1 - side)
	}
	t.followClose(i, side, seg)
	if list == listClosed && e.nothingLeft() {
		list = listDone
	}
	// few segments follow a close, and memory waits for its end
	if list != e.list || list == listClosed || list == listDone {
		t.move(i, list)
	}
}

// isCopy reports whether a segment has nothing that was not sent, and acknowledged, before.
func (e *entry) isCopy(side int, seg *capture.Segment) bool {
	return e.flags&(acked<<side) != 0 && int32(seg.Seq+seg.Len-e.high[side]) <= 0
}

// nothingLeft reports whether neither side of a closed connection has anything to repeat: each FIN,
// or all that was sent to the side that reset the connection, has been acknowledged.
func (e *entry) nothingLeft() bool {
	const bothFins, bothAcked = finSeen | finSeen<<1, acked | acked<<1
	return e.flags&bothFins == bothFins && e.flags&bothAcked == bothAcked ||
		e.flags&rstSeen != 0 && e.flags&(acked<<1) != 0 ||
		e.flags&(rstSeen<<1) != 0 && e.flags&acked != 0
}

// followClose notes who has acknowledged its peer's FIN. Once both have, everything has been
// delivered (RFC 9293 §3.6): nothing but copies can follow.
func (t *Table) followClose(i int32, side int, seg *capture.Segment) {
	e := t.at(i)
	const bothFins = finSeen | finSeen<<1
	const bothAcks = finAcked | finAcked<<1
	if e.flags&bothFins != bothFins || !seg.Flags.Has(capture.ACK) ||
		int32(seg.Ack-e.high[1-side]) < 0 {
		return
	}
	e.flags |= finAcked << side
	if e.flags&bothAcks == bothAcks {
		t.done = i
	}
}

// Finished is the connection that the latest segment has finished, if many closed ones wait
// already; else nil. The Tracker that owns it is to be told after that segment.
func (t *Table) Finished() *Conn {
	i := t.done
	t.done = -1
	if i < 0 || t.count[listDone] <= t.limits.Waiting {
		return nil
	}
	c := t.at(i).conn
	t.at(i).conn = nil
	t.move(i, listFinished)
	return c
}

// learnBase sets the numbers that a later SYN is compared with, exactly as Wireshark does: the
// SYN's own, or one less than the first number seen, or one less than the first acknowledged.
func (e *entry) learnBase(side int, seg *capture.Segment) {
	if e.flags&(baseSet<<side) == 0 {
		e.base[side] = seg.Seq
		if !seg.Flags.Has(capture.SYN) {
			e.base[side]--
		}
		e.flags |= baseSet << side
	}
	if peer := 1 - side; e.flags&(baseSet<<peer) == 0 && seg.Flags.Has(capture.ACK) {
		e.base[peer] = seg.Ack - 1
		e.flags |= baseSet << peer
	}
}
