package ledger

import (
	"slices"
	"testing"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

// TestToHold: time that had gone to the application goes to a hold, up to a border to one label and
// behind it to another, in every view, and nothing else does.
func TestToHold(t *testing.T) {
	r := ToHold(report.Interval{From: 10, To: 50}, 10, reassembly.FromClient)
	listed := []report.LabelTime{{Label: report.ReqApp, Time: 60},
		{Label: report.NagleDelack, Time: 5}}
	got := r.Listed(listed)
	want := map[report.Label]time.Duration{
		report.ReqApp: 20, report.NagleRTT: 10, report.NagleDelack: 35}
	if len(got) != len(want) || listed[0].Time != 60 {
		t.Errorf("got %v of %v, want %v", got, listed, want)
	}
	for _, l := range got {
		if want[l.Label] != l.Time {
			t.Errorf("%s has %v, want %v", l.Label, l.Time, want[l.Label])
		}
	}
	pieces := []report.Piece{{Label: report.ReqApp, From: 0, To: 10},
		{Label: report.ReqApp, From: 10, To: 20}, {Label: report.ReqApp, From: 20, To: 50},
		{Label: report.Think, From: 20, To: 50}, {Label: report.ReqApp, From: 20, To: 51}}
	r.Pieces(pieces)
	labels := []report.Label{report.ReqApp, report.NagleRTT, report.NagleDelack, report.Think,
		report.ReqApp}
	for i, p := range pieces {
		if p.Label != labels[i] {
			t.Errorf("piece %d has %s, want %s", i, p.Label, labels[i])
		}
	}
}

// TestRelabelUndone: a hold that goes to the application and back leaves every view as it was.
func TestRelabelUndone(t *testing.T) {
	h := &Hold{Dir: reassembly.FromServer, From: 10, To: 50, RoundTrip: 10, Delayed: 30}
	was := []report.Tile{{Label: report.Think, From: 0, To: 10},
		{Label: report.NagleRTT, From: 10, To: 20}, {Label: report.NagleDelack, From: 20, To: 50}}
	tiles := slices.Clone(was)
	sums := [report.LabelCount]time.Duration{report.NagleRTT: 10, report.NagleDelack: 40}
	before := sums
	away := toPause(h)
	away.Tiles(tiles)
	away.Sums(&sums)
	if sums[report.AppPaced] != 40 || tiles[1].Label != report.AppPaced ||
		tiles[2].Label != report.AppPaced || tiles[0].Label != report.Think {
		t.Errorf("the application has %v, tiles %v", sums[report.AppPaced], tiles)
	}
	back := ToHold(report.Interval{From: h.From, To: h.To}, h.RoundTrip, h.Dir)
	back.Tiles(tiles)
	back.Sums(&sums)
	if !slices.Equal(tiles, was) || sums != before {
		t.Errorf("tiles %v, sums %v, want %v, %v", tiles, sums, was, before)
	}
}
