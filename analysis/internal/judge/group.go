package judge

import (
	"cmp"
	"math/bits"
	"slices"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// group collects the occurrences of one finding. Adding to it depends on the order of occurrences
// nowhere; but the cost by the clock on the wall of failures, which come in the order in which they
// were over, does.
type group struct {
	count    int
	affected int // exchanges
	cost     report.Cost
	worst    time.Duration // largest cost of one occurrence
	// end of the latest failure whose cost by the clock on the wall is known
	failedUntil time.Duration
	// cost by the clock on the wall, and the expected cost for which that is known
	wall, walled time.Duration
	time         time.Duration // duration of the affected exchanges
	rtt          time.Duration
	confidence   report.Confidence
	web          bool // the protocol of some may be HTTP
	counted      bool // its cost is part of what the report says was lost
	correctness  bool
	unsafe       bool
	least, most  report.Severity // limits of the severity
	alone        report.Severity // its limit if there is but one occurrence
	sides        uint8           // who was at fault, a bit each, where the cause does not say
	hosts        map[string]bool
	says         []rule.Said // of the costliest occurrence
	further      []rule.Said // what a rule has to say of all of them
	seen         report.Products
	occurrences  []rule.Occurrence
}

// Book adds a claim to its finding.
func (j *Judge) Book(s rule.Subject, c *rule.Claim) { j.bookOf(s, c, nil) }

// bookOf is book for a claim of m's own; one about a failure waits until its repetition may have
// been seen.
func (j *Judge) bookOf(s rule.Subject, c *rule.Claim, m *member) {
	switch {
	case c.Failure == nil:
		j.add(s, c)
	case c.Repeated != nil:
		j.await(s, c, &failure{Failure: *c.Failure, Repetition: c.Repeated})
	case m != nil:
		j.await(s, c, m.failure)
	}
}

// add adds a claim to its finding, now.
func (j *Judge) add(s rule.Subject, c *rule.Claim) {
	k := rule.Key{Rule: c.Rule, Cause: c.Cause, Pair: s.Pair}
	g := j.groups[k]
	if g == nil {
		j.trimGroups()
		g = &group{hosts: map[string]bool{}, alone: report.Critical}
		j.groups[k] = g
	}
	g.count += 1 + c.Also
	g.seen.Add(s.Seen)
	g.web = g.web || !s.Foreign
	g.cost = g.cost.Add(c.Occ.Cost)
	g.worst = max(g.worst, c.Occ.Cost.Expected)
	g.confidence = max(g.confidence, c.Confidence)
	g.counted = g.counted || s.Known && c.Occ.Cost.Expected > 0
	g.correctness = g.correctness || c.Correctness
	g.unsafe = g.unsafe || c.Unsafe
	g.sides |= 1 << c.Side
	g.least, g.most = max(g.least, c.Least), max(g.most, c.Most.Severity())
	g.alone = min(g.alone, c.Alone.Severity())
	if c.Occ.Exchange >= 0 && !c.Occ.Again {
		g.affected++
		g.time += s.Took
	}
	if s.Known {
		g.rtt = max(g.rtt, s.Rtt)
		if len(g.hosts) < 2 {
			g.hosts[s.Host] = true
		}
	}
	g.keep(c, j.limits.MaxOccurrences, j.named[c.Rule])
	for _, a := range j.across {
		if w, ok := a.Across.(rule.Witness); ok && j.named[c.Rule] != nil &&
			j.named[c.Rule].Across == a.Comparison {
			w.Booked(&s, c)
		}
	}
	j.tellCertain(k, g, c)
}

// keep adds the occurrence to those that are listed, if it is among the costliest.
func (g *group) keep(c *rule.Claim, limit int, d *rule.Detector) {
	i, same := slices.BinarySearchFunc(g.occurrences, c.Occ, rule.CompareOccurrences)
	if i == 0 && (!same ||
		rule.Sentences(c.Says, d.Vocabulary) < rule.Sentences(g.says, d.Vocabulary)) {
		g.says = c.Says
	}
	if limit > 0 && i >= limit {
		return
	}
	g.occurrences = slices.Insert(g.occurrences, i, c.Occ)
	if limit > 0 && len(g.occurrences) > limit {
		g.occurrences = g.occurrences[:limit]
	}
}

// severity grades a group within the limits that its occurrences set.
func (g *group) severity(all *pairTotals) report.Severity {
	graded := min(max(g.graded(all), g.least), g.most)
	if g.count == 1 {
		return min(graded, g.alone)
	}
	return graded
}

// The bounds of severity. An impact is what a typical affected exchange loses, a share is that of
// all time between the pair.
const (
	// A tenth of a second is where a person begins to notice (Nielsen, Usability Engineering,
	// 1993).
	highImpact = 100 * time.Millisecond
	// So many percent of a round trip, or of the time of an affected exchange, are as much on paths
	// and of exchanges that are short, but never less than highLeast.
	highTrip     = 90
	highExchange = 30
	highLeast    = 5 * time.Millisecond
	highShare    = 0.10
	// mediumTrip is in percent of a round trip.
	mediumImpact = 20 * time.Millisecond
	mediumTrip   = 50
	mediumShare  = 0.02
	// A single occurrence of lowWorst is worth a word, however rare.
	lowImpact = time.Millisecond
	lowWorst  = 20 * time.Millisecond
	lowShare  = 0.01
	// criticalShare is of how many percent of the exchanges data must be lost, or in danger.
	criticalShare = 1
)

// graded grades a group: lost data outranks time; else by what a typical affected exchange loses
// and by the share of all time between the pair. What lasts one round trip is as much as one,
// though one is never as long as the next.
func (g *group) graded(all *pairTotals) report.Severity {
	if g.correctness {
		often := all != nil && all.Exchanges > 0 && g.affected*100 >= all.Exchanges*criticalShare
		if g.unsafe || often {
			return report.Critical
		}
		return report.High
	}
	if all == nil || all.Exchanges == 0 || g.count == 0 || g.cost.Expected <= 0 {
		return report.Info
	}
	impact := g.cost.Expected / time.Duration(max(g.affected, 1))
	typical := g.time / time.Duration(max(g.affected, 1))
	share := float64(g.cost.Expected) / float64(max(all.Time, 1))
	grave := max(g.rtt*highTrip/100, typical*highExchange/100)
	switch {
	case impact >= min(highImpact, grave) && impact >= highLeast && share >= highShare:
		return report.High
	case impact >= max(mediumImpact, g.rtt*mediumTrip/100) && share >= mediumShare:
		return report.Medium
	case impact >= lowImpact && share >= lowShare || g.worst >= lowWorst:
		return report.Low
	}
	return report.Info
}

// reported draws up all findings, worst first.
func (j *Judge) reported() []report.Finding {
	var out []report.Finding
	for k, g := range j.groups {
		if j.joined(k, g) != nil {
			continue
		}
		f := j.finding(k, j.withJoined(k, g))
		if f.Severity >= j.limits.MinSeverity {
			out = append(out, f)
		}
	}
	slices.SortFunc(out, compareFindings)
	return out
}

// joined is the group to which the occurrences of g belong; nil if that is g.
func (j *Judge) joined(k rule.Key, g *group) *group {
	cause, joins := j.named[k.Rule].Joins[k.Cause]
	if !joins || g.confidence >= report.ConfidenceHigh {
		return nil
	}
	return j.groups[rule.Key{Rule: k.Rule, Cause: cause, Pair: k.Pair}]
}

// withJoined is the group with the occurrences of those that belong to it.
func (j *Judge) withJoined(k rule.Key, g *group) *group {
	all := *g
	for cause := range j.named[k.Rule].Joins {
		from := rule.Key{Rule: k.Rule, Cause: cause, Pair: k.Pair}
		o := j.groups[from]
		if o == nil || j.joined(from, o) != g {
			continue
		}
		all.count, all.affected = g.count+o.count, g.affected+o.affected
		all.cost, all.worst = g.cost.Add(o.cost), max(g.worst, o.worst)
		all.time, all.wall, all.walled = g.time+o.time, g.wall+o.wall, g.walled+o.walled
		all.occurrences = slices.Concat(g.occurrences, o.occurrences)
		slices.SortFunc(all.occurrences, rule.CompareOccurrences)
		if limit := j.limits.MaxOccurrences; limit > 0 && len(all.occurrences) > limit {
			all.occurrences = all.occurrences[:limit]
		}
	}
	return &all
}

// compareFindings puts lost data first, then the cost that is surest, then a fixed order.
func compareFindings(a, b report.Finding) int {
	return cmp.Or(
		cmp.Compare(boolRank(b.Severity == report.Critical),
			boolRank(a.Severity == report.Critical)),
		cmp.Compare(weight(b), weight(a)),
		cmp.Compare(b.Severity, a.Severity),
		cmp.Compare(a.Rule, b.Rule),
		cmp.Compare(a.Cause, b.Cause),
		a.Client.Compare(b.Client),
		a.Server.Compare(b.Server),
	)
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}

// weight is the cost times how sure it is.
func weight(f report.Finding) float64 {
	sure := [...]float64{0.4, 0.65, 0.9, 1}
	return float64(f.Cost.Expected) * sure[f.Confidence]
}

// seen is which products the affected connections showed; for an end that none of them showed, what
// others did.
func (j *Judge) seen(p report.Pair, g *group) report.Products {
	if all := j.pairs[p]; all != nil {
		return g.seen.Or(all.seen)
	}
	return g.seen
}

// side is who is at fault: always the same by the cause, or in all of the group.
func (g *group) side(c *report.Cause) report.Side {
	if c.Side == report.SideUnknown && bits.OnesCount8(g.sides) == 1 {
		return report.Side(bits.TrailingZeros8(g.sides))
	}
	return c.Side
}

// finding draws up one finding.
func (j *Judge) finding(k rule.Key, g *group) report.Finding {
	d := j.named[k.Rule]
	c := d.Cause(k.Cause)
	f := report.Finding{
		Rule:        k.Rule,
		Cause:       k.Cause,
		Title:       d.Title,
		Severity:    g.severity(j.pairs[k.Pair]),
		Confidence:  g.confidence,
		Side:        g.side(c),
		Client:      k.Pair.Client,
		Server:      k.Pair.Server,
		Message:     c.Message,
		Count:       g.count,
		Cost:        g.cost,
		Wall:        g.wallCost(),
		Counted:     g.counted,
		Broken:      g.correctness,
		Affected:    g.affected,
		References:  d.References,
		Remedies:    report.RemediesFor(c.Remedies, j.seen(k.Pair, g), g.side(c), g.web),
		Occurrences: listed(d, g.occurrences),
	}
	if c.Title != "" {
		f.Title = c.Title
	}
	if len(g.hosts) == 1 {
		for h := range g.hosts {
			f.Host = h
		}
	}
	if text := rule.Sentences(slices.Concat(g.says, g.further), d.Vocabulary); text != "" {
		f.Message += " " + text
	}
	return f
}
