package rule

import (
	"time"

	"tcpwhy/analysis/report"
)

// Move changes sums of time by label.
func (r *Relabelled) Move(times *[report.LabelCount]time.Duration) {
	times[r.Now[0]] += r.Border - r.From
	times[r.Now[1]] += r.To - r.Border
	times[r.Was] -= r.To - r.From
}

// MoveListed changes a list of such sums.
func (r *Relabelled) MoveListed(times []report.LabelTime) []report.LabelTime {
	var all [report.LabelCount]time.Duration
	for _, t := range times {
		all[t.Label] = t.Time
	}
	r.Move(&all)
	return report.LabelTimes(&all)
}

// Label is that of time that ends at the given moment.
func (r *Relabelled) Label(to time.Duration) report.Label {
	if to <= r.Border {
		return r.Now[0]
	}
	return r.Now[1]
}

// Covers reports whether a stretch of time with a label is of what was relabelled.
func (r *Relabelled) Covers(l report.Label, from, to time.Duration) bool {
	return l == r.Was && from >= r.From && to <= r.To
}
