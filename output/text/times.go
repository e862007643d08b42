package text

import (
	"fmt"
	"strings"
	"time"

	"tcpwhy/output/page"
	"tcpwhy/output/sentence"
	"tcpwhy/output/wording"
)

const (
	barCells    = 20
	labelCells  = 35 // the longest title of a label
	besideBar   = 58 // columns that the rest of a row with a bar takes
	maxTimeRows = 10
	// a row shows this share of the time at least: one in two hundred
	leastShare = 200
)

// timeTable shows where the time of all exchanges went, the largest share first.
func (t *textReport) timeTable() {
	parts := sentence.ByTime(t.report.ByClock().Times)
	if len(parts) == 0 || t.report.ByClock().Time <= 0 {
		return
	}
	t.Heading("Where the time went")
	shown := 0
	whole := t.report.ByClock().Time
	for shown < min(len(parts), maxTimeRows) && leastShare*parts[shown].Time >= whole {
		shown++
	}
	if shown == len(parts)-1 {
		shown++ // a row for one of them takes no more room than a row for "1 smaller one"
	}
	for _, part := range parts[:shown] {
		t.timeRow(part.Label.Title(), part.Time)
	}
	var others time.Duration
	for _, part := range parts[shown:] {
		others += part.Time
	}
	if others > 0 {
		t.timeRow(wording.Count(len(parts)-shown, "smaller one", "smaller ones"), others)
	}
	t.Para("  ", t.EachForItself(), page.Plain)
}

// timeRow is one bar of the table.
func (t *textReport) timeRow(title string, d time.Duration) {
	whole := t.report.ByClock().Time
	blocks := bar(d, whole, min(barCells, t.Width-besideBar))
	share := wording.Percent(d, whole)
	line := t.Fit(fmt.Sprintf("  %-*s  %s  %5s", labelCells, title, blocks, share))
	figure := wording.Duration(d)
	gap := max(1, t.Width-page.Cells(line)-page.Cells(figure))
	t.Put(line+strings.Repeat(" ", gap)+figure, page.Plain)
	t.Blank()
}

// bar is d's share of whole in blocks, room cells wide; what is not nothing gets half a block at
// least.
func bar(d, whole time.Duration, room int) string {
	halves := int(float64(2*room)*float64(d)/float64(whole) + 0.5)
	halves = min(max(halves, 1), 2*room)
	s := strings.Repeat("█", halves/2) + strings.Repeat("▌", halves%2)
	return s + strings.Repeat(" ", room-halves/2-halves%2)
}
