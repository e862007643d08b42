package output

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"tcpwhy/analysis/report"
)

// group is what a person sees as one finding: one rule and cause at one server, whatever client
// shows it.
type group struct {
	findings []*report.Finding // the costliest first
	severity report.Severity   // the worst
	count    int
	affected int
	cost     report.Cost
	wall     time.Duration
	lossy    bool // data was lost or in danger
	counted  bool // among what was lost
}

// groups gathers the report's findings: first what broke something, then the rest by cost.
func (t *textReport) groups() []*group {
	type key struct {
		rule, cause string
		server      netip.AddrPort
	}
	byKey := map[key]*group{}
	var all []*group
	for i := range t.report.Findings {
		f := &t.report.Findings[i]
		if f.Rule == "capture-quality" {
			continue // told as what the capture could not show
		}
		k := key{f.Rule, f.Cause, f.Server}
		g := byKey[k]
		if g == nil {
			g = &group{}
			byKey[k] = g
			all = append(all, g)
		}
		g.add(f)
	}
	for _, g := range all {
		slices.SortStableFunc(g.findings, func(a, b *report.Finding) int {
			return cmp.Compare(b.Cost.Expected, a.Cost.Expected)
		})
	}
	slices.SortStableFunc(all, func(a, b *group) int {
		return cmp.Or(
			boolOrder(a.broke(), b.broke()),
			cmp.Compare(b.cost.Expected, a.cost.Expected),
			cmp.Compare(b.severity, a.severity),
		)
	})
	return all
}

// broke reports whether the finding is about more than time: data, or what is severe without a cost
// in time.
func (g *group) broke() bool {
	return g.severity == report.Critical ||
		g.severity == report.High && (g.lossy || g.cost.Expected == 0)
}

func (g *group) add(f *report.Finding) {
	g.findings = append(g.findings, f)
	g.severity = max(g.severity, f.Severity)
	g.count += f.Count
	g.affected += f.Affected
	g.cost = g.cost.Add(f.Cost)
	g.wall += f.Wall
	g.lossy = g.lossy || f.Broken
	g.counted = g.counted || f.Counted
}

// worst is the finding that is told in full.
func (g *group) worst() *report.Finding { return g.findings[0] }

func (g *group) title() string { return g.worst().Title }

// costliest are the groups that cost time, by cost: those whose cost is among what was lost, or the
// others.
func costliest(groups []*group, counted bool) []*group {
	var costly []*group
	for _, g := range groups {
		if g.cost.Expected > 0 && g.counted == counted {
			costly = append(costly, g)
		}
	}
	slices.SortStableFunc(
		costly,
		func(a, b *group) int { return cmp.Compare(b.cost.Expected, a.cost.Expected) },
	)
	return costly
}
