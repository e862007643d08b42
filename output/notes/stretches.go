package notes

import (
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
)

// Stretches are the connections with a listed finding, as far as they are listed themselves.
func Stretches(r *report.Report) []capture.Stretch {
	wanted := map[int]bool{}
	for i := range r.Findings {
		for k := range r.Findings[i].Occurrences {
			wanted[r.Findings[i].Occurrences[k].Connection] = true
		}
	}
	var all []capture.Stretch
	for i := range r.Conns {
		if c := &r.Conns[i]; wanted[c.ID] {
			all = append(all, capture.Stretch{
				A: c.Client, B: c.Server, From: c.Start, To: c.Start + c.Duration,
			})
		}
	}
	return all
}
