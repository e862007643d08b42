package ledger

import (
	"time"

	"tcpwhy/analysis/internal/ledger/sender"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

// recovery is the part of a wait that a loss made: it ends with the record that repaired the loss.
type recovery struct {
	from time.Duration // what led to the transmission that was lost ends here, and this begins
	lost bool          // something was lost; else nothing follows, and from is the record's moment
	// when the timer began that ended it, or until when its sender heard of no acknowledgment: the
	// loss does not explain the time before; from, if it explains all
	timed time.Duration
	label report.Label
	why   why
	again time.Duration // when an earlier repair passed that was lost, too; 0: none did
	first report.Label  // of the wait for that one
	// no copy passed the capture point before the record, which looks like new data
	looksNew bool
}

// turned reports whether r is the first of its sender after the other side spoke.
func (w *walk) turned(r *reassembly.Record) bool {
	if !w.any {
		return !w.inTLS(r.Time)
	}
	return w.prev != r.Dir
}

// lossBefore tells what part of the time before r is due to a loss that r repaired. filled is the
// hole that r filled at the receiver's edge, nil if it filled none.
func (w *walk) lossBefore(r *reassembly.Record, filled *sender.Hole) recovery {
	l, lost := lossLabel(r.Kind, filled != nil)
	if !lost {
		return w.unseenLossBefore(r)
	}
	v := recovery{from: w.at, lost: true, label: l, why: why{ended: r}}
	if later, ok := w.path.Of(r.Dir).Outrun(r); ok {
		// The first copy was not lost: its repetition overtook it.
		v.label, v.why.again = report.Queue, later
	}
	v.timed = v.from
	if filled == nil {
		v.why.unseen = r.Trait.Has(reassembly.Unseen)
		return v
	}
	// If the first copy never passed the capture point, what followed it shows when the sender had
	// gone past it.
	v.from = min(r.Time, max(w.at, filled.Lost.Time))
	v.why.unseen = !filled.Seen
	v.why.cause = filled.Lost
	if filled.Again > v.from {
		v.again = filled.Again
		v.first, _ = lossLabel(filled.Kind, false)
	}
	s := w.path.Of(r.Dir)
	v.timed = max(s.TimerFrom(r, filled.Lost.Time), s.UnheardUntil(v.from))
	return v
}

// unseenLossBefore is the same of a record that looks like new data.
func (w *walk) unseenLossBefore(r *reassembly.Record) recovery {
	loss, ok := w.path.Of(r.Dir).UnseenLoss(r, w.at, w.turned(r))
	if !ok {
		return recovery{from: r.Time}
	}
	l, _ := lossLabel(loss.Kind, false)
	if loss.Twice {
		l = report.LostRetx
	}
	y := why{ended: r, unseen: true, faint: loss.Faint, cause: loss.Skipped,
		gap: loss.Gap}
	return recovery{from: loss.From, lost: true, looksNew: true, label: l, why: y}
}

// emitRecovery tiles the part of the time before r that is due to a loss.
func (w *walk) emitRecovery(r *reassembly.Record, v *recovery) {
	s := w.path.Of(r.Dir)
	switch {
	case !v.lost:
		return
	case v.looksNew:
		s.NoteUnseenLoss()
	case v.label != report.Queue:
		s.NoteLoss(r)
	}
	if v.timed > v.from {
		w.emit(v.timed, report.Unknown, why{ended: r})
	}
	if v.again > v.timed {
		w.emit(min(v.again, r.Time), v.first, v.why)
		v.label = report.LostRetx
	}
	if v.label == report.LostRetx && w.halves.apart && w.nothingPassed(r, v.from) {
		v.why.unheard = sender.OwnLost
	}
	w.emit(r.Time, v.label, v.why)
}

// nothingPassed reports whether r, which repeats again what was lost at the given moment, shows
// that nothing got through meanwhile: nothing answered several segments, or its peer heard of no
// acknowledgment.
func (w *walk) nothingPassed(r *reassembly.Record, from time.Duration) bool {
	if w.path.Unanswered(r, w.next) {
		return true
	}
	u := w.path.Of(r.Dir.Peer()).Unheard(from)
	return u.Until-from >= unheardLeast
}

// lossLabel is the label of a wait that a segment of the given kind ended by repairing a loss;
// false if it repaired none. fills says that it filled a hole.
func lossLabel(kind reassembly.Kind, fills bool) (report.Label, bool) {
	switch kind {
	case reassembly.TimeoutRetransmission:
		return report.RTO, true
	case reassembly.TailLossProbe:
		return report.TLP, true
	case reassembly.FastRetransmission, reassembly.Retransmission:
		return report.FastRetx, true
	case reassembly.OutOfOrder:
		if fills {
			return report.Queue, true
		}
	}
	return report.Unknown, false
}
