package analysis

import (
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// loss tiles the time before r, if r repaired a loss: first what led to the transmission that was lost, by before, then
// the wait for the repair. Without loss it is all before's. turn tells that r is the first of its sender after the
// other side spoke.
func (w *walker) loss(r *reassembly.Record, filled *hole, turn bool, before func(until time.Duration)) {
	l, lost := lossLabel(r, filled)
	if !lost {
		if l, from, ok := w.vanished(&w.send[r.Dir], r, turn); ok {
			before(from)
			s := &w.send[r.Dir]
			w.unseen, s.growth.away = true, true
			w.cause = s.view.beyond
			s.growth.lose(s.max)
			if s.view.missing > 1 {
				l = LostRetx
			}
			w.emit(w.at, r.Time, l)
			return
		}
		before(r.Time)
		return
	}
	if l != Queue {
		w.send[r.Dir].growth.away = r.Trait.Has(reassembly.Unseen)
	}
	if filled == nil {
		w.unseen = r.Trait.Has(reassembly.Unseen)
		w.emit(w.at, r.Time, l)
		return
	}
	// If the first copy never passed the capture point, what followed it shows when the sender had gone past it.
	before(min(r.Time, max(w.at, filled.sent)))
	w.unseen = !filled.seen
	w.cause = capture.Mark{Time: filled.sent, Frame: filled.frame}
	if filled.again > w.at {
		first, _ := lossLabel(&reassembly.Record{Kind: filled.kind}, nil)
		w.emit(w.at, min(filled.again, r.Time), first)
		l = LostRetx
	}
	w.emit(w.at, r.Time, l)
}

// lossLabel is the label of a wait that r ended by repairing a loss; false if it repaired none.
func lossLabel(r *reassembly.Record, filled *hole) (Label, bool) {
	switch r.Kind {
	case reassembly.TimeoutRetransmission:
		return RTO, true
	case reassembly.TailLossProbe:
		return TLP, true
	case reassembly.FastRetransmission, reassembly.Retransmission:
		return FastRetx, true
	case reassembly.OutOfOrder:
		if filled != nil {
			return Queue, true
		}
	}
	return Unknown, false
}

// delivered is the moment at which the last octet of the response passed in a copy that arrived: next to the server,
// copies pass that get lost further on. 0 if that is not known.
func (s *connState) delivered(x *reassembly.Exchange) time.Duration {
	m := x.Response
	if m == nil || x.Outcome != reassembly.Complete {
		return 0
	}
	var last time.Duration
	for i := range s.conn.Records {
		r := &s.conn.Records[i]
		if r.Dir == reassembly.FromServer && r.Len > 0 && r.Kind.Retransmitted() &&
			r.Kind != reassembly.SpuriousRetransmission && r.Seq < m.To && r.End() > m.From {
			last = r.Time
		}
	}
	return last
}
