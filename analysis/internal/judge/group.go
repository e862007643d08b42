package judge

import (
	"cmp"
	"math/bits"
	"slices"
	"time"

	"tcpwhy/analysis/internal/grade"
	"tcpwhy/analysis/internal/moments"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/story"
	"tcpwhy/analysis/report"
)

// group collects the occurrences of one finding. Adding to it depends on the order of occurrences
// nowhere; but the cost by the clock on the wall of failures, which come in the order in which they
// were over, does.
type group struct {
	count    int
	affected int // exchanges
	cost     report.Cost
	worst    time.Duration // largest cost of a single wait
	within   time.Duration // the part of the expected cost that lies within exchanges
	clocked
	time       time.Duration // duration of the affected exchanges
	rtt        time.Duration
	confidence report.Confidence
	spoken
	counted     bool          // its cost is part of what the report says was lost
	doubted     time.Duration // but for so much of it, of which nothing is promised
	correctness bool
	unsafe      bool
	least, most report.Severity // limits of the severity
	alone       report.Severity // its limit if there is but one occurrence
	sides       uint8           // who was at fault, a bit each, where the cause does not say
	hosts       map[string]bool
	says        []rule.Said // of the costliest occurrence
	further     []rule.Said // what a rule has to say of all of them
	seen        report.Products
	occurrences []rule.Occurrence
	moments     moments.Moments // of all occurrences
}

// clocked is what a finding cost by the clock on the wall, as far as that is known.
type clocked struct {
	wall, walled time.Duration // cost by the clock, and the expected cost for which that is known
	lost         lostTime
	beside       bool // some of its exchanges had others beside them on their connection
	late         lateClaims
	failedUntil  time.Duration // end of the latest failure whose cost by the clock is known
}

// spoken is what the connections of a finding carry, and what their kernels say of it.
type spoken struct {
	web    bool // the protocol of some may be HTTP
	serial bool // some may carry one request at a time
	heard  heard
}

// Book adds a claim to its finding.
func (j *Judge) Book(s rule.Subject, c *rule.Claim) { j.bookOf(s, c, nil) }

// bookOf is book for a claim of m's own; one about a failure waits until its repetition may have
// been seen.
func (j *Judge) bookOf(s rule.Subject, c *rule.Claim, m *member) {
	if j.postpone(s, c, m) || j.followed(c) {
		return
	}
	switch {
	case c.Failure == nil:
		j.clock.claimed.room(c, within(&s, c))
		j.add(s, c)
		j.late(&s, c)
		j.showLoss(&s, c)
	case c.Repeated != nil:
		j.await(s, c, j.repeatedAs(c, m))
	case m != nil:
		j.await(s, c, m.failureOf(c))
	default:
		j.await(s, c, j.retry.takeReferred(c))
	}
}

// repeatedAs is the failure of a claim whose rule knows the repetition; it is counted as repeated,
// if that has not been seen before.
func (j *Judge) repeatedAs(c *rule.Claim, m *member) *failure {
	if m == nil {
		known := j.retry.takeReferred(c)
		if _, behind := j.proxied.behind.of[c.Occ.Exchange]; known.Repetition == nil && !behind {
			j.tally.Repeated(c.Failure.Outcome)
		}
	}
	return &failure{Failure: *c.Failure, Repetition: c.Repeated}
}

// bookJudged is Book for a claim about an exchange that is just being judged: the clock on the wall
// takes it in with the exchange.
func (j *Judge) bookJudged(s rule.Subject, c *rule.Claim, m *member) {
	switch {
	case c.Failure == nil:
		j.add(s, c)
	case m.streams[c.Index] != nil:
		j.bookOf(s, c, m)
	default:
		j.Book(s, c)
	}
}

