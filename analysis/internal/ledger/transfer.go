package ledger

import (
	"slices"
	"time"

	"tcpwhy/analysis/internal/ledger/sender"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// transfer tiles the time before r, up to until, which follows data of the same direction: what
// released r decides. held is the hold by which Nagle's algorithm seems to have kept it back, nil
// if there was none. The rules are tried in order; the first that holds labels the time.
func (w *walk) transfer(r *reassembly.Record, held *Hold, until time.Duration) {
	switch {
	case until <= w.at:
	case w.path.Of(r.Dir).TakeGap():
		w.emit(until, report.CaptureGap, why{ended: r})
	case held != nil:
		w.emitHold(r, held, until)
	default:
		w.released(r, until)
	}
}

// released tiles the time before r, up to until, which was not lost and not held by Nagle.
func (w *walk) released(r *reassembly.Record, until time.Duration) {
	s := w.path.Of(r.Dir)
	gap, corked := until-w.at, s.Corked(r)
	y := why{ended: r, cause: s.Release().Ack}
	s.NoteEnd(r, corked)
	switch {
	case s.BackToBack(r, gap) || s.Trickles(r):
		w.emit(until, report.Serialize, y)
	case s.BeginsFlight(r, gap):
		w.emit(until, flightLabel(s, r, gap), y)
	case s.WindowClosed():
		w.zeroWindow(s, r, until, y)
	case s.WindowBound(r):
		s.NoteWindowWait(r, gap)
		v := s.Release()
		y.cause, y.room, y.unread = v.Opening, v.Room, v.Unread
		w.emit(until, report.RWnd, y)
	case w.awaitCredit(s, r, until, corked, y):
	case w.windowFull(s, r, until, y):
	default:
		w.stopped(s, r, until, corked, y)
	}
}

// awaitCredit tiles the time before r, up to until, if flow control of HTTP/2 held r back. It
// reports whether it did.
func (w *walk) awaitCredit(s *sender.State, r *reassembly.Record, until time.Duration, corked bool,
	y why) bool {
	waits := w.path.Credited(r)
	if len(waits) == 0 || waits[0].Known <= w.at {
		return false
	}
	y.cause = waits[0].By
	w.book.shut = waits[0].Of == exchange.OfConnection
	w.emit(min(until, waits[0].Known), report.H2Window, y)
	w.book.shut = false
	if until > w.at {
		y.cause = s.Release().Ack
		w.stopped(s, r, until, corked, y)
	}
	return true
}

// stopped tiles the time before r, up to until, which no window of its receiver held back.
func (w *walk) stopped(s *sender.State, r *reassembly.Record, until time.Duration, corked bool,
	y why) {
	limit := sender.NoLimit
	if w.askedSince(r) || w.asksAnew(r) {
		s.NothingToSend()
	} else {
		limit = s.Limits(r, until-w.at)
	}
	w.limit.begin(s, limit)
	if limit >= sender.NowLimit {
		w.limited(s, r, until, y)
	} else {
		w.windowOrPause(s, r, until, corked, y)
	}
	w.limit.watching = false
}

// askedSince reports whether r belongs to a response whose request reached the server after all
// that went before it, and what its sender sent last had ended a response, or belonged to none that
// is known to go on: it had had nothing to send, and no limit stopped it, be there ever so often as
// much to send, and whatever else is open without a word (a stream of events, an upload).
func (w *walk) askedSince(r *reassembly.Record) bool {
	if r.Dir != reassembly.FromServer || !w.halves.apart {
		return false
	}
	asked, far := false, w.path.Conn.Far(reassembly.FromServer)
	for _, j := range w.book.exchanges {
		q, a := j.Parsed.Request, j.Parsed.Response
		if a != nil && a.Start.Time <= w.at && (!a.Complete || a.End.Time > w.at) &&
			w.sentLast(r, j.Index) {
			return false
		}
		asked = asked || w.book.by.surely(j.Index) && q != nil &&
			q.End.Time+far > w.at
	}
	return asked
}

// asksAnew reports whether all requests that had begun were over before r, which is of the client
// and has octets of new ones, or of frames that direct the connection: it had had nothing to send,
// and no limit stopped it, be there ever so often as much to ask for.
func (w *walk) asksAnew(r *reassembly.Record) bool {
	if r.Dir != reassembly.FromClient || !w.halves.apart || len(w.book.by) == 0 {
		return false
	}
	for _, j := range w.book.exchanges {
		q := j.Parsed.Request
		if q != nil && q.Start.Time <= w.at && (!q.Complete || q.End.Time > w.at) ||
			w.book.by.surely(j.Index) && (q == nil || q.Start.Time < r.Time) {
			return false
		}
	}
	return true
}

// sentLast reports whether the octet before r may be of the exchange with the index.
func (w *walk) sentLast(r *reassembly.Record, index int) bool {
	before := exchange.Range{From: r.Seq - 1, To: r.Seq}
	runs := w.path.Conn.HTTP2.Owners[r.Dir].Within(before)
	return len(runs) == 0 || slices.ContainsFunc(runs, func(run exchange.Run) bool {
		return run.Owner == index || run.Owner == exchange.UnknownOwner
	})
}

// windowOrPause tiles the time before r, up to until, of which no limit of the sender's own is
// known.
func (w *walk) windowOrPause(s *sender.State, r *reassembly.Record, until time.Duration,
	corked bool, y why) {
	gap := until - w.at
	switch {
	case s.Paces(r, gap):
		w.emit(until, report.Paced, y)
	case s.AwaitedAck():
		held, again := w.heldUp(r, until)
		if !Seen(again) {
			held = 0
		}
		w.congestion(s, r, until-held, y)
		y.again = again
		w.emit(until, report.Queue, y)
	case corked:
		w.corked(s, r, until, y)
	default:
		w.unreleased(s, r, until, y)
	}
}

// unreleased tiles the time before r, up to until, which nothing is known to have released.
func (w *walk) unreleased(s *sender.State, r *reassembly.Record, until time.Duration, y why) {
	fin := r.Flags&capture.FIN != 0 && r.Len == 0
	switch {
	case fin && r.Dir == reassembly.FromServer && endsByClose(w.book.active(w.at)):
		w.emit(until, report.Closing, y)
	case s.WindowCut() && s.Probing(r):
		w.emit(until, report.RecoveryCwnd, y)
	case s.Outstanding() && !Seen(s.Release().Ack) && s.Probing(r):
		y.again = s.NextNeedless()
		w.emitLate(s, until, y) // the acknowledgment that would have released it was
	case fin, s.WroteAll():
		w.emitPause(r, until, Pause(r.Dir), y)
	case until-w.at <= w.path.HalfTrip():
		w.emit(until, report.Paced, y)
	case s.HadRoom(r):
		w.emitPause(r, until, Pause(r.Dir), y)
	case s.WindowCut():
		// The acknowledgment that would have released it was lost or came too late, and a probe
		// went out instead.
		w.emit(until, report.RecoveryCwnd, y)
	default:
		w.emitPause(r, until, report.Unknown, y)
	}
}

// corked tiles a wait that a cork may have made: it is one if it happens again and again, and a
// pause of the application before.
func (w *walk) corked(s *sender.State, r *reassembly.Record, until time.Duration, y why) {
	if !s.CorkRepeats() {
		s.KeepFirstCork(until - w.at)
		w.emit(until, Pause(r.Dir), y)
		return
	}
	y.earlier = s.TakeFirstCork()
	w.emit(until, report.Cork, y)
}

// zeroWindow tiles a wait in which the receiver had closed its window: until the sender knew of an
// opening, or of the answer to its probe if the opening got lost. What is longer is the sender's
// own.
func (w *walk) zeroWindow(s *sender.State, r *reassembly.Record, until time.Duration, y why) {
	switch v := s.Release(); {
	case Seen(v.Opening):
		y.cause = v.Opening
		w.emit(until, report.ZeroWindow, y)
	case v.Heard:
		w.emit(until, report.ZeroWindow, y)
	case !Seen(s.LatestOpening()): // the capture lacks what opened it
		w.emit(until, report.ZeroWindow, y)
	default:
		y.cause = s.LatestOpening()
		known := s.LatestOpening().Time + w.path.Conn.Far(r.Dir)
		w.emit(min(until, known), report.ZeroWindow, y)
		w.emit(until, Pause(r.Dir), y)
	}
}

// windowFull tiles a wait that began with a receive window which had no room for another segment:
// until the sender knew of room, whatever it did then. It reports whether there was such a wait.
func (w *walk) windowFull(s *sender.State, r *reassembly.Record, until time.Duration, y why) bool {
	made, unread, full := s.Room(r)
	known := until
	if Seen(made) {
		known = made.Time + w.path.Conn.Far(r.Dir)
	}
	if !full || r.Len == 0 || min(until, known)-w.at < w.path.Conn.RTTMin() {
		return false // what is shorter may be the path's varying delay
	}
	y.cause, y.room, y.unread = made, true, unread
	s.NoteWindowWait(r, min(until, known)-w.at)
	w.emit(min(until, known), report.RWnd, y)
	if until > w.at {
		y.cause, y.room, y.unread = s.Release().Ack, false, false
		w.stopped(s, r, until, false, y)
	}
	return true
}

// congestion tiles a wait for the congestion window. The part by which a delayed acknowledgment was
// late is that.
func (w *walk) congestion(s *sender.State, r *reassembly.Record, until time.Duration, y why) {
	late := s.Release().Late
	switch {
	case Seen(s.Needless()):
		// Everything had arrived; the acknowledgment took so long that the sender lost patience.
		y.again = s.Needless()
		w.emitLate(s, until, y)
		return
	case s.PipeFull():
		w.emit(until, report.Serialize, y)
		return
	case s.WindowCut():
		// a window of a segment or two waits for delayed acknowledgments because of the loss
		late = 0
	case s.Release().Partly:
		// what else is outstanding comes back in the pace in which it was sent, and goes on with or
		// without that one
		late = 0
	}
	window, delayed := windowLabel(s), report.DelackCwnd
	if s.EndsBehindOne(r) {
		window, delayed = report.Unknown, report.Unknown
	}
	s.CorrectWindow()
	w.emit(until-min(late, until-w.at), window, y)
	w.emit(until, delayed, y)
}

// emitLate tiles a wait for an acknowledgment that came late: until it was due, the window held the
// sender back, then whatever held the acknowledgment up, or what it acknowledges.
func (w *walk) emitLate(s *sender.State, until time.Duration, y why) {
	w.emit(min(until, s.DueAck()), windowLabel(s), y)
	w.emit(until, report.Queue, y)
}

// windowLabel is the label of a wait for the congestion window, by what made the window as small as
// it was.
func windowLabel(s *sender.State) report.Label {
	switch {
	case s.RestartedAfterIdle():
		return report.SlowStartIdle
	case s.WindowCut():
		return report.RecoveryCwnd
	case s.ShrankNeedlessly():
		return report.SpuriousRetx
	case s.SlowStart():
		return report.SlowStart
	}
	return report.CongAvoid
}

// flightLabel is the label of the wait of gap before r, which begins a flight, where the capture
// shows one direction only: which window it is shows only if it grows.
func flightLabel(s *sender.State, r *reassembly.Record, gap time.Duration) report.Label {
	if !s.FlightGrew(r, gap) {
		return report.Unknown
	}
	return windowLabel(s)
}

// emitHold tiles a hold of r up to until, and leaves it with its exchange until it is certain.
func (w *walk) emitHold(r *reassembly.Record, h *Hold, until time.Duration) {
	if w.at < h.From {
		w.emit(h.From, ownBeside(h), why{ended: r})
	}
	y := why{ended: r, cause: h.Ack}
	mid := min(until, h.From+h.RoundTrip)
	w.emit(mid, report.NagleRTT, y)
	w.emit(until, report.NagleDelack, y)
	w.holds.add(h)
}
