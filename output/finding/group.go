package finding

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"tcpwhy/analysis/report"
)

// Group is what a person sees as one finding: one rule and cause at one server, whatever client
// shows it.
type Group struct {
	Findings []*report.Finding // the costliest first
	Severity report.Severity   // the worst
	Count    int
	Affected int
	Cost     report.Cost
	Wall     time.Duration
	Within   time.Duration // the part of the expected cost that lies within exchanges
	Lossy    bool          // data was lost or in danger
	counted  bool          // among what was lost
}

// Groups gathers findings: the gravest first, of equals what broke something, then by cost and
// count. What the capture could not show is no finding to a person.
func Groups(findings []report.Finding) []*Group {
	type key struct {
		rule, cause string
		server      netip.AddrPort
	}
	byKey := map[key]*Group{}
	var all []*Group
	for i := range findings {
		f := &findings[i]
		if f.Rule == report.CaptureQuality {
			continue
		}
		k := key{f.Rule, f.Cause, f.Server}
		g := byKey[k]
		if g == nil {
			g = &Group{}
			byKey[k] = g
			all = append(all, g)
		}
		g.add(f)
	}
	order(all)
	return all
}

// order sorts groups, and the findings of each.
func order(all []*Group) {
	for _, g := range all {
		slices.SortStableFunc(g.Findings, func(a, b *report.Finding) int {
			return cmp.Compare(b.Cost.Expected, a.Cost.Expected)
		})
	}
	slices.SortStableFunc(all, func(a, b *Group) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(b.rank(), a.rank()),
			cmp.Compare(b.Cost.Expected, a.Cost.Expected), cmp.Compare(b.Count, a.Count))
	})
}

// Broke reports whether the finding is about more than time: data, or what is severe without a cost
// in time.
func (g *Group) Broke() bool {
	return g.Severity == report.Critical ||
		g.Severity == report.High && (g.Lossy || g.Cost.Expected == 0)
}

// rank is higher for a group that broke something.
func (g *Group) rank() int {
	if g.Broke() {
		return 1
	}
	return 0
}

// add takes in a finding.
func (g *Group) add(f *report.Finding) {
	g.Findings = append(g.Findings, f)
	g.Severity = max(g.Severity, f.Severity)
	g.Count += f.Count
	g.Affected += f.Affected
	g.Cost = g.Cost.Add(f.Cost)
	g.Wall += f.Wall
	g.Within += f.Within
	g.Lossy = g.Lossy || f.Broken
	g.counted = g.counted || f.Counted
}

// Worst is the finding that is told in full.
func (g *Group) Worst() *report.Finding { return g.Findings[0] }

// Title is what the finding is called.
func (g *Group) Title() string { return g.Worst().Title }

// Costliest are the groups that cost time, by cost: those whose cost is among what was lost, or the
// others.
func Costliest(groups []*Group, counted bool) []*Group {
	var costly []*Group
	for _, g := range groups {
		if g.Cost.Expected > 0 && g.counted == counted {
			costly = append(costly, g)
		}
	}
	byCost := func(a, b *Group) int { return cmp.Compare(b.Cost.Expected, a.Cost.Expected) }
	slices.SortStableFunc(costly, byCost)
	return costly
}
