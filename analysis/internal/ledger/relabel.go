package ledger

import (
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

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

// toPause gives the time of a hold that was none of Nagle's algorithm to the application.
func toPause(h *Hold) Relabelling {
	pause := Pause(h.Dir)
	return Relabelling{
		Interval: report.Interval{From: h.From, To: h.To},
		Border:   h.From + h.RoundTrip,
		Was:      nagleLabels,
		Now:      [2]report.Label{pause, pause},
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

// Sums changes sums of time by label.
func (r *Relabelling) Sums(times *[report.LabelCount]time.Duration) {
	for i, length := range [...]time.Duration{r.Border - r.From, r.To - r.Border} {
		times[r.Was[i]] -= length
		times[r.Now[i]] += length
	}
}

// Listed is a list of such sums, changed. The list itself stays as it is: a report may have it.
func (r *Relabelling) Listed(times []report.LabelTime) []report.LabelTime {
	var all [report.LabelCount]time.Duration
	for _, t := range times {
		all[t.Label] = t.Time
	}
	r.Sums(&all)
	return report.LabelTimes(&all)
}

// Pieces changes the pieces of an exchange that lie within the time.
func (r *Relabelling) Pieces(pieces []report.Piece) {
	for i := range pieces {
		p := &pieces[i]
		p.Label = r.label(p.Label, p.From, p.To)
	}
}

// Tiles changes the tiles of a trace that lie within the time.
func (r *Relabelling) Tiles(tiles []report.Tile) {
	for i := range tiles {
		t := &tiles[i]
		t.Label = r.label(t.Label, t.From, t.To)
	}
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
