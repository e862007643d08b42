package text

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"tcpwhy/analysis/report"
	"tcpwhy/output/page"
	"tcpwhy/output/sentence"
	"tcpwhy/output/wording"
)

const maxSlowest = 5

// slowest names the exchanges that took longest, and what they spent their time on.
func (t *textReport) slowest() {
	if len(t.report.Exchanges) == 0 {
		return
	}
	all := make([]*report.ExchangeInfo, 0, len(t.report.Exchanges))
	listed := t.Listed()
	for i := range t.report.Exchanges {
		x := &t.report.Exchanges[i]
		if x.Behind && listed[x.Front] != nil {
			continue // its time is within that of the other
		}
		all = append(all, x)
	}
	byDuration := func(a, b *report.ExchangeInfo) int { return cmp.Compare(b.Duration, a.Duration) }
	slices.SortStableFunc(all, byDuration)
	t.Heading("Slowest exchanges")
	for _, x := range all[:min(maxSlowest, len(all))] {
		label := fmt.Sprintf("%6d  ", x.ID)
		request := wording.Request(x, t.opts.ShowQuery, textTarget-16) + t.Ending(x)
		t.Row(label, page.Plain, request, wording.Duration(x.Duration), page.Plain)
		rest := strings.Repeat(" ", len(label))
		if len(x.Pieces) > 0 {
			t.Para(rest, timeLine(x.Pieces, t.Width-len(label)), page.Cyan)
		}
		t.Para(rest, t.mainLabels(x, t.Width-len(label)), page.Faint)
		t.Para(rest, t.Legs(x, listed), page.Faint)
	}
	t.legend(all[:min(maxSlowest, len(all))])
}

// mainLabels are the parts that took most of the time, as many as fit into room cells.
func (t *textReport) mainLabels(x *report.ExchangeInfo, room int) string {
	line := ""
	for i, part := range sentence.ByTime(x.Times) {
		longer := line + ", " + part.Label.Title() + " " + wording.Duration(part.Time)
		if share := wording.Percent(part.Time, x.Duration); share != "" {
			longer += " (" + strings.ReplaceAll(share, " ", wording.NoBreak) + ")"
		}
		if i == 0 {
			longer = longer[2:]
		}
		if i == 3 || i > 0 && page.Cells(longer) > room {
			break
		}
		line = longer
	}
	return line
}
