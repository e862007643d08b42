package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/output/wording"
)

// mostUnlike is how many findings are named of which a copy to hand out tells otherwise.
const mostUnlike = 10

// seen is what a report says of one rule and cause, on all sides.
type seen struct {
	count    int
	cost     time.Duration
	severity report.Severity
}

// seenIn is what a report says of each rule and cause; not of the capture itself.
func seenIn(r *report.Report) map[string]seen {
	all := map[string]seen{}
	for i := range r.Stories {
		s := &r.Stories[i]
		if s.Rule == report.CaptureQuality {
			continue
		}
		name := s.Rule
		if s.Cause != "" {
			name += "/" + s.Cause
		}
		sum := all[name]
		sum.count += s.Count
		sum.cost += s.Cost.Expected
		sum.severity = max(sum.severity, s.Severity)
		all[name] = sum
	}
	return all
}

// unlike are sentences without their subject, a copy, about what it shows otherwise than the
// capture did.
func unlike(before, after *report.Report) (all []string) {
	was, is := seenIn(before), seenIn(after)
	var hidden, other []string
	for _, name := range slices.Sorted(maps.Keys(was)) {
		if now, shown := is[name]; !shown {
			hidden = append(hidden, name)
		} else if now != was[name] {
			other = append(other, name+" ("+now.unlike(was[name])+")")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(is)) {
		if _, known := was[name]; !known {
			other = append(other, name+" (not seen before)")
		}
	}
	if len(hidden) > 0 {
		all = append(all, "does not show "+listed(hidden))
	}
	if len(other) > 0 {
		all = append(all, "tells otherwise of "+listed(other))
	}
	return all
}

// unlike says what is otherwise than it was.
func (s seen) unlike(was seen) string {
	var all []string
	for _, both := range [][2]string{
		{wording.Times(s.count), wording.Times(was.count)},
		{wording.Duration(s.cost), wording.Duration(was.cost)},
		{s.severity.String(), was.severity.String()},
	} {
		if both[0] != both[1] {
			all = append(all, both[0]+", not "+both[1])
		}
	}
	if len(all) == 0 {
		return "by less than is shown"
	}
	return strings.Join(all, "; ")
}

// listed are the first of some names.
func listed(all []string) string {
	if more := len(all) - mostUnlike; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(all[:mostUnlike], ", "), more)
	}
	return strings.Join(all, ", ")
}
