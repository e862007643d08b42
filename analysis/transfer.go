package analysis

import (
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// transfer tiles the time before r, which follows data of the same direction: what released r decides (diagnosis 6.5).
// The rules are tried in order; the first that holds labels the time.
func (w *walker) transfer(r *reassembly.Record, filled *hole, held *hold) {
	w.loss(r, filled, func(until time.Duration) {
		s := &w.send[r.Dir]
		switch {
		case until <= w.at:
		case s.gap:
			s.gap = false
			w.emit(w.at, until, CaptureGap)
		case held != nil:
			w.emitHold(s, held, until)
		default:
			w.emit(w.at, until, w.released(s, r, until))
		}
	})
}

// released is the label of the time from the last progress until r, which was not lost and not held by Nagle.
func (w *walker) released(s *sender, r *reassembly.Record, until time.Duration) Label {
	gap := until - w.at
	w.cause = capture.Mark{Time: s.ackAt, Frame: s.ackFrame}
	switch {
	case w.backToBack(s, r, gap):
		return Serialize
	case w.windowBound(s, r):
		w.cause = capture.Mark{Time: s.edgeAt, Frame: s.edgeFrame}
		if s.closed {
			return ZeroWindow
		}
		return RWnd
	case w.ackClocked(s, r):
		return w.congestion(s, r)
	case r.Flags&capture.FIN != 0 && r.Len == 0:
		return pause(r.Dir)
	case s.last != nil && (s.ack >= s.last.end || !s.last.full):
		// Nothing was in flight, or the write before had ended: no window and no Nagle held r back.
		return pause(r.Dir)
	case gap <= w.s.conn.RTTMin()/2:
		return Paced
	}
	return Unknown
}

// pause is the label of a pause that the application of dir's sender made inside a message.
func pause(dir reassembly.Dir) Label {
	if dir == reassembly.FromClient {
		return ReqApp
	}
	return AppPaced
}

// backToBack reports whether r followed as fast as the path, or the sender's host, can carry segments.
func (w *walker) backToBack(s *sender, r *reassembly.Record, gap time.Duration) bool {
	if gap <= w.s.eps(r.Dir) && gap <= 300*time.Microsecond {
		return true
	}
	per := s.rate.perSegment()
	mss := int64(w.s.conn.Half[r.Dir].Eff)
	if per == 0 || mss == 0 {
		return false
	}
	segments := time.Duration((int64(r.Len) + mss - 1) / mss)
	return gap <= per*segments*3/2+4*w.s.clock.tick
}

// windowBound reports whether r could not have been sent before the receive window moved, and was sent as soon as it did.
func (w *walker) windowBound(s *sender, r *reassembly.Record) bool {
	c := w.s.conn
	if c.MidStream || s.edgePrev == 0 || s.max > s.edgePrev {
		return false
	}
	knew := r.Time - c.Far(r.Dir)
	mss := int64(c.Half[r.Dir].Eff)
	room := s.edgePrev - s.max
	return knew-s.edgeAt <= w.s.eps(r.Dir)+s.jitter(w, r) && room < min(int64(r.Len), mss)
}

// ackClocked reports whether r was released by an ACK: it left as soon as its sender knew of one that freed room, the
// segment before was full, and something was outstanding until then.
func (w *walker) ackClocked(s *sender, r *reassembly.Record) bool {
	c := w.s.conn
	if s.last == nil || !s.last.full || s.ackAt == 0 || s.ackPrev >= s.max {
		return false
	}
	knew := r.Time - c.Far(r.Dir)
	return knew-s.ackAt <= w.s.eps(r.Dir)+s.jitter(w, r)
}

// jitter is how much later than the least round trip what this sender reacts to may have reached it.
func (s *sender) jitter(w *walker, r *reassembly.Record) time.Duration {
	return w.s.conn.Half[r.Dir].RTT.Jitter
}

// congestion is the label of a wait for the congestion window. When round trips have become longer, the pipe is full
// and the path's rate is what limits.
func (w *walker) congestion(s *sender, r *reassembly.Record) Label {
	c := w.s.conn
	near := c.Half[r.Dir.Peer()].RTT
	if s.near > near.Min+max(near.Jitter, c.RTTMin()/5) && s.near > near.Min+time.Millisecond {
		return Serialize
	}
	switch {
	case s.growing && s.idled:
		return SlowStartIdle
	case s.growing:
		return SlowStart
	case c.Half[r.Dir].Retrans > 0:
		return RecoveryCwnd
	}
	return CongAvoid
}
