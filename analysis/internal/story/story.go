// Package story joins the findings of one rule, cause and side to one story: a setting that is
// wrong at many services is one fault.
package story

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"time"

	"tcpwhy/analysis/internal/grade"
	"tcpwhy/analysis/internal/moments"
	"tcpwhy/analysis/report"
)

const (
	maxShares   = 10  // services, and clients, that a story names
	maxFindings = 100 // findings that a story names
	// weighty is the part of a story's cost, or of its occurrences, with which a finding says how
	// grave the story is at least: a tenth.
	weighty = 10
	// alike is within which factor all services have the same, for there to be one common cause.
	alike = 2
	// leastAlike and leastMany are how many services it takes to say that a story is everywhere, or
	// with few of them.
	leastAlike = 3
	leastMany  = 10
)

// Part is a finding and what its severity rests on.
type Part struct {
	Finding *report.Finding
	grade.Impact
	Most   report.Severity // graded at most so
	Unsafe bool            // a request was not idempotent
	Place  int             // in the report's list; -1: it is not listed
	// some of its exchanges had others beside them on their connection; when it cost time,
	// reordered
	Beside bool
	Lost   []report.Interval
	// exchanges between the two, whatever became of them
	Exchanges int
	// when it was, and when the exchanges between the two began; nil: not known
	Moments, Occasions *moments.Moments
}

// Whole is what a story is a part of.
type Whole struct {
	Exchanges int
	Time      time.Duration              // that clients waited
	Served    func(s netip.AddrPort) int // exchanges of a service
}

// key is what the findings of a story have in common.
type key struct {
	rule, cause string
	side        report.Side
}

// Tell makes stories of findings, which are in the order of the report, the gravest first.
func Tell(parts []Part, w *Whole) []report.Story {
	byKey := map[key][]*Part{}
	var order []key
	for i := range parts {
		f := parts[i].Finding
		k := key{f.Rule, f.Cause, f.Side}
		if byKey[k] == nil {
			order = append(order, k)
		}
		byKey[k] = append(byKey[k], &parts[i])
	}
	all := make([]report.Story, 0, len(order))
	for _, k := range order {
		all = append(all, tell(byKey[k], w))
	}
	slices.SortStableFunc(all, func(a, b report.Story) int {
		return grade.WorstFirst(weight(&a), weight(&b))
	})
	return all
}

// weight is that of a story.
func weight(s *report.Story) grade.Weight {
	return grade.Weight{
		Severity: s.Severity, Broke: s.Broke(), Cost: s.Cost.Expected, Count: s.Count,
	}
}

// tell makes the story of some findings.
func tell(parts []*Part, w *Whole) report.Story {
	slices.SortStableFunc(parts, func(a, b *Part) int {
		return grade.WorstFirst(spent(a.Finding), spent(b.Finding))
	})
	worst := worstOf(parts)
	s := report.Story{
		Rule: worst.Rule, Cause: worst.Cause, Side: worst.Side, Title: worst.Title,
		Message: worst.Message, Remedies: worst.Remedies, References: worst.References,
	}
	for _, p := range parts {
		f := p.Finding
		s.Confidence = max(s.Confidence, f.Confidence)
		s.Count += f.Count
		s.Cost = s.Cost.Add(f.Cost)
		s.Wall, s.Within = s.Wall+f.Wall, s.Within+f.Within
		s.Broken, s.Counted = s.Broken || f.Broken, s.Counted || f.Counted
		s.Affected += f.Affected
	}
	s.Shared = shared(parts)
	s.Severity = severity(parts, &s, w)
	s.When = when(parts)
	s.Findings = places(parts, worst)
	shareOut(&s, parts, w)
	return s
}

// shared is what of the cost of all parts is more than they cost by the clock: see report.Finding.
func shared(parts []*Part) (more time.Duration) {
	var lost []report.Interval
	beside := false
	var cost, once time.Duration
	for _, p := range parts {
		cost, more = cost+p.Finding.Cost.Expected, more+p.Finding.Shared
		beside, lost = beside || p.Beside, append(lost, p.Lost...)
	}
	if len(parts) == 1 || !beside {
		return more
	}
	for _, i := range report.Union(lost) {
		once += i.To - i.From
	}
	return max(more, cost-once)
}

// spent is the weight of a finding by what it took alone.
func spent(f *report.Finding) grade.Weight {
	return grade.Weight{Cost: f.Cost.Expected, Count: f.Count}
}

// worstOf is the finding that is told in full: the gravest of those that weigh something.
func worstOf(parts []*Part) *report.Finding {
	worst := parts[0].Finding
	for _, p := range parts[1:] {
		if p.Finding.Severity > worst.Severity &&
			p.Finding.Cost.Expected*weighty >= worst.Cost.Expected {
			worst = p.Finding
		}
	}
	return worst
}

// when is what is regular about the moments of all parts.
func when(parts []*Part) report.When {
	if len(parts) == 1 {
		return parts[0].Finding.When
	}
	var faults, occasions moments.Moments
	met := map[*moments.Moments]bool{}
	for _, p := range parts {
		if p.Moments == nil || p.Occasions == nil {
			return report.When{}
		}
		faults.Merge(p.Moments)
		if !met[p.Occasions] {
			met[p.Occasions] = true
			occasions.Merge(p.Occasions)
		}
	}
	return moments.Tell(&faults, &occasions)
}

