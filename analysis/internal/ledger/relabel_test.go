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
	got := Listed(&r, listed)
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
	away := toPause(h, false)
	tiles = away.Tiles(tiles)
	away.Sums(&sums)
	if sums[report.AppPaced] != 40 || tiles[1].Label != report.AppPaced ||
		tiles[2].Label != report.AppPaced || tiles[0].Label != report.Think {
		t.Errorf("the application has %v, tiles %v", sums[report.AppPaced], tiles)
	}
	back := ToHold(report.Interval{From: h.From, To: h.To}, h.RoundTrip, h.Dir)
	tiles = back.Tiles(tiles)
	back.Sums(&sums)
	if !slices.Equal(tiles, was) || sums != before {
		t.Errorf("tiles %v, sums %v, want %v, %v", tiles, sums, was, before)
	}
}

// TestCarriedMeanwhile: of the waits of an exchange as much goes to the path's rate as that was
// busy and does not have yet, in sums and in tiles alike; what else there is stays.
func TestCarriedMeanwhile(t *testing.T) {
	x := report.Interval{From: 100, To: 200}
	times := []report.LabelTime{{Label: report.RoundTrip, Time: 10},
		{Label: report.Serialize, Time: 20}, {Label: report.RTO, Time: 50},
		{Label: report.FastRetx, Time: 20}}
	for _, busy := range []time.Duration{0, 20, 21, 55, 77, 90, 1000} {
		c, moves := CarriedMeanwhile(x, times, busy)
		if moves != (busy > 20) {
			t.Errorf("busy for %d: %t", busy, moves)
		}
		if !moves {
			continue
		}
		var sums, tiled [report.LabelCount]time.Duration
		for _, l := range Listed(&c, times) {
			sums[l.Label] = l.Time
		}
		if got := sums[report.Serialize]; got > min(busy, 90) || got < min(busy, 90)-2 {
			t.Errorf("busy for %d: %d of the path's rate", busy, got)
		}
		tiles := []report.Tile{{Label: report.FastRetx, From: 50, To: 90},
			{Label: report.RoundTrip, From: 100, To: 110}}
		for at := time.Duration(110); at < 160; at += 5 {
			tiles = append(tiles, report.Tile{Label: report.RTO, From: at, To: at + 5})
		}
		tiles = append(tiles, report.Tile{Label: report.FastRetx, From: 160, To: 180},
			report.Tile{Label: report.Serialize, From: 180, To: 200})
		for _, tile := range c.Tiles(tiles)[1:] {
			tiled[tile.Label] += tile.To - tile.From
		}
		if sums != tiled {
			t.Errorf("busy for %d: tiles have %v, sums %v", busy, tiled, sums)
		}
	}
}

// TestRelabelPart: of a tile that joins two waits only the one in question is another.
func TestRelabelPart(t *testing.T) {
	r := toPause(&Hold{Dir: reassembly.FromServer, From: 20, To: 30, RoundTrip: 10}, false)
	got := r.Tiles([]report.Tile{{Label: report.NagleRTT, From: 10, To: 30, Waits: 2}})
	want := []report.Tile{{Label: report.NagleRTT, From: 10, To: 20, Waits: 1},
		{Label: report.AppPaced, From: 20, To: 30, Waits: 1}}
	if !slices.Equal(got, want) {
		t.Errorf("tiles %v, want %v", got, want)
	}
}
