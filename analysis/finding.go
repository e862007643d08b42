package analysis

import (
	"cmp"
	"math/bits"
	"slices"
	"time"

	"tcpwhy/analysis/report"
)

// groupKey is what one fix cures together.
type groupKey struct {
	rule, cause string
	pair        report.Pair
}

// group collects the occurrences of one finding. Adding to it depends on the order of occurrences
// nowhere.
type group struct {
	count        int
	affected     int
	lastAffected int
	cost         report.Cost
	worst        time.Duration   // largest cost of one occurrence
	lateness     []time.Duration // of acknowledgments that ended Nagle holds, the first few
	unheard      unheard
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
	alone        report.Severity // that of the first, if there is but one
	sides        uint8           // who was at fault, a bit each, where the cause does not say
	hosts        map[string]bool
	text         string // what is to be said of the costliest occurrence
	further      string // what a rule has to say of all of them
	seen         report.Products
	occurrences  []report.Occurrence
}

// maxLateness is how many late acknowledgments a finding remembers.
const maxLateness = 16

// book adds a claim to its finding.
func (j *judge) book(m *member, c *claim, job *draft) {
	g := j.groups[groupKey{c.rule, c.cause, m.pair}]
	if g == nil {
		j.trimGroups()
		g = &group{hosts: map[string]bool{}, lastAffected: -2, alone: c.alone.severity()}
		j.groups[groupKey{c.rule, c.cause, m.pair}] = g
	}
	g.count += 1 + c.also
	g.seen.Add(m.seen)
	g.web = g.web || !m.foreign
	g.cost = g.cost.Add(c.occ.Cost)
	g.worst = max(g.worst, c.occ.Cost.Expected)
	g.confidence = max(g.confidence, c.confidence)
	g.counted = g.counted || job != nil && c.occ.Cost.Expected > 0
	g.correctness = g.correctness || c.correctness
	g.unsafe = g.unsafe || c.unsafe
	g.sides |= 1 << c.side
	g.least, g.most = max(g.least, c.least), max(g.most, c.most.severity())
	if c.occ.Exchange >= 0 && c.occ.Exchange != g.lastAffected {
		g.affected++
		g.lastAffected = c.occ.Exchange
		if job != nil {
			g.time += job.info.Duration
		}
	}
	if job != nil {
		g.rtt = max(g.rtt, job.Flow.Rtt)
		if len(g.hosts) < 2 {
			g.hosts[job.info.Host] = true
		}
	}
	if c.lateness > 0 && len(g.lateness) < maxLateness {
		g.lateness = append(g.lateness, c.lateness)
	}
	g.keep(c, j.opts.MaxOccurrences)
	g.unheard.add(c)
	j.tellCertain(groupKey{c.rule, c.cause, m.pair}, g, c)
}

// keep adds the occurrence to those that are listed, if it is among the costliest.
func (g *group) keep(c *claim, limit int) {
	i, same := slices.BinarySearchFunc(g.occurrences, c.occ, compareOccurrences)
	if i == 0 && (!same || c.text < g.text) {
		g.text = c.text
	}
	if limit > 0 && i >= limit {
		return
	}
	if c.evidence != nil {
		c.occ.Evidence = c.evidence()
	}
	g.occurrences = slices.Insert(g.occurrences, i, c.occ)
	if limit > 0 && len(g.occurrences) > limit {
		g.occurrences = g.occurrences[:limit]
	}
}

// compareOccurrences puts the costliest first, then the earliest.
func compareOccurrences(a, b report.Occurrence) int {
	return cmp.Or(
		cmp.Compare(b.Cost.Expected, a.Cost.Expected),
		cmp.Compare(b.Cost.High, a.Cost.High),
		cmp.Compare(
			a.Start,
			b.Start,
		),
		cmp.Compare(a.Connection, b.Connection),
		cmp.Compare(a.Exchange, b.Exchange),
	)
}

// severity grades a group within the limits that its occurrences set.
func (g *group) severity(all *pairTotals) report.Severity {
	graded := min(max(g.graded(all), g.least), g.most)
	if g.count == 1 {
		return min(graded, g.alone)
	}
	return graded
}

// graded grades a group: lost data outranks time; else by what a typical affected exchange loses
// and by the share of all time between the pair. What lasts one round trip is as much as one,
// though one is never as long as the next.
func (g *group) graded(all *pairTotals) report.Severity {
	if g.correctness {
		if g.unsafe || all != nil && all.exchanges > 0 && g.affected*100 >= all.exchanges {
			return report.Critical
		}
		return report.High
	}
	if all == nil || all.exchanges == 0 || g.count == 0 || g.cost.Expected <= 0 {
		return report.Info
	}
	impact := g.cost.Expected / time.Duration(max(g.affected, 1))
	typical := g.time / time.Duration(max(g.affected, 1))
	share := float64(g.cost.Expected) / float64(max(all.time, 1))
	switch {
	case (impact >= 100*time.Millisecond || impact >= max(g.rtt*9/10, typical*3/10)) && share >= 0.10 && impact >= 5*time.Millisecond:
		return report.High
	case impact >= max(20*time.Millisecond, g.rtt/2) && share >= 0.02:
		return report.Medium
	case share >= 0.01 && impact >= time.Millisecond || g.worst >= 20*time.Millisecond:
		return report.Low
	}
	return report.Info
}

// findings draws up all findings, worst first.
func (j *judge) findings() []report.Finding {
	var out []report.Finding
	for k, g := range j.groups {
		if other := j.groups[agesOf(k)]; other != nil && g.confidence < report.ConfidenceHigh {
			continue // they were ages, too
		}
		f := j.finding(k, j.withFirstAges(k, g))
		if f.Severity >= j.opts.MinSeverity {
			out = append(out, f)
		}
	}
	slices.SortFunc(out, compareFindings)
	return out
}

// compareFindings puts lost data first, then the cost that is surest, then a fixed order.
func compareFindings(a, b report.Finding) int {
	return cmp.Or(
		cmp.Compare(
			boolRank(b.Severity == report.Critical),
			boolRank(a.Severity == report.Critical),
		),
		cmp.Compare(
			weight(b),
			weight(a),
		),
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
func (j *judge) seen(p report.Pair, g *group) report.Products {
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
func (j *judge) finding(k groupKey, g *group) report.Finding {
	d := Find(k.rule)
	c := d.cause(k.cause)
	f := report.Finding{
		Rule:        k.rule,
		Cause:       k.cause,
		Title:       d.Title,
		Severity:    g.severity(j.pairs[k.pair]),
		Confidence:  g.confidence,
		Side:        g.side(c),
		Client:      k.pair.Client,
		Server:      k.pair.Server,
		Message:     c.Message,
		Count:       g.count,
		Cost:        g.cost,
		Wall:        g.wallCost(),
		Counted:     g.counted,
		Broken:      g.correctness,
		Affected:    g.affected,
		References:  d.References,
		Remedies:    report.RemediesFor(c.Remedies, j.seen(k.pair, g), g.side(c), g.web),
		Occurrences: g.occurrences,
	}
	if c.Title != "" {
		f.Title = c.Title
	}
	if len(g.hosts) == 1 {
		for h := range g.hosts {
			f.Host = h
		}
	}
	for _, text := range [...]string{g.text, g.further} {
		if text != "" {
			f.Message += " " + text
		}
	}
	return f
}