// add adds a claim to its finding, now.
func (j *Judge) add(s rule.Subject, c *rule.Claim) {
	if j.From > 0 && c.Occ.End <= j.From {
		return
	}
	k := rule.Key{Rule: c.Rule, Cause: c.Cause, Pair: s.Pair}
	g := j.groups[k]
	if g == nil {
		j.trimGroups()
		g = &group{hosts: map[string]bool{}, alone: report.Critical}
		j.groups[k] = g
	}
	g.count += 1 + c.Also
	g.moments.Add(c.Occ.Start)
	j.Crowd.taken += c.Occ.Taken
	g.seen.Add(s.Seen)
	g.web = g.web || !s.Foreign
	g.beside = g.beside || j.clock.claimed.of[c.Occ.Exchange].shared ||
		c.Occ.Exchange < 0 && s.Multiplexed
	g.serial = g.serial || !s.Multiplexed
	g.cost = g.cost.Add(c.Occ.Cost)
	g.worst = max(g.worst, single(&s, c))
	g.confidence = max(g.confidence, c.Confidence)
	if isDoubtful(*c) {
		g.doubted += c.Occ.Cost.Expected
	} else {
		g.counted = g.counted || s.Known && c.Occ.Cost.Expected > 0
	}
	g.correctness = g.correctness || c.Correctness
	g.unsafe = g.unsafe || c.Unsafe
	g.sides |= 1 << c.Side
	g.least, g.most = max(g.least, c.Least), max(g.most, c.Most.Severity())
	g.alone = min(g.alone, c.Alone.Severity())
	if c.Occ.Exchange >= 0 && !c.Occ.Again {
		g.affected += 1 + c.Others
		g.time += s.Took
	}
	g.within += min(c.Occ.Cost.Expected, within(&s, c))
	if s.Known {
		g.rtt = max(g.rtt, s.Rtt)
		if len(g.hosts) < 2 {
			g.hosts[s.Host] = true
		}
	}
	g.keep(c, j.limits.MaxOccurrences, j.named[c.Rule])
	j.fences.across.ofRule(j.named[c.Rule], func(a *comparing) {
		if w, ok := a.Across.(rule.Witness); ok {
			w.Booked(&s, c)
		}
	})
	if c.Asks == nil || !j.ids.ask(s, c) {
		j.tellCertain(k, g, c)
	}
}

// hear takes in what the kernel says of claims about a connection that is over. Findings of which
// nothing was booked yet do not hear of it.
func (j *Judge) hear(p report.Pair, all []rule.Attested) {
	for i := range all {
		a := &all[i]
		if g := j.groups[rule.Key{Rule: a.Rule, Cause: a.Cause, Pair: p}]; g != nil {
			one := heard{agree: 1, what: a.What, n: a.N}
			if !a.Agrees {
				one = heard{deny: 1, what: a.What, claimed: a.Claimed, denied: a.N}
			}
			g.heard.add(&one)
		}
	}
}

// tellCertain tells the hook of an occurrence that was just added to its group.
func (j *Judge) tellCertain(k rule.Key, g *group, c *rule.Claim) {
	if j.Hooks.Certain == nil {
		return
	}
	own := *g
	own.says, own.occurrences = c.Says, []rule.Occurrence{c.Occ}
	f := j.finding(k, &own, grade.Sum{Cost: g.cost.Expected, Worst: g.worst})
	if f.Severity >= j.limits.MinSeverity {
		j.Hooks.Certain(&f)
	}
}

// tellExchange tells the hook of an exchange.
func (j *Judge) tellExchange(between report.Pair, x *report.ExchangeInfo) {
	if j.Hooks.Exchange != nil {
		copied := *x
		j.Hooks.Exchange(between, &copied)
	}
}

// tellConnection tells the hook of a connection; over is nil while it goes on.
func (j *Judge) tellConnection(id int, between report.Pair, over *report.ConnInfo) {
	if j.Hooks.Connection == nil {
		return
	}
	if over != nil {
		copied := *over
		over = &copied
	}
	j.Hooks.Connection(id, between, over)
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

// drawn is a finding that was drawn up, and what it was drawn up of.
type drawn struct {
	report.Finding
	part story.Part
}

// reported draws up all findings that are grave enough, worst first.
func (j *Judge) reported() (out []report.Finding) {
	for _, f := range j.drawUp() {
		if f.Severity >= j.limits.MinSeverity {
			out = append(out, f.Finding)
		}
	}
	return out
}

// drawUp draws up all findings, worst first.
func (j *Judge) drawUp() (all []drawn) {
	services := j.services()
	for k, g := range j.groups {
		if g.count == 0 || j.joined(k, g) != nil {
			continue
		}
		g, s := j.withJoined(k, g), services[serviceOf(k)]
		all = append(all, drawn{j.finding(k, g, s), story.Part{
			Impact: g.impact(s), Most: g.most, Unsafe: g.unsafe, Moments: &g.moments,
			Beside: g.beside, Lost: g.lost.at.all,
		}})
	}
	slices.SortFunc(all,
		func(a, b drawn) int { return compareFindings(&a.Finding, &b.Finding) })
	return all
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
		all = *j.merged(&all, o)
	}
	return &all
}

