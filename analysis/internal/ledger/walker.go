package ledger

import (
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// walker goes over a connection's records once, in order, and tiles the connection's time. A tile
// ends at a progress event: a segment that brought the receiver nearer to having everything in
// order, or that closed the connection. What lies between two progress events is split by label
// (setup.go, turn.go, transfer.go); every nanosecond gets one.
//
// The tracker calls for the walk only when the kinds of the records are certain, so the walker may
// look ahead in what is held.
type walker struct {
	s       *Connection
	next    int           // absolute number of the record to look at next
	scanned int           // absolute number of the record up to which repairs have been collected
	at      time.Duration // end of the time that has been tiled
	began   bool
	set     bool           // the set-up has been tiled
	prev    reassembly.Dir // of the last progress event
	last    capture.Mark   // of the last progress event
	any     bool           // there was one
	Send    [2]sender
}

// why is what ended a wait, as far as that is known. The zero value says that nothing did that the
// capture shows.
type why struct {
	ended *reassembly.Record // the record that ended it; nil if none did
	// what released that record, or its first copy that was lost; no frame if that is not known
	cause capture.Mark
	// what was sent again without need while the wait lasted; no frame if nothing was
	again capture.Mark
	room  bool // the cause acknowledged nothing new: it told of room in the receive window
	// what the wait was for had been lost before it passed the capture point
	unseen bool
	// of a corked end of a message: the wait before, which had not been recognised; 0: none
	earlier time.Duration
}

// init prepares a walk over the connection of s.
func (w *walker) init(s *Connection) { w.s = s }

// To looks at the records up to the absolute number n, exclusive.
func (w *walker) To(n int) {
	c := w.s.Conn
	w.collectRepairs()
	for ; w.next < n && w.next-c.Released < len(c.Records); w.next++ {
		w.record(w.next)
	}
}

// collectRepairs notes the retransmissions that were needed, so that the walk knows which copy of
// an octet counts.
func (w *walker) collectRepairs() {
	c := w.s.Conn
	for d := range w.Send {
		w.Send[d].repairs = certain(c, w.Send[d].repairs)
	}
	for i := max(w.scanned-c.Released, 0); i < len(c.Records); i++ {
		r := &c.Records[i]
		if r.Kind.Retransmitted() && r.Kind != reassembly.SpuriousRetransmission && r.Len > 0 &&
			len(w.Send[r.Dir].repairs) < maxRepairs {
			w.Send[r.Dir].repairs = append(
				w.Send[r.Dir].repairs,
				repair{r.Seq, r.Seq + int64(r.Len), c.Released + i},
			)
		}
	}
	w.scanned = c.Released + len(c.Records)
}

// certain drops the repairs that have turned out to be needless since they were noted.
func certain(c *reassembly.Conn, repairs []repair) []repair {
	kept := repairs[:0]
	for _, p := range repairs {
		if i := p.record - c.Released; i < 0 || i >= len(c.Records) ||
			c.Records[i].Kind != reassembly.SpuriousRetransmission {
			kept = append(kept, p)
		}
	}
	return kept
}

// record looks at one record.
func (w *walker) record(n int) {
	c := w.s.Conn
	r := &c.Records[n-c.Released]
	if !w.began {
		w.began, w.at = true, r.Time
	}
	if r.Flags&capture.ACK != 0 {
		w.acknowledged(r)
		w.Send[r.Dir.Peer()].Large.acked(r)
	}
	s := &w.Send[r.Dir]
	s.Large.sent(r, c.Half[r.Dir].Eff)
	s.observe(w, r)
	s.late = s.Stamps.add(c, r)
	if oneSided(c, r.Dir) {
		s.echoes.add(r)
	}
	if r.Flags&capture.SYN != 0 || !w.set && w.strayReset(r) {
		return
	}
	closes := r.Flags&(capture.FIN|capture.RST) != 0
	if r.Len == 0 && !closes || probe(r) {
		if r.Kind == reassembly.SpuriousRetransmission && r.Len > 0 {
			if !s.lastAgain(r) {
				s.Growth.repeat(r, w.hasty(s, r), s.Max)
			}
			if !Seen(s.view.needless) {
				s.view.needless = r.Mark()
			}
		}
		return
	}
	if !w.set {
		w.setup(r.Time)
	}
	s.learn(w, n, r)
	held := w.opportunity(s, r, n)
	if held == nil {
		held = w.tailHold(s, r)
	}
	filled, forward := s.deliver(r, n)
	fresh := !w.any || w.prev != r.Dir || oneSided(c, r.Dir) && w.s.begins(r)
	if forward || closes && !w.leaves(r) || s.vain(r) || s.beyond(w, r) {
		w.progress(r, filled, held)
	}
	s.sent(w, r, n, fresh)
}

// lastAgain reports whether r repeats the last of several segments that are outstanding: a tail
// loss probe, which leaves the congestion window as it is unless it shows a loss (RFC 8985 §7.4). A
// timeout repeats the first.
func (s *sender) lastAgain(r *reassembly.Record) bool {
	return r.Seq > s.ack && r.Seq+int64(r.Len) == s.Max
}

// hasty reports whether a sender repeated r, which had arrived, because of duplicate or selective
// acknowledgments, and not because a timer had run out: segments had come in another order. Without
// having heard of one it had only its timer.
func (w *walker) hasty(s *sender, r *reassembly.Record) bool {
	c := w.s.Conn
	if s.last == nil || !w.heardDuplicate(r, r.Time-c.Far(r.Dir)-s.late) {
		return false
	}
	quiet := r.Time - max(s.last.Time, s.view.heard+c.Far(r.Dir))
	return quiet < min(2*c.RTTMin()*97/100, w.s.Timeout()*9/10)
}

// heardDuplicate reports whether the sender of r knew, by what had passed the capture point at the
// given moment, of a duplicate or selective acknowledgment behind its latest new one.
func (w *walker) heardDuplicate(r *reassembly.Record, known time.Duration) bool {
	c := w.s.Conn
	latest := int64(-1)
	for i := w.next - c.Released; i >= 0; i-- {
		a := &c.Records[i]
		if a.Dir == r.Dir || a.Time > known || a.Flags&capture.ACK == 0 {
			continue
		}
		if a.Ack < latest {
			return false
		}
		if latest = a.Ack; a.SACK > 0 || a.Kind == reassembly.DuplicateAck {
			return true
		}
	}
	return false
}

// probe reports whether r carries nothing that a message needs.
func probe(r *reassembly.Record) bool {
	switch r.Kind {
	case reassembly.KeepAlive, reassembly.ZeroWindowProbe, reassembly.SpuriousRetransmission:
		return r.Flags&(capture.FIN|capture.RST) == 0
	}
	return false
}

// acknowledged takes from the peer's account what r says has arrived though the capture never
// showed it.
func (w *walker) acknowledged(r *reassembly.Record) {
	s := &w.Send[r.Dir.Peer()]
	for len(s.holes) > 0 && s.holes[0].from < r.Ack && !s.holes[0].seen {
		s.gap = true
		s.holes = s.holes[1:]
	}
}

// progress tiles the time since the last progress event.
func (w *walker) progress(r *reassembly.Record, filled *hole, held *Hold) {
	if r.Time > w.at {
		lost := w.recovers(r, filled)
		switch {
		case w.inTLS(r.Time):
			w.tls(r, lost.from)
		case w.any && w.prev == r.Dir:
			w.transfer(r, held, lost.from)
		default:
			w.turn(r, lost.from)
		}
		w.recovery(r, &lost)
		w.emit(r.Time, report.Unknown, why{ended: r})
	}
	w.prev, w.any, w.last = r.Dir, true, r.Mark()
}

// emit labels the time until to, as far as it has not been labelled yet; y is what ended it.
func (w *walker) emit(to time.Duration, l report.Label, y why) {
	if to <= w.at {
		return
	}
	w.s.tile(w.at, to, l, &y)
	w.note(to, l, &y)
	w.at = to
}

// Forget keeps what later judgements need of records that are about to be released.
func (w *walker) Forget(records []reassembly.Record) {
	for i := range records {
		if r := &records[i]; r.Flags&capture.ACK != 0 && r.Flags&capture.RST == 0 {
			s := &w.Send[r.Dir.Peer()]
			s.Oldest = max(s.Oldest, r.Ack)
		}
	}
}

// note keeps the wait for rules that look at single ones.
func (w *walker) note(to time.Duration, l report.Label, y *why) {
	from := w.at
	if to-from < minSlice {
		return
	}
	s := Wait{
		Label:   l,
		From:    from,
		To:      to,
		Before:  w.last,
		Prev:    w.prev,
		Cause:   y.cause,
		Again:   y.again,
		Moved:   y.room,
		Unseen:  y.unseen,
		Earlier: y.earlier,
	}
	if r := y.ended; r != nil {
		s.Dir, s.End, s.Octets, s.Kind = r.Dir, r.Mark(), r.Len, r.Kind
		s.Hasty = w.Send[r.Dir].Growth.hasty
	}
	for _, j := range w.s.jobs {
		if !j.settled && j.From < to && (!j.over || from < j.Until) {
			j.keep(s)
		}
	}
}

// flush tiles the time up to to, in which nothing more was to be seen.
func (w *walker) flush(to time.Duration) {
	if w.began && !w.set {
		w.setup(to)
	}
	l := report.Unknown
	if w.any && w.prev == reassembly.FromClient {
		far := w.s.Conn.Far(reassembly.FromServer)
		w.emit(min(to, w.at+far), report.RoundTrip, why{})
		l = report.Think
	}
	w.emit(to, l, why{})
}

// Finish tiles the rest of the connection's time.
func (w *walker) Finish() {
	end := w.s.Conn.End.Time
	for _, j := range w.s.jobs {
		if j.over && j.Until > w.at {
			w.flush(j.Until)
		}
	}
	if w.began && !w.set {
		w.setup(end)
	}
	w.emit(end, report.Closing, why{})
}

// tile books the time from from to to with every exchange that was going on, and with the
// connection. What no exchange covers was idle.
func (s *Connection) tile(from, to time.Duration, l report.Label, y *why) {
	at, up := from, uploading(l, y)
	for _, j := range s.jobs {
		if j.settled {
			continue
		}
		end := to
		if j.over {
			end = min(end, j.Until)
		}
		j.book(max(from, j.From), end, l)
		if up {
			j.uploaded(max(from, j.From), end, l)
		}
		s.Trace.exchange(&s.Walk, j, max(from, j.From), end, l, y)
		if start := max(at, j.From); end > start {
			s.idle(at, start, y)
			s.Times[l] += end - start
			s.Trace.connection(&s.Walk, start, end, l, y)
			at = end
		}
	}
	s.idle(at, to, y)
}

// book adds time to the exchange; what it spent waiting for the response before is that, whatever
// else went on.
func (j *Exchange) book(from, to time.Duration, l report.Label) {
	behind := j.waitsBehind()
	start, end := max(from, behind.From), min(to, behind.To)
	if end <= start {
		j.put(from, to, l)
		return
	}
	j.put(from, start, l)
	j.put(start, end, report.PipelineHOL)
	j.put(end, to, l)
}

// put adds time with one label.
func (j *Exchange) put(from, to time.Duration, l report.Label) {
	if to > from {
		j.Times[l] += to - from
		j.Line.add(from, to, l)
	}
}

// idle books time in which no exchange was going on.
func (s *Connection) idle(from, to time.Duration, y *why) {
	if to <= from {
		return
	}
	c := s.Conn
	closing := to
	if Seen(c.FirstCloseAt) {
		closing = min(to, max(from, c.FirstCloseAt.Time))
	}
	l := report.IdleReusable
	switch {
	case s.Last == nil:
		l = report.PreconnectIdle
	case !s.reusable:
		l = report.IdleUnusable
	}
	s.Times[l] += closing - from
	s.Times[report.Closing] += to - closing
	s.Trace.connection(&s.Walk, from, closing, l, y)
	s.Trace.connection(&s.Walk, closing, to, report.Closing, y)
}
