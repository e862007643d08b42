package ledger

import (
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// transfer tiles the time until until before r, which follows data of the same direction: what
// released r decides. The rules are tried in order; the first that holds labels the time.
func (w *walker) transfer(r *reassembly.Record, held *Hold, until time.Duration) {
	s := &w.Send[r.Dir]
	switch {
	case until <= w.at:
	case s.gap:
		s.gap = false
		w.emit(until, report.CaptureGap, why{ended: r})
	case held != nil:
		w.emitHold(r, held, until)
	default:
		w.released(s, r, until)
	}
}

// released tiles the time from the last progress until r, which was not lost and not held by Nagle.
func (w *walker) released(s *sender, r *reassembly.Record, until time.Duration) {
	gap := until - w.at
	y := why{ended: r, cause: s.release.ack}
	outstanding := s.view.ack < s.before
	s.tails.count(s, r, w.corked(s, r))
	switch {
	case w.backToBack(s, r, gap):
		w.emit(until, report.Serialize, y)
	case oneSided(w.s.Conn, r.Dir) && w.flown(s, r, gap):
		w.emit(until, w.flightLabel(s, r, gap), y)
	case s.view.closed:
		w.zeroWindow(s, r, until, y)
	case w.windowBound(s, r):
		y.cause, y.room = s.release.open, s.release.moved
		if gap >= w.s.Conn.RTTMin()/2 {
			s.rwnd.note(max(s.edge-s.ack, s.before-s.view.ack))
		}
		w.emit(until, report.RWnd, y)
	case w.paces(s, r, gap):
		w.emit(until, report.Paced, y)
	case s.last != nil && outstanding && Seen(s.release.ack) && (s.last.full || s.fills()):
		// A program that writes records or chunks with TCP_NODELAY fills the window with segments
		// of any size.
		w.congestion(s, r, until, y)
	case w.corked(s, r) && s.tails.corked():
		y.earlier, s.tails.first = s.tails.first, 0
		w.emit(until, report.Cork, y)
	case w.corked(s, r):
		s.tails.first = until - w.at // it was a cork's, if more follow
		w.emit(until, Pause(r.Dir), y)
	case r.Flags&capture.FIN != 0 && r.Len == 0 && r.Dir == reassembly.FromServer && endsByClose(w.s.active(w.at)):
		w.emit(until, report.Closing, y)
	case s.Growth.cut && w.probing(s, r):
		w.emit(until, report.RecoveryCwnd, y)
	case outstanding && !Seen(s.release.ack) && w.probing(s, r):
		y.again = w.repeats(r.Dir)
		w.emitLate(s, until, y) // the acknowledgment that would have released it was
	case r.Flags&capture.FIN != 0 && r.Len == 0, !outstanding, s.last != nil && !s.last.full:
		// Nothing was in flight, or the write before had ended: no window and no Nagle held r back.
		w.emitPause(r, until, Pause(r.Dir), y)
	case gap <= w.s.Conn.RTTMin()/2:
		w.emit(until, report.Paced, y)
	case s.view.ack > s.before-s.Growth.peak/2 && s.view.edge-s.before >= int64(r.Len):
		// Acknowledgments had made room, half of what had been in flight before and more, and
		// nothing was sent: there was nothing to send.
		w.emitPause(r, until, Pause(r.Dir), y)
	case s.Growth.cut:
		// The acknowledgment that would have released it was lost or came too late, and a probe
		// went out instead.
		w.emit(until, report.RecoveryCwnd, y)
	default:
		w.emitPause(r, until, report.Unknown, y)
	}
}

// paces reports whether r came at the pace that its sender keeps, and takes note of that.
func (w *walker) paces(s *sender, r *reassembly.Record, gap time.Duration) bool {
	if s.last == nil || !s.last.full || !r.Trait.Has(reassembly.Full) || s.view.ack >= s.before {
		return false
	}
	paced := s.pacing.explains(gap)
	s.pacing.add(gap, !Seen(s.release.ack))
	return paced
}

// Pause is the label of a pause that the application of dir's sender made inside a message.
func Pause(dir reassembly.Dir) report.Label {
	if dir == reassembly.FromClient {
		return report.ReqApp
	}
	return report.AppPaced
}

// backToBack reports whether r followed as fast as the path, or the sender's host, can carry
// segments.
func (w *walker) backToBack(s *sender, r *reassembly.Record, gap time.Duration) bool {
	if gap <= w.s.eps(r.Dir) && gap <= 300*time.Microsecond {
		return true
	}
	per := s.rate.perSegment()
	mss := int64(w.s.Conn.Half[r.Dir].Eff)
	if per == 0 || mss == 0 || s.ack >= s.before {
		return false // after a pause nothing tells how fast the path is
	}
	segments := time.Duration((int64(r.Len) + mss - 1) / mss)
	return gap <= per*segments*3/2+4*w.s.clock.Tick
}

// zeroWindow tiles a wait in which the receiver had closed its window: until the sender knew of an
// opening, or of the answer to its probe if the opening got lost. What is longer is the sender's
// own.
func (w *walker) zeroWindow(s *sender, r *reassembly.Record, until time.Duration, y why) {
	switch {
	case Seen(s.release.open):
		y.cause = s.release.open
		w.emit(until, report.ZeroWindow, y)
	case s.release.any:
		w.emit(until, report.ZeroWindow, y)
	default:
		y.cause = s.view.open
		w.emit(min(until, s.view.open.Time+w.s.Conn.Far(r.Dir)), report.ZeroWindow, y)
		w.emit(until, Pause(r.Dir), y)
	}
}

// windowBound reports whether r could not have been sent before the receive window moved, and was
// sent as soon as it did.
func (w *walker) windowBound(s *sender, r *reassembly.Record) bool {
	c := w.s.Conn
	if !c.Scaled() || s.view.edge == 0 || !Seen(s.release.open) || r.Seq < s.before {
		return false
	}
	return s.view.edge-s.before < min(int64(r.Len), int64(c.Half[r.Dir].Eff))
}

// note takes note of the window that kept the sender back.
func (b *bound) note(window int64) {
	if b.Times == 0 {
		b.first = window
	}
	if window*4 < b.level*3 || window*4 > b.level*5 {
		b.level, b.steady = window, 0
	}
	b.steady++
	b.Times++
	b.last = window
	b.Most = max(b.Most, window)
	if b.Times <= earlyTimes {
		b.early = b.Most
	} else {
		b.late = max(b.late, window)
	}
}

// congestion tiles a wait for the congestion window. The part by which a delayed acknowledgment was
// late is that.
func (w *walker) congestion(s *sender, r *reassembly.Record, until time.Duration, y why) {
	late := s.release.late
	switch {
	case Seen(s.view.needless):
		// Everything had arrived; the acknowledgment took so long that the sender lost patience.
		y.again = s.view.needless
		w.emitLate(s, until, y)
		return
	case w.pipeFull(s, r):
		w.emit(until, report.Serialize, y)
		return
	case s.Growth.cut:
		// a window of a segment or two waits for delayed acknowledgments because of the loss
		late = 0
	case s.release.part:
		// what else is outstanding comes back in the pace in which it was sent, and goes on with or
		// without that one
		late = 0
	}
	s.correct()
	w.emit(until-min(late, until-w.at), w.window(s), y)
	w.emit(until, report.DelackCwnd, y)
}

// emitLate tiles a wait for an acknowledgment that came late: until it was due, the window held the
// sender back, then whatever held the acknowledgment up, or what it acknowledges.
func (w *walker) emitLate(s *sender, until time.Duration, y why) {
	due := s.view.oldest + w.s.Conn.RTTMin()
	w.emit(min(until, due), w.window(s), y)
	w.emit(until, report.Queue, y)
}

// pipeFull reports whether as much was in flight as the path holds: then its rate limits, not a
// window. It shows in round trips that have become longer, or in acknowledgments that come back no
// faster than what was in flight drains.
func (w *walker) pipeFull(s *sender, r *reassembly.Record) bool {
	c := w.s.Conn
	near := c.Half[r.Dir.Peer()].RTT
	longer := s.release.round - s.release.late - near.Min
	if s.Growth.cut {
		// Losses also make single acknowledgments late; a queue makes all of them late.
		longer = min(longer, s.delay[0], s.delay[1], s.delay[2])
	}
	longer = max(longer, s.Stamps.queue())
	if s.ack > s.Growth.past && longer > max(near.Jitter, c.RTTMin()/5, time.Millisecond) {
		return true
	}
	rate := s.pathRate(int64(c.Half[r.Dir].Eff), 0)
	return rate > 0 && float64(s.before-s.view.ack) >= rate*c.RTTMin().Seconds()
}

// window is the label of a wait for the congestion window, by what made the window as small as it
// was.
func (w *walker) window(s *sender) report.Label {
	first := s.round.Bytes
	if len(s.rounds) > 0 {
		first = s.rounds[0].Bytes
	}
	g := &s.Growth
	switch {
	case g.restarted(first, s.initial) && w.decayed(s, first):
		return report.SlowStartIdle
	case g.cut:
		return report.RecoveryCwnd
	case g.needless && s.round.Bytes*10 < g.peak*7:
		return report.SpuriousRetx
	case g.slow:
		return report.SlowStart
	}
	return report.CongAvoid
}

// decayed reports whether the first round after an idle period has the size that cutting the window
// back leaves: Linux halves it once for each retransmission timeout without sending, down to the
// initial window (net/ipv4/tcp_output.c, tcp_cwnd_restart); RFC 5681 §4.1 goes there at once. The
// window before is only known to lie between what was in flight and about twice that, and the timer
// between its least value and half as much again.
func (w *walker) decayed(s *sender, first int64) bool {
	i := &s.Growth.idle
	if first <= s.initial*5/4 {
		return first*4 >= s.initial*3
	}
	least := w.s.Timeout()
	low := max(s.initial, i.Peak>>min(int64(i.Since/least), 40))
	high := max(s.initial, (i.Peak*22/10)>>min(int64(i.Since/(least*3/2)), 40))
	return first*4 >= low*3 && first*4 <= high*5
}

// tails counts what became of segments that were smaller than the MSS and followed a full one of
// the same message.
type tails struct {
	held, prompt int
	first        time.Duration // a hold that came before it was known what holds; 0: none, or told
}

// count takes note of r.
func (t *tails) count(s *sender, r *reassembly.Record, held bool) {
	switch {
	case held:
		t.held++
	case s.last != nil && s.last.full && !r.Trait.Has(reassembly.Full) && r.Len > 0:
		t.prompt++
	}
}

// corked reports whether a cork is what holds the ends of messages: it does so again and again. The
// end of one message that was lost and sent again by a timer, where the first copy never passed the
// capture point, looks alike.
func (t *tails) corked() bool { return t.held >= 2 && t.held*10 >= (t.held+t.prompt)*6 }

// probeLeast is the least value of Linux's timer for probing a window (include/net/tcp.h,
// tcp_probe0_base: TCP_RTO_MIN).
const probeLeast = 200 * time.Millisecond

// corked reports whether r is the end of a message that waited for the timer which ends a cork:
// TCP_CORK or MSG_MORE let full segments go and keep the rest, until the application says so or the
// timer for probing a window fires (net/ipv4/tcp_output.c, tcp_check_probe_timer: the
// retransmission timeout). Nothing was on its way, and the peer did nothing to release it. The
// rules ask for several that agree.
func (w *walker) corked(s *sender, r *reassembly.Record) bool {
	c := w.s.Conn
	if s.last == nil || !s.last.full || r.Trait.Has(reassembly.Full) || s.view.ack < s.before ||
		Seen(s.release.ack) {
		return false
	}
	wait := r.Time - max(s.last.Time, s.view.heard+c.Far(r.Dir))
	rto := w.s.Timeout()
	// What the timer adds to the least value is four mean deviations of the round trip, at most two
	// round trips after the first sample (RFC 6298 §2.2), and delayed acknowledgments of 40 ms. rto
	// is estimated: a tenth is room for that.
	most := timerLatest(rto + max(2*c.RTTMin(), 40*time.Millisecond))
	return wait >= timerSoonest(probeLeast) && wait >= rto*9/10 && wait <= most
}
