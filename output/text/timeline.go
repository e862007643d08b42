package text

import (
	"strings"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/output/page"
	"tcpwhy/output/wording"
)

// glyph is the character that stands for a label on the line of an exchange's time. Capital letters
// are waits that a finding may explain.
func glyph(l report.Label) byte {
	const glyphs = "?!_dVhHYtvlxas1-q=~SICRMWZFTPLUnNDKp#c.,BQOXJ:)|"
	return glyphs[l]
}

// timeLine is an exchange's time from left to right, room characters wide: each is the label that
// got most of its part.
func timeLine(pieces []report.Piece, room int) string {
	if len(pieces) == 0 || room < 1 {
		return ""
	}
	start, end := pieces[0].From, pieces[len(pieces)-1].To
	line := make([]byte, room)
	next := 0
	for i := range line {
		from, to := part(start, end, i, room), part(start, end, i+1, room)
		for next+1 < len(pieces) && pieces[next].To <= from {
			next++
		}
		line[i] = glyph(most(pieces[next:], from, to))
	}
	return string(line)
}

// part is where the given one of n equal parts of the time from start to end begins.
func part(start, end time.Duration, i, n int) time.Duration {
	return start + time.Duration(float64(end-start)*float64(i)/float64(n))
}

// most is the label of the piece that covers most of the time between from and to.
func most(pieces []report.Piece, from, to time.Duration) report.Label {
	best, label := time.Duration(-1), pieces[0].Label
	for _, p := range pieces {
		if p.From >= to {
			break
		}
		if covered := min(p.To, to) - max(p.From, from); covered > best {
			best, label = covered, p.Label
		}
	}
	return label
}

// legend says what the characters on the lines stand for.
func (t *textReport) legend(exchanges []*report.ExchangeInfo) {
	var used [256]bool
	for _, x := range exchanges {
		for _, c := range []byte(timeLine(x.Pieces, t.Width-8)) {
			used[c] = true
		}
	}
	var words []string
	for _, l := range report.Labels() {
		if used[glyph(l)] {
			meaning := strings.ReplaceAll(l.Title(), " ", wording.NoBreak)
			words = append(words, string(glyph(l))+wording.NoBreak+meaning)
		}
	}
	if len(words) == 0 {
		return
	}
	t.Blank()
	t.Para("  ", "From left to right: "+strings.Join(words, "; "), page.Faint)
}
