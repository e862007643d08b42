package text

import (
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/output/wording"
)

// when says when a fault began and ended, and at what intervals it came; "" where nothing is
// regular.
func (t *textReport) when(w report.When) string {
	var s string
	switch {
	case w.Began > 0 && w.Ended > 0:
		s = "began " + t.moment(w.Began, " into the capture") +
			" and ended at " + t.moment(w.Ended, "")
	case w.Began > 0:
		s = "began " + t.moment(w.Began, " into the capture") + " and did not end"
	case w.Ended > 0:
		s = "ended " + t.moment(w.Ended, " into the capture")
	}
	if w.Every == 0 {
		return s
	}
	if s != "" {
		s += "; "
	}
	return s + "came every " + wording.Duration(twoDigits(w.Every))
}

// twoDigits is d rounded to two significant digits: intervals differ by more than the third.
func twoDigits(d time.Duration) time.Duration {
	unit := time.Duration(1)
	for unit*100 <= d {
		unit *= 10
	}
	return d.Round(unit)
}

// moment is a time of the capture, with what follows it, and of the day if that is known.
func (t *textReport) moment(at time.Duration, behind string) string {
	s := wording.Duration(at) + behind
	if start := t.report.Capture.Start; !start.IsZero() {
		s += " (" + start.Add(at).UTC().Format("15:04:05") + wording.NoBreak + "UTC)"
	}
	return s
}
