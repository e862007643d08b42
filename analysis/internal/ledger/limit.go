package ledger

import (
	"slices"
	"time"

	"tcpwhy/analysis/internal/ledger/sender"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

// maxLimitWaits is how many waits may be kept until it is certain whether they were due to a limit
// of the sender's own: a stretch of a few round trips has one or two in each.
const maxLimitWaits = 64

// limitWaits are the waits in a row of one sender that may turn out to have been due to a limit of
// its own. Until that is certain they have the label of what else explains them.
type limitWaits struct {
	tiles    []report.Tile
	watching bool // tiles that are emitted now belong to them
}

// begin takes note of what is known of the next wait, of s.
func (k *limitWaits) begin(s *sender.State, l sender.Limit) {
	if l != sender.NowLimit && !s.Going() {
		k.tiles = k.tiles[:0]
	}
	k.watching = l == sender.PerhapsLimit
}

// keep keeps a tile that was emitted, if it is one of them.
func (k *limitWaits) keep(t *report.Tile) {
	if k.watching && len(k.tiles) < maxLimitWaits && mayBeLimit(t.Label) {
		k.tiles = append(k.tiles, *t)
	}
}

// mayBeLimit reports whether a wait with the label may turn out to have been due to a limit of the
// sender's own: what is explained by less than that is.
func mayBeLimit(l report.Label) bool {
	switch l {
	case report.Unknown, report.AppPaced, report.ReqApp, report.Paced,
		report.SlowStart, report.SlowStartIdle, report.CongAvoid:
		return true
	}
	return false
}

// limited tiles the time before r, up to until, in which a limit of the sender's own held it back.
// Waits before that looked like something else get their label, too. The part by which a delayed
// acknowledgment was late is that.
func (w *walk) limited(s *sender.State, r *reassembly.Record, until time.Duration, y why) {
	for _, j := range w.book.exchanges {
		if m := j.Message(r.Dir); m != nil && m.From <= r.Seq && !j.settled && !j.line.On {
			w.book.toLimit(j, w.limit.tiles, r.Dir)
		}
	}
	w.limit.tiles = w.limit.tiles[:0]
	late := s.Release().Late
	w.emit(until-min(late, until-w.at), report.SendLimit, y)
	w.emit(until, report.DelackCwnd, y)
}

// toLimit gives waits of dir's sender within j to the limit that made it wait.
func (b *book) toLimit(j *Exchange, waits []report.Tile, dir reassembly.Dir) {
	from, until := j.Span()
	for i := range waits {
		t := &waits[i]
		if t.From < from || t.To > until || j.waitsBehind().To > t.From {
			continue
		}
		r := Relabelling{
			Interval: report.Interval{From: t.From, To: t.To},
			Border:   t.To,
			Was:      [2]report.Label{t.Label, t.Label},
			Now:      [2]report.Label{report.SendLimit, report.SendLimit},
		}
		b.relabel(j, r)
		if dir == reassembly.FromClient {
			j.Transfers.upload(t.From-t.To, t.Label)
			j.Transfers.upload(t.To-t.From, report.SendLimit)
		}
		k := slices.IndexFunc(j.Waits,
			func(w Wait) bool { return w.From == t.From && w.To == t.To })
		if k >= 0 {
			j.Waits[k].Label = report.SendLimit
		}
	}
}
