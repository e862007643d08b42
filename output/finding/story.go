package finding

import (
	"cmp"
	"slices"

	"tcpwhy/analysis/report"
)

// StoryID names a story after what it is.
func StoryID(s *report.Story) string {
	return NameOf(s.Rule, s.Cause, s.Side.String())
}

// Worst is the finding of a story that is told in full; nil if none of it is listed.
func Worst(r *report.Report, s *report.Story) *report.Finding {
	if len(s.Findings) == 0 || s.Findings[0] >= len(r.Findings) {
		return nil
	}
	return &r.Findings[s.Findings[0]]
}

// Stories are those that a person sees: what the capture could not show is told apart.
func Stories(r *report.Report) (all []*report.Story) {
	for i := range r.Stories {
		if r.Stories[i].Rule != report.CaptureQuality {
			all = append(all, &r.Stories[i])
		}
	}
	return all
}

// Costliest are the stories that cost time, by cost: those whose cost is among what was lost, or
// the others.
func Costliest(all []*report.Story, counted bool) []*report.Story {
	var costly []*report.Story
	for _, s := range all {
		if s.Cost.Expected > 0 && s.Counted == counted {
			costly = append(costly, s)
		}
	}
	byCost := func(a, b *report.Story) int { return cmp.Compare(b.Cost.Expected, a.Cost.Expected) }
	slices.SortStableFunc(costly, byCost)
	return costly
}