// merged is g with the occurrences of o, and what they cost together.
func (j *Judge) merged(g, o *group) *group {
	all := *g
	all.count, all.affected = g.count+o.count, g.affected+o.affected
	all.cost, all.worst = g.cost.Add(o.cost), max(g.worst, o.worst)
	all.within = g.within + o.within
	all.heard.add(&o.heard)
	all.lost, all.beside = g.lost.join(&o.lost), g.beside || o.beside
	all.counted, all.doubted = g.counted || o.counted, g.doubted+o.doubted
	all.time, all.wall, all.walled = g.time+o.time, g.wall+o.wall, g.walled+o.walled
	all.late = g.late.with(&o.late)
	all.moments = g.moments.Clone()
	all.moments.Merge(&o.moments)
	all.occurrences = slices.Concat(g.occurrences, o.occurrences)
	slices.SortFunc(all.occurrences, rule.CompareOccurrences)
	if limit := j.limits.MaxOccurrences; limit > 0 && len(all.occurrences) > limit {
		all.occurrences = all.occurrences[:limit]
	}
	return &all
}

// compareFindings puts the worst first, of equals what is surest, then a fixed order.
func compareFindings(a, b *report.Finding) int {
	return cmp.Or(grade.WorstFirst(weight(a), weight(b)),
		cmp.Compare(b.Confidence, a.Confidence), cmp.Compare(a.Rule, b.Rule),
		cmp.Compare(a.Cause, b.Cause), a.Client.Compare(b.Client), a.Server.Compare(b.Server))
}

// weight is that of a finding.
func weight(f *report.Finding) grade.Weight {
	return grade.Weight{
		Severity: f.Severity, Broke: f.Broke(), Cost: f.Cost.Expected, Count: f.Count,
	}
}

// within is the part of the claim's cost that lies within exchanges, at most: a failure, or an
// attempt in vain, goes on until it was repeated.
func within(s *rule.Subject, c *rule.Claim) time.Duration {
	switch {
	case c.Occ.Exchange < 0 && !s.Known:
		return 0
	case c.Failure == nil && (c.Occ.Exchange < 0 || !s.Known || s.Took <= 0 || c.Also+c.Others > 0):
		return c.Occ.Cost.Expected
	}
	in := s.Took
	if r := c.Repeated; r != nil {
		in += max(0, r.Start.Time-r.Need)
	}
	return in
}

// seen is which products the affected connections showed; for an end that none of them showed, what
// others did. A proxy passes on the name of its client, and says its own to that one.
func (j *Judge) seen(p report.Pair, g *group) report.Products {
	all := j.pairs[p]
	if all == nil {
		return g.seen
	}
	seen := g.seen.Or(all.seen)
	if front := j.pairs[all.front]; front != nil {
		seen.Client = front.seen.Server.Without(seen.Server).With(report.UnknownProduct)
	}
	return seen
}

// side is who is at fault: always the same by the cause, or in all of the group.
func (g *group) side(c *report.Cause) report.Side {
	if c.Side == report.SideUnknown && bits.OnesCount8(g.sides) == 1 {
		return report.Side(bits.TrailingZeros8(g.sides))
	}
	return c.Side
}

// finding draws up one finding; at the service it came to what s says.
func (j *Judge) finding(k rule.Key, g *group, s grade.Sum) report.Finding {
	d := j.named[k.Rule]
	c := d.Cause(k.Cause)
	f := report.Finding{
		Rule:        k.Rule,
		Cause:       k.Cause,
		Title:       d.Title,
		Severity:    g.severity(j.pairs[k.Pair], s),
		Confidence:  g.sure(),
		Side:        g.side(c),
		Client:      k.Pair.Client,
		Server:      k.Pair.Server,
		Message:     c.Message,
		Count:       g.count,
		Cost:        g.cost,
		Wall:        g.wallCost(),
		Shared:      g.sharedCost(),
		Within:      min(g.within, g.cost.Expected),
		Counted:     g.counted,
		Broken:      g.correctness,
		Affected:    g.affected,
		References:  d.References,
		Remedies:    report.RemediesFor(c.Remedies, j.seen(k.Pair, g), g.side(c), g.web, g.serial),
		Occurrences: listed(d, j.withAnswers(g)),
	}
	if c.Title != "" {
		f.Title = c.Title
	}
	if t := j.pairs[k.Pair]; t != nil {
		f.When = moments.Tell(&g.moments, &t.occasions)
	}
	if len(g.hosts) == 1 {
		for h := range g.hosts {
			f.Host = h
		}
	}
	for i := range g.says {
		w := &d.Vocabulary[g.says[i].Words]
		f.Asserts = append(f.Asserts, w.Asserted(g.says[i].N[:])...)
	}
	if text := rule.Sentences(slices.Concat(g.says, g.further), d.Vocabulary); text != "" {
		f.Message += " " + text
	}
	if text := g.heard.sentence(); text != "" {
		f.Message += " " + text
	}
	return f
}
