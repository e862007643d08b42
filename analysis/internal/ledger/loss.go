package ledger

import (
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// recovery is the part of a wait that a loss made: it ends with the record that repaired the loss.
type recovery struct {
	from  time.Duration // what led to the transmission that was lost ends here, and this begins
	lost  bool          // something was lost; else nothing follows, and from is the record's moment
	label report.Label
	why   why
	again time.Duration // when an earlier repair passed that was lost, too; 0: none did
	first report.Label  // of the wait for that one
	// no copy passed the capture point before the record, which looks like new data
	vanished bool
}

// turned reports whether r is the first of its sender after the other side spoke.
func (w *walker) turned(r *reassembly.Record) bool {
	if !w.any {
		return !w.inTLS(r.Time)
	}
	return w.prev != r.Dir
}

// recovers tells what part of the time before r is due to a loss that r repaired. filled is the hole
// that r filled at the receiver's edge, nil if it filled none.
func (w *walker) recovers(r *reassembly.Record, filled *hole) recovery {
	l, lost := lossLabel(r, filled)
	if !lost {
		return w.recoversVanished(r)
	}
	v := recovery{from: w.at, lost: true, label: l, why: why{ended: r}}
	if later, ok := w.outrun(r); ok {
		// The first copy was not lost: its repetition overtook it.
		v.label, v.why.again = report.Queue, later
	}
	if filled == nil {
		v.why.unseen = r.Trait.Has(reassembly.Unseen)
		return v
	}
	// If the first copy never passed the capture point, what followed it shows when the sender had
	// gone past it.
	v.from = min(r.Time, max(w.at, filled.sent))
	v.why.unseen = !filled.seen
	v.why.cause = capture.Mark{Time: filled.sent, Frame: filled.frame}
	if filled.again > v.from {
		v.again = filled.again
		v.first, _ = lossLabel(&reassembly.Record{Kind: filled.kind}, nil)
	}
	return v
}

// recoversVanished is the same of a record that looks like new data.
func (w *walker) recoversVanished(r *reassembly.Record) recovery {
	s, turn := &w.Send[r.Dir], w.turned(r)
	l, from, ok := w.vanished(s, r, turn)
	if !ok {
		return recovery{from: r.Time}
	}
	if s.view.missing > 1 && (!turn || r.Time-from >= 2*w.s.Timeout()*9/10) {
		// of two that are missing one may have been an acknowledgment, unless two timers have run
		l = report.LostRetx
	}
	y := why{ended: r, unseen: true, cause: s.view.beyond}
	return recovery{from: from, lost: true, vanished: true, label: l, why: y}
}

// recovery tiles the part of the time before r that is due to a loss.
func (w *walker) recovery(r *reassembly.Record, v *recovery) {
	s := &w.Send[r.Dir]
	switch {
	case !v.lost:
		return
	case v.vanished:
		s.Growth.Away = true
		s.Growth.lose(s.Max)
	case v.label != report.Queue:
		s.Growth.Away = r.Trait.Has(reassembly.Unseen)
	}
	if v.again > 0 {
		w.emit(min(v.again, r.Time), v.first, v.why)
		v.label = report.LostRetx
	}
	w.emit(r.Time, v.label, v.why)
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
