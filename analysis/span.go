package analysis

import (
	"slices"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
)

// Span is a part of a capture: exchanges that end in it are counted, and what happens in it. What
// lies before is read all the same, so that windows, idle times and hosts are known; what lies behind
// is not read, as if the capture had ended.
type Span struct{ From, To Moment }

// Moment is a time, or so long after the first frame or after midnight. Its zero value is neither.
type Moment struct {
	At    time.Time
	After time.Duration
	OfDay bool // After is since midnight (UTC) of the day of the first frame, or of the next
}

// isSet reports whether there is a moment.
func (m Moment) isSet() bool { return !m.At.IsZero() || m.After > 0 || m.OfDay }

// since is m since the first frame, which came at start.
func (m Moment) since(start time.Time) time.Duration {
	const day = 24 * time.Hour
	switch {
	case !m.At.IsZero():
		return m.At.Sub(start)
	case !m.OfDay:
		return m.After
	}
	d := m.After - start.Sub(start.UTC().Truncate(day))
	if d < -day/2 { // the capture goes on after midnight
		d += day
	}
	return d
}

// within is where a capture is counted, once it has begun.
func (s Span) within(st *capture.Stats) (from, to time.Duration) {
	to = report.EndOfTime
	if st.Start.IsZero() {
		return from, to
	}
	if s.From.isSet() {
		from = s.From.since(st.Start)
	}
	if s.To.isSet() {
		to = s.To.since(st.Start)
	}
	return from, to
}

// asWhole is the account of a capture that was read as far as was asked for: what was not read is not
// missing.
func asWhole(st *capture.Stats) *capture.Stats {
	whole := *st
	whole.Inputs = slices.Clone(st.Inputs)
	for i := range whole.Inputs {
		whole.Inputs[i].Complete = whole.Inputs[i].Complete || whole.Inputs[i].Error == ""
	}
	return &whole
}
