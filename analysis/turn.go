package analysis

import (
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// turn tiles the time before r, the first progress of the side that had been listening (diagnosis 6.4): one round trip
// that no server can avoid, then the side's own time.
//
// An acknowledgment that the responder sends while it thinks explains nothing, whatever its delay: who sends the
// response also sent the ACK.
func (w *walker) turn(r *reassembly.Record, filled *hole) {
	w.loss(r, filled, true, func(until time.Duration) {
		w.emit(w.at, min(until, w.at+w.s.conn.Far(r.Dir)), RoundTrip)
		w.emitPause(r, until, w.ownTime(r))
	})
}

// ownTime is the label of the time that the sender of r took.
func (w *walker) ownTime(r *reassembly.Record) Label {
	x := w.s.active(r.Time)
	if r.Dir == reassembly.FromServer {
		if x != nil && x.Request != nil && x.Request.Facts.Has(reassembly.Expect100) && w.bodyPending(x, r.Time) {
			return Think100
		}
		return Think
	}
	if r.Flags&(capture.FIN|capture.RST) != 0 && r.Len == 0 {
		return ClientThink
	}
	return ReqApp
}

// bodyPending reports whether the request's body had not been sent by then: what the server took was for 100 Continue.
func (w *walker) bodyPending(x *reassembly.Exchange, at time.Duration) bool {
	return x.Request.End.Time > at || !x.Request.Complete
}

// active is the oldest exchange that was going on at the given moment; nil if there was none.
func (s *connState) active(at time.Duration) *reassembly.Exchange {
	for _, j := range s.jobs {
		if !j.settled && j.from <= at && (!j.over || at <= j.until) {
			return j.x
		}
	}
	return nil
}
