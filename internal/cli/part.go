package cli

import (
	"fmt"
	"strings"
	"time"

	"tcpwhy/analysis"
)

// part is which part of a capture is counted.
type part struct{ from, to moment }

// moment is a flag for a moment: so long after the first frame, a time of day, or both date and
// time. Without a zone it is UTC, as in reports.
type moment struct {
	analysis.Moment
	text string
}

// String is what was given.
func (m *moment) String() string { return m.text }

// Type names it for --help.
func (m *moment) Type() string { return "time" }

// layouts are those of dates with a time, with a fraction of a second or without.
var layouts = [...]string{
	time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04",
}

// Set reads a moment.
func (m *moment) Set(text string) error {
	*m = moment{text: text}
	for _, layout := range layouts {
		if at, err := time.Parse(layout, text); err == nil {
			m.At = at
			return nil
		}
	}
	for _, layout := range []string{"15:04:05", "15:04"} {
		if at, err := time.Parse(layout, text); err == nil {
			m.OfDay, m.After = true, at.Sub(at.Truncate(24*time.Hour))
			return nil
		}
	}
	after := seconds{&m.After}
	if err := after.Set(strings.TrimPrefix(text, "+")); err != nil || m.After < 0 {
		return fmt.Errorf("%q is no time; 90, 1m30s, 14:05:09 and 2026-03-14T14:05:09Z are", text)
	}
	return nil
}

// span is the part as the analysis takes it.
func (p *part) span() analysis.Span { return analysis.Span{From: p.from.Moment, To: p.to.Moment} }
