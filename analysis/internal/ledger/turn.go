package ledger

import (
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// turn tiles the time before r, up to until, the first progress of the side that had been
// listening: one round trip that no server can avoid, what the path still carried of the message
// before, then the side's own time.
//
// An acknowledgment that the responder sends while it thinks explains nothing, whatever its delay:
// who sends the response also sent the ACK.
//
// But the first octets of a response may have been held behind a small segment of nobody's that the
// server sent after the request, as a session ticket or SETTINGS: then that tells.
func (w *walk) turn(r *reassembly.Record, held *Hold, until time.Duration) {
	w.emit(min(until, w.at+w.path.Conn.Far(r.Dir)), w.tripLabel(r), why{ended: r})
	if w.any && w.prev != r.Dir {
		v, y := w.path.Of(r.Dir).Arriving(r, w.last.Time), why{ended: r, before: true}
		w.emit(min(until, v.Held), report.Queue, y)
		w.emit(min(until, v.Until), report.Serialize, y)
	}
	arrived := w.path.Of(r.Dir).NotArrived(r, w.at)
	w.emit(min(until, arrived), report.Unknown, why{ended: r})
	if held != nil && !held.Tail && held.To == until && w.any && held.First.Time >= w.last.Time &&
		w.ownTime(r) == report.Think {
		held.Opens = true
		w.emitHold(r, held, until)
	}
	w.emitPause(r, until, w.ownTime(r), why{ended: r})
}

// tripLabel is what the round trip before r belongs to: the one that brings a client the end of the
// TLS handshake is the handshake's.
func (w *walk) tripLabel(r *reassembly.Record) report.Label {
	if t := w.path.Conn.TLS; r.Dir == reassembly.FromClient && t != nil && t.ServerEnds() &&
		w.at <= t.Done.Time {
		return report.TLSRTT
	}
	return report.RoundTrip
}

// leaves reports whether r is the client's close while the whole request had been sent and no
// response had come: what it waited for until then, and what the server works on after it, is the
// response. Of a turn it is not known whether it was whole; its octets may not have arrived.
func (w *walk) leaves(r *reassembly.Record) bool {
	if r.Dir != reassembly.FromClient || r.Len > 0 || !w.any || w.prev != r.Dir {
		return false
	}
	x := w.book.active(r.Time)
	if x != nil && x.Turn {
		return x.Response == nil && (w.path.Of(r.Dir).Outstanding() || w.givesUp(r))
	}
	return x != nil && x.Request != nil && x.Request.Complete &&
		x.Request.End.Time <= w.at &&
		(x.Response == nil || x.Response.Start.Time > r.Time)
}

// givesUp reports whether r belongs to the client's close of a turn to which no answer had come: a
// close_notify, or the FIN behind it.
func (w *walk) givesUp(r *reassembly.Record) bool {
	if r.Dir != reassembly.FromClient || w.path.Conn.TLS == nil {
		return false
	}
	x := w.book.active(r.Time)
	return x != nil && x.Outcome == exchange.Aborted && x.Request != nil && r.Seq >= x.Request.To &&
		(x.Response == nil || !x.Turn && x.Response.Start.Time > r.Time)
}

// ownTime is the label of the time that the sender of r took.
func (w *walk) ownTime(r *reassembly.Record) report.Label {
	x := w.book.active(r.Time)
	if r.Dir == reassembly.FromServer {
		if x != nil && x.Request != nil && x.Request.Facts.Has(exchange.Expect100) &&
			bodyPending(x, r.Time) {
			return report.Think100
		}
		return report.Think
	}
	if r.Flags&(capture.FIN|capture.RST) != 0 && r.Len == 0 {
		if x != nil && x.Outcome == exchange.Aborted && !x.Turn && x.Response != nil &&
			!x.Response.Complete && x.Response.Start.Time <= w.at {
			return Pause(reassembly.FromServer) // what ended was waiting for the rest
		}
		return report.ClientThink
	}
	return report.ReqApp
}

// bodyPending reports whether the request's body had not been sent by then: what the server took
// was for 100 Continue.
func bodyPending(x *exchange.Exchange, at time.Duration) bool {
	return x.Request.End.Time > at || !x.Request.Complete
}

// heldUp is by how much r, before which a wait ends at until, was held up on the way, where that is
// worth telling from a wait of its sender's; and a copy of it that its sender then sent without
// need, no frame if none. until is when r passed, or its first copy would have.
func (w *walk) heldUp(r *reassembly.Record, until time.Duration) (time.Duration, capture.Mark) {
	s := w.path.Of(r.Dir)
	held := min(max(s.HeldUp(), s.HeldUpByCopies(r)), until-w.at)
	if until != r.Time || held < max(QueueShows, w.path.HalfTrip()) {
		return 0, capture.Mark{}
	}
	again, _ := s.Outrun(r)
	return held, again
}

// emitPause tiles a pause of the sender of r: what r was held up on the way is none of it.
func (w *walk) emitPause(r *reassembly.Record, until time.Duration, l report.Label, y why) {
	held, again := w.heldUp(r, until)
	w.emit(until-held, l, y)
	if held > 0 {
		y.again = again
		w.emit(until, report.Queue, y)
	}
}
