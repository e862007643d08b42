package ledger

import (
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// loss tiles the time before r, if r repaired a loss: first what led to the transmission that was
// lost, by before, then the wait for the repair. Without loss it is all before's. turn tells that r
// is the first of its sender after the other side spoke.
func (w *walker) loss(
	r *reassembly.Record,
	filled *hole,
	turn bool,
	before func(until time.Duration),
) {
	l, lost := lossLabel(r, filled)
	if !lost {
		if l, from, ok := w.vanished(&w.Send[r.Dir], r, turn); ok {
			before(from)
			s := &w.Send[r.Dir]
			w.unseen, s.Growth.Away = true, true
			w.cause = s.view.beyond
			s.Growth.lose(s.Max)
			if s.view.missing > 1 && (!turn || r.Time-from >= 2*w.s.Timeout()*9/10) {
				// of two that are missing one may have been an acknowledgment, unless two timers
				// have run
				l = report.LostRetx
			}
			w.emit(w.at, r.Time, l)
			return
		}
		before(r.Time)
		return
	}
	if later, ok := w.outrun(r); ok && lost {
		// The first copy was not lost: its repetition overtook it.
		l, w.again = report.Queue, later
		defer func() { w.again = capture.Mark{} }()
	}
	if l != report.Queue {
		w.Send[r.Dir].Growth.Away = r.Trait.Has(reassembly.Unseen)
	}
	if filled == nil {
		w.unseen = r.Trait.Has(reassembly.Unseen)
		w.emit(w.at, r.Time, l)
		return
	}
	// If the first copy never passed the capture point, what followed it shows when the sender had
	// gone past it.
	before(min(r.Time, max(w.at, filled.sent)))
	w.unseen = !filled.seen
	w.cause = capture.Mark{Time: filled.sent, Frame: filled.frame}
	if filled.again > w.at {
		first, _ := lossLabel(&reassembly.Record{Kind: filled.kind}, nil)
		w.emit(w.at, min(filled.again, r.Time), first)
		l = report.LostRetx
	}
	w.emit(w.at, r.Time, l)
}

// lossLabel is the label of a wait that r ended by repairing a loss; false if it repaired none.
func lossLabel(r *reassembly.Record, filled *hole) (report.Label, bool) {
	switch r.Kind {
	case reassembly.TimeoutRetransmission:
		return report.RTO, true
	case reassembly.TailLossProbe:
		return report.TLP, true
	case reassembly.FastRetransmission, reassembly.Retransmission:
		return report.FastRetx, true
	case reassembly.OutOfOrder:
		if filled != nil {
			return report.Queue, true
		}
	}
	return report.Unknown, false
}

// repeats is the next segment that the sender of dir repeats without need; no frame if there is
// none near.
func (w *walker) repeats(dir reassembly.Dir) capture.Mark {
	c := w.s.Conn
	for i := w.next - c.Released; i < len(c.Records) && i < w.next-c.Released+maxTrail; i++ {
		if r := &c.Records[i]; r.Dir == dir && r.Len > 0 &&
			r.Kind == reassembly.SpuriousRetransmission {
			return r.Mark()
		}
	}
	return capture.Mark{}
}

// delivered is the moment at which the last octet of the response passed in a copy that arrived:
// next to the server, copies pass that get lost further on. 0 if that is not known.
func (s *Connection) delivered(x *reassembly.Exchange) time.Duration {
	m := x.Response
	if m == nil || x.Outcome != reassembly.Complete {
		return 0
	}
	var last time.Duration
	for i := range s.Conn.Records {
		r := &s.Conn.Records[i]
		if r.Dir == reassembly.FromServer && r.Len > 0 && r.Kind.Retransmitted() &&
			r.Kind != reassembly.SpuriousRetransmission && r.Seq < m.To && r.End() > m.From {
			last = r.Time
		}
	}
	return last
}

// outrun is the copy of r's octets that comes after r though it was sent before, by its timestamp
// (RFC 7323 §3): r repaired no loss. Of a segment that was overtaken by others it is the copy that
// its sender then sent without need.
func (w *walker) outrun(r *reassembly.Record) (capture.Mark, bool) {
	c := w.s.Conn
	first := r.Kind == reassembly.OutOfOrder || r.Kind == reassembly.Plain
	if !r.Trait.Has(reassembly.Unseen) && !first || r.Len == 0 {
		return capture.Mark{}, false
	}
	for i := w.next + 1 - c.Released; i < len(c.Records) && i < w.next-c.Released+maxRepairs; i++ {
		o := &c.Records[i]
		if o.Dir != r.Dir || o.Kind != reassembly.SpuriousRetransmission || o.Seq > r.Seq ||
			o.Seq+int64(o.Len) <= r.Seq {
			continue
		}
		if first || o.Trait.Has(reassembly.HasTS) && int32(o.TSVal-r.TSVal) < 0 {
			return o.Mark(), true
		}
	}
	return capture.Mark{}, false
}
