package text

import (
	"strings"
	"testing"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/output/internal/sample"
	"tcpwhy/output/page"
	"tcpwhy/output/wording"
)

const ms = time.Millisecond

// TestGlyphs: every label has a character of its own.
func TestGlyphs(t *testing.T) {
	seen := map[byte]report.Label{}
	for _, l := range report.Labels() {
		g := glyph(l)
		if other, twice := seen[g]; twice || g <= ' ' || g > '~' {
			t.Errorf("%s is %q, as %s", l, g, other)
		}
		seen[g] = l
	}
}

func TestTimeLine(t *testing.T) {
	piece := func(l report.Label, from, to int) report.Piece {
		return report.Piece{Label: l, From: time.Duration(from) * ms, To: time.Duration(to) * ms}
	}
	tests := []struct {
		name   string
		pieces []report.Piece
		room   int
		want   string
	}{
		{"nothing", nil, 10, ""},
		{"one label", []report.Piece{piece(report.Think, 5, 25)}, 4, "ssss"},
		{
			"in order",
			[]report.Piece{
				piece(report.RoundTrip, 100, 110),
				piece(report.NagleDelack, 110, 150),
				piece(report.Think, 150, 200),
			},
			20,
			"--NNNNNNNNssssssssss",
		},
		{
			"less than half a character",
			[]report.Piece{piece(report.RoundTrip, 0, 1), piece(report.Think, 1, 100)},
			10,
			"ssssssssss",
		},
		{"no time at all", []report.Piece{piece(report.RTO, 3, 3)}, 3, "TTT"},
	}
	for _, tt := range tests {
		if got := timeLine(tt.pieces, tt.room); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestSlowestLines: the report draws the time of the slowest, and explains every character it drew.
func TestSlowestLines(t *testing.T) {
	r := sample.Report()
	r.Exchanges[0].Pieces = []report.Piece{
		{Label: report.RoundTrip, From: 0, To: 149 * ms},
		{Label: report.NagleDelack, From: 149 * ms, To: 834 * ms},
	}
	var b strings.Builder
	if err := Write(&b, r, Options{Page: page.Options{ASCII: true}}); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, want := range []string{
		"        -------------NNNNN", "- round trips; N Nagle hold, waiting for a late ACK",
		"615 ms (74 %)",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the report lacks %q:\n%s", want, text)
		}
	}
}

// TestWallClockText: what ran in parallel is said where it makes a difference, and only there.
func TestWallClockText(t *testing.T) {
	said := map[time.Duration]bool{200 * ms: true, 600 * ms: false, 615 * ms: false}
	for wall, want := range said {
		r := sample.Report()
		r.Stories[0].Wall = wall
		var b strings.Builder
		if err := Write(&b, r, Options{}); err != nil {
			t.Fatal(err)
		}
		text := strings.Join(strings.Fields(b.String()), " ")
		if got := strings.Contains(text, spokenPlain(wall)+" of it with no other request under way"); got != want {
			t.Errorf("%v by the clock of 615 ms: said %v, want %v", wall, got, want)
		}
	}
}

func spokenPlain(d time.Duration) string {
	return strings.ReplaceAll(wording.Duration(d), wording.NoBreak, " ")
}