// places are those of the listed findings, the worst first.
func places(parts []*Part, worst *report.Finding) []int {
	var all []int
	for _, p := range parts {
		switch {
		case p.Place < 0:
		case p.Finding == worst:
			all = slices.Insert(all, 0, p.Place)
		default:
			all = append(all, p.Place)
		}
	}
	return all[:min(len(all), maxFindings)]
}

// severity grades a story anew, as part of the whole, within the limits of its findings.
func severity(parts []*Part, s *report.Story, w *Whole) report.Severity {
	all := grade.Impact{Whole: w.Time}
	least, most, unsafe := report.Info, report.Info, false
	for _, p := range parts {
		all.Cost, all.Back = all.Cost+p.Cost, all.Back+p.Back
		all.Worst, all.Rtt = max(all.Worst, p.Worst), max(all.Rtt, p.Rtt)
		all.Affected, all.Took = all.Affected+p.Affected, all.Took+p.Took
		most, unsafe = max(most, p.Most), unsafe || p.Unsafe
		f := p.Finding
		if f.Cost.Expected*weighty >= s.Cost.Expected && f.Cost.Expected > 0 ||
			f.Count*weighty >= s.Count {
			least = max(least, f.Severity)
		}
	}
	graded := report.Info
	switch {
	case len(parts) == 1:
		return least
	case s.Broken:
		graded = grade.OfLost(all.Affected, w.Exchanges, unsafe)
	case s.Cost.Expected > 0:
		graded = all.Severity()
	}
	if s.Confidence == report.ConfidenceLow {
		graded = min(graded, report.Low)
	}
	return max(min(graded, most), least)
}

// shareOut says which services and clients have how much of it.
func shareOut(s *report.Story, parts []*Part, w *Whole) {
	services, clients := map[netip.AddrPort]*share{}, map[netip.Addr]*share{}
	for _, p := range parts {
		f := p.Finding
		of := entry(services, f.Server)
		of.Server = f.Server
		of.add(f, f.Client.String())
		of.Exchanges = w.Served(f.Server)
		by := entry(clients, f.Client)
		by.Client = f.Client
		by.add(f, f.Server.String())
		by.Exchanges += p.Exchanges
	}
	s.Services, s.Clients = len(services), len(clients)
	s.Spread = spread(slices.Collect(maps.Values(services)), s)
	s.WorstServices = worst(slices.Collect(maps.Values(services)))
	s.WorstClients = worst(slices.Collect(maps.Values(clients)))
}

// share is a share that is being added to.
type share struct {
	report.Share
	others map[string]struct{}
	hosts  map[string]struct{}
}

// entry is that of a key, made if need be.
func entry[K comparable](all map[K]*share, k K) *share {
	if all[k] == nil {
		all[k] = &share{others: map[string]struct{}{}, hosts: map[string]struct{}{}}
	}
	return all[k]
}

// add takes in a finding with another party.
func (s *share) add(f *report.Finding, other string) {
	s.Count += f.Count
	s.Cost += f.Cost.Expected
	s.Affected += f.Affected
	s.others[other] = struct{}{}
	s.Others = len(s.others)
	s.hosts[f.Host] = struct{}{}
	if s.Host = ""; len(s.hosts) == 1 && s.Server.IsValid() {
		s.Host = f.Host
	}
}

// compare puts what cost most first, then what came most often, then a fixed order.
func compare(a, b *share) int {
	return cmp.Or(
		grade.WorstFirst(
			grade.Weight{Cost: a.Cost, Count: a.Count},
			grade.Weight{Cost: b.Cost, Count: b.Count},
		),
		a.Server.Compare(b.Server), a.Client.Compare(b.Client))
}

// worst are the shares to be named.
func worst(all []*share) []report.Share {
	slices.SortFunc(all, compare)
	out := make([]report.Share, 0, min(len(all), maxShares))
	for _, s := range all[:min(len(all), maxShares)] {
		out = append(out, s.Share)
	}
	return out
}

// spread is how services share a story: by cost or, where there is none, by how often it was.
func spread(all []*share, s *report.Story) report.Spread {
	if len(all) < 2 {
		return report.OneService
	}
	slices.SortFunc(all, compare)
	of := func(x *share) float64 {
		if s.Cost.Expected > 0 {
			return float64(x.Cost)
		}
		return float64(x.Count)
	}
	rate := func(x *share) float64 { return of(x) / float64(max(x.Exchanges, 1)) }
	byRate := func(a, b *share) int { return cmp.Compare(rate(a), rate(b)) }
	least, most := rate(slices.MinFunc(all, byRate)), rate(slices.MaxFunc(all, byRate))
	if len(all) >= leastAlike && least > 0 && most <= alike*least {
		return report.Everywhere
	}
	var few, whole float64
	for i, x := range all {
		if whole += of(x); i < len(all)/10 {
			few += of(x)
		}
	}
	if len(all) >= leastMany && 2*few >= whole {
		return report.Concentrated
	}
	return report.Uneven
}
