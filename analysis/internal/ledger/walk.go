package ledger

import (
	"time"

	"tcpwhy/analysis/internal/ledger/sender"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// walk goes over a connection's records once, in order, and tiles the connection's time. A tile
// ends at a progress event: a segment that brought the receiver nearer to having everything in
// order, or that closed the connection. What lies between two progress events is split by label
// (setup.go, turn.go, transfer.go, loss.go); every nanosecond gets one.
//
// The tracker calls for the walk only when the kinds of the records are certain, so the walk may
// look ahead in what is held.
type walk struct {
	book     *book
	path     *sender.Path
	holds    *holds
	limit    limitWaits
	measures *measures

	*half  // in hand: that of the record in hand
	halves halves
	next   int          // absolute number of the record to look at next
	began  bool         // a record has been looked at, and at is valid
	set    bool         // the set-up has been tiled
	latest report.Label // of the time right before the record in hand; Unknown if there was none

	still [2]*sender.Standstill // the latest of each host; nil for most: none
	// when nothing of each host came, due to the path: the latest; nil for most: none
	silent [2]*sender.Silence
}

// half is how far time has been tiled between progress events, and the latest of those: of both
// directions where they take turns, of one where exchanges go on beside each other.
type half struct {
	at   time.Duration  // end of the time that has been tiled
	any  bool           // there was a progress event; the next two are of the last
	prev reassembly.Dir // whose it was
	last capture.Mark
	sent time.Duration // when octets passed last, be it in vain
}

// halves are the two of a connection. Where directions take turns, both are the first.
type halves struct {
	of    [2]half // by direction
	apart bool    // exchanges go on beside each other: each direction has its own
}

// latest is up to when either direction has been tiled.
func (h *halves) latest() time.Duration {
	if h.apart {
		return max(h.of[0].at, h.of[1].at)
	}
	return h.of[0].at
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
	// even then the receiver's program had left octets unread
	unread bool
	// what the wait was for had been lost before it passed the capture point
	unseen bool
	faint  bool // that it was lost is not sure
	// what is missing by IP identifications, where nothing else tells of the loss
	gap IDGap
	// of a corked end of a message: the wait before, which had not been recognised; 0: none
	earlier time.Duration
	still   *sender.Standstill // of the host that did nothing meanwhile; nil: none is known
	before  bool               // it is time of the message before, of the other side
	// nothing got through: why its sender, or who waited for it, heard nothing
	unheard sender.Deafness
}

// to looks at the records up to the absolute number n, exclusive.
func (w *walk) to(n int) {
	c := w.path.Conn
	w.path.LookAhead()
	for ; w.next < n && w.next-c.Released < len(c.Records); w.next++ {
		w.record(w.next)
	}
}

// record looks at record n.
func (w *walk) record(n int) {
	r := &w.path.Conn.Records[n-w.path.Conn.Released]
	if !w.began {
		w.began, w.at = true, r.Time
	}
	if s := w.path.StoodStill(r, n); s.To > 0 {
		still := s // which is kept
		w.still[r.Dir] = &still
	} else if s := w.path.Silence(r, n); s.To > 0 {
		silent := s
		w.silent[r.Dir] = &silent
	}
	s := w.path.Observe(r, n)
	if r.Flags&capture.SYN != 0 || !w.set && w.strayReset(r) {
		return
	}
	closes := r.Flags&(capture.FIN|capture.RST) != 0
	if r.Len == 0 && !closes || unneeded(r) {
		if r.Kind == reassembly.SpuriousRetransmission && r.Len > 0 {
			s.NoteNeedless(r)
		}
		s.NoteProbe(r)
		return
	}
	w.book.by = ownersOf(w.path.Conn, r)
	w.takeHalf(r)
	directs := onlyDirects(w.path.Conn, r, w.book.by) && !closes
	if !w.set && !directs {
		w.setup(r.Time)
	}
	follows := w.any && w.prev == r.Dir
	s.Learn(r)
	held := s.HeldByNagle(r, w.at, follows)
	ordered := s.InOrder()
	filled, progress := s.Deliver(r)
	first := !follows || w.path.OneSided(r.Dir) && w.book.begins(r)
	if progress && !w.givesUp(r) && !(directs && filled == nil) || closes && !w.leaves(r) {
		w.progress(r, filled, held)
		rested := w.rested(r)
		first = first || rested
		w.divide(r, rested)
		w.deliver(r, exchange.Range{From: ordered, To: s.InOrder()}, filled != nil)
	} else if w.halves.apart && !progress {
		w.book.arrive(r, r.Time-w.sent > w.path.HalfTrip())
	}
	w.book.by = nil
	if r.Len > 0 {
		w.sent = r.Time
	}
	s.Sent(r, first, !r.Trait.Has(reassembly.Full) && w.book.endsHeader(r))
}

// unneeded reports whether r carries nothing that a message needs.
func unneeded(r *reassembly.Record) bool {
	switch r.Kind {
	case reassembly.KeepAlive, reassembly.ZeroWindowProbe, reassembly.SpuriousRetransmission:
		return r.Flags&(capture.FIN|capture.RST) == 0
	}
	return false
}

// progress tiles the time since the last progress event until r. filled is the hole that r filled
// at the receiver's edge, held the hold by which Nagle's algorithm seems to have kept r back; nil
// if there was none.
func (w *walk) progress(r *reassembly.Record, filled *sender.Hole, held *Hold) {
	w.latest = report.Unknown
	if r.Time > w.at {
		w.unheard(r, filled != nil)
		lost := w.lossBefore(r, filled)
		switch {
		case w.inTLS(r.Time):
			w.tls(r, held, lost.from)
		case w.breaksOff(r):
			w.brokenOff(r, lost.from)
		case w.any && w.prev == r.Dir:
			w.transfer(r, held, lost.from)
		default:
			w.turn(r, held, lost.from)
		}
		w.emitRecovery(r, &lost)
		w.emit(r.Time, report.Unknown, why{ended: r})
	}
	w.prev, w.any, w.last = r.Dir, true, r.Mark()
}

// unheardLeast is from how long on time in which a sender heard nothing is that, whatever held it
// besides: less than a second interrupts nobody, and timers that are a little short look the same.
const unheardLeast = time.Second

// unheard tiles the time in which no acknowledgment reached the sender of r, which may repair a
// loss: it was late, if it came at all.
func (w *walk) unheard(r *reassembly.Record, repairs bool) {
	if !w.any || w.prev != r.Dir || r.Time-w.at < unheardLeast {
		return
	}
	s := w.path.Of(r.Dir)
	u := s.Unheard(w.at)
	if u.Until-w.at < unheardLeast {
		return
	}
	y := why{ended: r, again: u.Again, unheard: sender.AcksLost}
	if !repairs { // until an acknowledgment was due, its window held the sender back
		w.emit(min(s.DueAck(), u.Again.Time), windowLabel(s), y)
	}
	w.emit(u.Until, report.Queue, y)
}

// emit labels the time up to the given moment, as far as it has not been labelled yet; y is what
// ended it. Time in which a host stood still is that, whatever was waited for.
func (w *walk) emit(to time.Duration, l report.Label, y why) {
	for _, still := range w.still {
		if still == nil || still.From >= to || still.To <= w.at {
			continue
		}
		w.hear(still.From, l, y)
		w.put(min(to, still.To), report.HostStopped, why{ended: y.ended, still: still})
	}
	w.hear(to, l, y)
}

// hear is emit without a look at who stood still. Time in which nothing of the host that ended it
// came is the path's; so is, beside others, a loss that was repeated in vain. Where exchanges take
// turns, a loss stays one.
func (w *walk) hear(to time.Duration, l report.Label, y why) {
	if r := y.ended; r != nil && (w.halves.apart || !ofLoss(l)) {
		w.unheardIn(w.silent[r.Dir], to, l, y)
		if ofLoss(l) {
			w.unheardIn(w.silent[r.Dir.Peer()], to, l, y)
		}
	}
	w.put(to, l, y)
}

// unheardIn is hear for a silence; nil is none.
func (w *walk) unheardIn(s *sender.Silence, to time.Duration, l report.Label, y why) {
	if s == nil || s.From >= to || s.To <= w.at {
		return
	}
	silent := why{ended: y.ended, again: s.Again, unheard: s.Why}
	switch own := s.Dir == y.ended.Dir; {
	case s.Why == sender.Lost && !w.halves.apart:
		return // a lone message is what was lost
	case own && s.Why == sender.HeldUp:
		silent.again, _ = w.path.Of(s.Dir).Outrun(y.ended)
	case own:
	case s.Why == sender.Lost:
		silent.unheard = sender.OwnLost
	case s.Why == sender.Unanswered:
		silent.unheard = sender.AcksLost
	default:
		return // what it waited for was lost, whatever was held up
	}
	w.put(s.From, l, y)
	w.put(min(to, s.To), report.Queue, silent)
}

// ofLoss reports whether a label is of a wait that a loss made.
func ofLoss(l report.Label) bool {
	switch l {
	case report.FastRetx, report.TLP, report.RTO, report.LostRetx:
		return true
	}
	return false
}

// put is emit without a look at who stood still.
func (w *walk) put(to time.Duration, l report.Label, y why) {
	if to <= w.at {
		return
	}
	if r := y.ended; r != nil && w.book.flight && ownInTLS(l) {
		l = ownTLS(r.Dir)
	}
	t := report.Tile{Label: l, From: w.at, To: to, Before: w.last, Cause: y.cause}
	byClient := false
	if r := y.ended; r != nil {
		t.End, byClient = r.Mark(), (r.Dir == reassembly.FromClient) != y.before
	}
	w.latest = l
	if w.halves.apart {
		dir := reassembly.FromClient
		if w.half == &w.halves.of[reassembly.FromServer] {
			dir = reassembly.FromServer
		}
		w.book.beside(&t, dir)
		w.book.busyTile(&t, dir)
	} else {
		w.book.tile(&t, byClient)
		w.limit.keep(&t)
	}
	if to-w.at >= minWait {
		w.note(&t, &y)
	}
	w.at = to
}

// note keeps a wait for rules that look at single ones.
func (w *walk) note(t *report.Tile, y *why) {
	s := Wait{
		Label:   t.Label,
		From:    t.From,
		To:      t.To,
		Before:  t.Before,
		Prev:    w.prev,
		End:     t.End,
		Cause:   y.cause,
		Again:   y.again,
		Room:    y.room,
		Unread:  y.unread,
		Unseen:  y.unseen,
		Faint:   y.faint,
		Gap:     y.gap,
		Earlier: y.earlier,
		Unheard: y.unheard,
	}
	if r := y.ended; r != nil {
		s.Dir, s.Octets, s.Kind = r.Dir, r.Len, r.Kind
		s.ByOrder = w.path.Of(r.Dir).NeedlessByOrder()
		s.LeftThen = w.path.Of(r.Dir).LeftThen(r)
	}
	if y.still != nil {
		s.Dir, s.Before, s.End, s.Ticked = y.still.Dir, y.still.Before, y.still.After, y.still.Ticked
		s.ClockStood = y.still.ClockStood()
	}
	w.book.keep(s)
	if r := y.ended; r != nil && w.halves.apart {
		p := &w.book.busy.of[r.Dir]
		p.waits = append(p.waits, s)
	}
}

// flush tiles the time of j up to its end, in which nothing more was to be seen.
func (w *walk) flush(j *Exchange) {
	if to := j.Until; !j.line.On && !w.halves.apart {
		w.flushTo(to)
		return
	}
	w.book.follow(j)
	w.book.takeBusy(j, reassembly.FromClient)
	w.book.takeBusy(j, reassembly.FromServer)
	w.book.endLine(j)
}

// flushTo tiles the connection's time up to the given moment, in which nothing more was to be seen.
func (w *walk) flushTo(to time.Duration) {
	if w.began && !w.set {
		w.setup(to)
	}
	l := report.Unknown
	if w.any && w.prev == reassembly.FromClient {
		far := w.path.Conn.Far(reassembly.FromServer)
		w.emit(min(to, w.at+far), report.RoundTrip, why{})
		l = report.Think
	}
	w.emit(to, l, why{})
}

// finish tiles the rest of the connection's time.
func (w *walk) finish() {
	end := w.path.Conn.End.Time
	for _, j := range w.book.exchanges {
		if !j.settled && j.over && (j.line.On || j.Until > w.at) {
			w.flush(j)
		}
	}
	w.join()
	if w.began && !w.set {
		w.setup(end)
	}
	w.emit(end, report.Closing, why{})
}

// booked is the end of the time that has been booked with j, or without it.
func (w *walk) booked(j *Exchange) time.Duration {
	if w.halves.apart || j.line.On {
		return j.booked
	}
	return w.halves.of[0].at
}

// tiled is up to when an exchange that has not begun yet can have no time any more: 0 where it has
// its own.
func (h *halves) tiled() time.Duration {
	if h.apart {
		return 0
	}
	return h.of[0].at
}

// takeHalf takes the half that r belongs to. From when exchanges go on beside each other, until
// none does, what one direction sends ends no wait of the other. The set-up is a matter of turns.
func (w *walk) takeHalf(r *reassembly.Record) {
	h := &w.halves
	switch apart := w.set && !w.inTLS(r.Time) && w.book.sharedAt(r.Time); {
	case apart && !h.apart:
		h.of[1] = h.of[0]
		h.apart, w.book.at = true, h.of[0].at
		w.share()
	case !apart:
		w.join()
	}
	w.half = &h.of[0]
	if h.apart {
		w.half = &h.of[r.Dir]
	}
}

// join goes on with one half for both directions.
func (w *walk) join() {
	h := &w.halves
	if h.apart {
		w.unshare()
		w.book.endShared(h.latest())
		if h.of[1].at > h.of[0].at {
			h.of[0] = h.of[1]
		}
		h.apart = false
	}
	w.half = &h.of[0]
}

// deliver tells the exchanges that go on beside each other of what r delivered: octets, or, if
// those are none, its own. repairs says that it filled a hole.
func (w *walk) deliver(r *reassembly.Record, octets exchange.Range, repairs bool) {
	if !w.halves.apart || r.Len == 0 {
		return
	}
	delivered := w.book.by
	w.book.inFlight = w.path.Of(reassembly.FromServer).MostInFlight()
	if octets.To > octets.From {
		delivered = w.path.Conn.HTTP2.Owners[r.Dir].Within(octets)
	}
	w.book.busy.of[r.Dir].arrive(octets)
	w.book.deliver(r, delivered, repairs, w.path.Credited(r))
}
