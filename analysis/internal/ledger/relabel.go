package ledger

import (
	"math/bits"
	"slices"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

// Change is what has become known of time whose labels were written. Every view of that time has
// its method.
type Change interface {
	Sums(times *[report.LabelCount]time.Duration)
	Pieces(pieces []report.Piece)
	Tiles(tiles []report.Tile) []report.Tile
}

// Listed is a list of sums of time by label, changed. The list itself stays as it is: a report may
// have it.
func Listed(c Change, times []report.LabelTime) []report.LabelTime {
	var all [report.LabelCount]time.Duration
	for _, t := range times {
		all[t.Label] = t.Time
	}
	c.Sums(&all)
	return report.LabelTimes(&all)
}

// Relabelling is a stretch of time whose labels turn out to be others than was written: up to
// Border the first of Was was the first of Now, and from there on the second the second. Every view
// of that time has its method here, and nothing else changes a label that was written.
type Relabelling struct {
	report.Interval
	Border   time.Duration
	Was, Now [2]report.Label
}

// nagleLabels are those of a hold: what a prompt ACK would have taken, and what it was late.
var nagleLabels = [2]report.Label{report.NagleRTT, report.NagleDelack}

// ownBeside is the label of the time that the application itself took where a hold was none: of
// what begins a response its server's.
func ownBeside(h *Hold) report.Label {
	if h.Opens {
		return report.Think
	}
	return Pause(h.Dir)
}

// toPause gives the time of a hold that was none of Nagle's algorithm to the application. Nobody
// has that of the end of a message: its sender may keep one segment in flight; nor what others
// shared, as the sender may have had its hands full.
func toPause(h *Hold, shared bool) Relabelling {
	pause := ownBeside(h)
	if h.Tail || shared {
		pause = report.Unknown
	}
	return Relabelling{
		Interval: report.Interval{From: h.From, To: h.To},
		Border:   h.From + h.RoundTrip,
		Was:      nagleLabels,
		Now:      [2]report.Label{pause, pause},
	}
}

// toRoundTrip takes the part of h by which a timer seemed to have made the ACK late for a part of
// the round trip.
func toRoundTrip(h *Hold) Relabelling {
	return Relabelling{
		Interval: report.Interval{From: h.From + h.RoundTrip, To: h.To},
		Border:   h.To,
		Was:      [2]report.Label{nagleLabels[1], nagleLabels[1]},
		Now:      [2]report.Label{nagleLabels[0], nagleLabels[0]},
	}
}

// ToHold takes time of dir's sender that had gone to the application back: it was due to Nagle's
// algorithm, and a prompt ACK would have taken roundTrip of it.
func ToHold(i report.Interval, roundTrip time.Duration, dir reassembly.Dir) Relabelling {
	pause := Pause(dir)
	return Relabelling{
		Interval: i,
		Border:   i.From + roundTrip,
		Was:      [2]report.Label{pause, pause},
		Now:      nagleLabels,
	}
}

// ToOwn gives all of a wait to its sender: nothing was lost.
func ToOwn(w *Wait) Relabelling {
	own := Pause(w.Dir)
	if w.Prev != w.Dir && w.Dir == reassembly.FromServer {
		own = report.Think
	}
	return Relabelling{
		Interval: report.Interval{From: w.From, To: w.To},
		Border:   w.To,
		Was:      [2]report.Label{w.Label, w.Label},
		Now:      [2]report.Label{own, own},
	}
}

// Sums changes sums of time by label.
func (r *Relabelling) Sums(times *[report.LabelCount]time.Duration) {
	for i, length := range [...]time.Duration{r.Border - r.From, r.To - r.Border} {
		times[r.Was[i]] -= length
		times[r.Now[i]] += length
	}
}

// Pieces changes the pieces of an exchange that lie within the time.
func (r *Relabelling) Pieces(pieces []report.Piece) {
	for i := range pieces {
		p := &pieces[i]
		p.Label = r.label(p.Label, p.From, p.To)
	}
}

// Tiles changes the tiles of a trace as far as they lie within the time: of one that joins several
// waits that may be a part.
func (r *Relabelling) Tiles(tiles []report.Tile) []report.Tile {
	all := make([]report.Tile, 0, len(tiles))
	for _, t := range tiles {
		if t.Label == r.Was[0] || t.Label == r.Was[1] {
			all, t = cutTile(all, t, r.From)
			all, t = cutTile(all, t, r.To)
		}
		all = append(all, t)
	}
	for i := range all {
		t := &all[i]
		t.Label = r.label(t.Label, t.From, t.To)
	}
	return all
}

// cutTile appends to all what of t lies before the given moment, and gives the rest. Of the waits
// that t joins each part has one at least.
func cutTile(all []report.Tile, t report.Tile, at time.Duration) ([]report.Tile, report.Tile) {
	if at <= t.From || at >= t.To {
		return all, t
	}
	before := t
	before.To, before.Waits = at, max(1, t.Waits/2)
	t.From, t.Waits = at, max(1, t.Waits-before.Waits)
	return append(all, before), t
}

// label is the label of a stretch of time that had l.
func (r *Relabelling) label(l report.Label, from, to time.Duration) report.Label {
	switch {
	case l != r.Was[0] && l != r.Was[1], from < r.From, to > r.To:
		return l
	case to <= r.Border:
		return r.Now[0]
	}
	return r.Now[1]
}

// carriedMeanwhile are the labels of waits during which a path may be busy with other octets.
var carriedMeanwhile = [...]report.Label{
	report.Paced, report.SlowStart, report.SlowStartIdle, report.CongAvoid, report.RecoveryCwnd,
	report.RWnd, report.FastRetx, report.RTO, report.TLP, report.LostRetx, report.SpuriousRetx,
	report.DelackCwnd,
}

// ToPath is time of waits that was the path's: it carried other octets meanwhile, as fast as it
// does.
type ToPath struct {
	report.Interval // of the exchange
	waits, moved    [report.LabelCount]time.Duration
	mostly          bool // more of the waits than not
}

// CarriedMeanwhile is the change of an exchange's times if the path was busy for so long of it;
// false if the times say so already.
func CarriedMeanwhile(x report.Interval, times []report.LabelTime,
	busy time.Duration) (ToPath, bool) {
	p := ToPath{Interval: x}
	var waits time.Duration
	for _, t := range times {
		switch {
		case t.Label == report.Serialize:
			busy -= t.Time
		case slices.Contains(carriedMeanwhile[:], t.Label):
			p.waits[t.Label] = t.Time
			waits += t.Time
		}
	}
	move := min(waits, busy)
	if move <= 0 {
		return p, false
	}
	p.mostly = move > waits/2
	for l, t := range p.waits {
		p.moved[l] = part(t, move, waits)
	}
	return p, true
}

// part is the part of t that n is of whole, which is no less than either, to the nanosecond: what
// is left of all parts of t is as much less than t for any n.
func part(t, n, whole time.Duration) time.Duration {
	high, low := bits.Mul64(uint64(t), uint64(n))
	if high >= uint64(whole) {
		return t
	}
	out, _ := bits.Div64(high, low, uint64(whole))
	return time.Duration(out)
}

// Sums changes sums of time by label. Exchanges of a connection may have some of its time in
// common.
func (p *ToPath) Sums(times *[report.LabelCount]time.Duration) {
	for l, t := range p.moved {
		t = min(t, times[l])
		times[l] -= t
		times[report.Serialize] += t
	}
}

// Pieces changes the pieces of the exchange, if most of such time was the path's.
func (p *ToPath) Pieces(pieces []report.Piece) {
	for i := range pieces {
		if c := &pieces[i]; p.mostly && p.has(c.Label, c.From, c.To) {
			c.Label = report.Serialize
		}
	}
}

// Tiles changes the tiles of a trace that lie within the exchange: of each, as much as of all.
func (p *ToPath) Tiles(tiles []report.Tile) []report.Tile {
	var seen, moved [report.LabelCount]time.Duration
	out := make([]report.Tile, 0, len(tiles))
	for _, t := range tiles {
		if !p.has(t.Label, t.From, t.To) {
			out = append(out, t)
			continue
		}
		l := t.Label
		seen[l] += t.To - t.From
		now := part(p.moved[l], min(seen[l], p.waits[l]), p.waits[l]) - moved[l]
		moved[l] += now
		if kept := t; t.To-now > t.From {
			kept.To = t.To - now
			out = append(out, kept)
			t.From = kept.To
		}
		if t.Label = report.Serialize; t.To > t.From {
			out = append(out, t)
		}
	}
	return out
}

// has reports whether a stretch of time is among those of which some change.
func (p *ToPath) has(l report.Label, from, to time.Duration) bool {
	return p.moved[l] > 0 && from >= p.From && to <= p.To
}
