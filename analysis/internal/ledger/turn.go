package ledger

import (
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// turn tiles the time until until before r, the first progress of the side that had been listening:
// one round trip that no server can avoid, then the side's own time.
//
// An acknowledgment that the responder sends while it thinks explains nothing, whatever its delay:
// who sends the response also sent the ACK.
func (w *walker) turn(r *reassembly.Record, until time.Duration) {
	w.emit(min(until, w.at+w.s.Conn.Far(r.Dir)), w.tripLabel(r), why{ended: r})
	w.emit(min(until, w.arrived(r)), report.Unknown, why{ended: r})
	w.emitPause(r, until, w.ownTime(r), why{ended: r})
}

// tripLabel is what the round trip before r belongs to: the one that brings a client the end of the
// TLS handshake is the handshake's.
func (w *walker) tripLabel(r *reassembly.Record) report.Label {
	if t := w.s.Conn.TLS; r.Dir == reassembly.FromClient && t != nil && t.ServerEnds() &&
		w.at <= t.Done.Time {
		return report.TLSRTT
	}
	return report.RoundTrip
}

// arrived is until when nobody can tell whether what r answers had reached the sender of r: until
// that acknowledged it, if the other side had lost patience before and sent it again, though it did
// arrive. The path was late then, or an acknowledgment got lost; the wait is not known to be the
// responder's own. Next to the responder it is known.
func (w *walker) arrived(r *reassembly.Record) (acked time.Duration) {
	c := w.s.Conn
	asked := &w.Send[r.Dir.Peer()]
	if !Seen(asked.view.needless) || c.Far(r.Dir) < time.Millisecond ||
		w.Send[r.Dir].view.missing > 0 {
		return 0 // known, or a packet that never came may have told it
	}
	again := false
	for i := w.next - c.Released; i >= 0 && c.Records[i].Time >= w.at; i-- {
		switch a := &c.Records[i]; {
		case a.Dir == r.Dir && a.Flags&capture.ACK != 0 && a.Ack >= asked.Max:
			acked, again = a.Time, false
		case a.Dir != r.Dir && a.Kind == reassembly.SpuriousRetransmission && a.Len > 0:
			again = true
		}
	}
	if !again {
		return 0
	}
	return acked
}

// leaves reports whether r is the client's close while the whole request had been sent and no
// response had come: what it waited for until then, and what the server works on after it, is the
// response.
func (w *walker) leaves(r *reassembly.Record) bool {
	if r.Dir != reassembly.FromClient || r.Len > 0 || !w.any || w.prev != r.Dir {
		return false
	}
	x := w.s.active(r.Time)
	return x != nil && !x.Turn && x.Request != nil && x.Request.Complete &&
		x.Request.End.Time <= w.at &&
		(x.Response == nil || x.Response.Start.Time > r.Time)
}

// ownTime is the label of the time that the sender of r took.
func (w *walker) ownTime(r *reassembly.Record) report.Label {
	x := w.s.active(r.Time)
	if r.Dir == reassembly.FromServer {
		if x != nil && x.Request != nil && x.Request.Facts.Has(reassembly.Expect100) &&
			w.bodyPending(x, r.Time) {
			return report.Think100
		}
		return report.Think
	}
	if r.Flags&(capture.FIN|capture.RST) != 0 && r.Len == 0 {
		return report.ClientThink
	}
	return report.ReqApp
}

// bodyPending reports whether the request's body had not been sent by then: what the server took
// was for 100 Continue.
func (w *walker) bodyPending(x *reassembly.Exchange, at time.Duration) bool {
	return x.Request.End.Time > at || !x.Request.Complete
}

// active is the oldest exchange that was going on at the given moment; nil if there was none.
func (s *Connection) active(at time.Duration) *reassembly.Exchange {
	for _, j := range s.jobs {
		if !j.settled && j.From <= at && (!j.over || at <= j.Until) {
			return j.Parsed
		}
	}
	return nil
}
