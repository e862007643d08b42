package judge

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"tcpwhy/analysis/internal/plain"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/tally"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
)

// Merging is commutative and associative: sums, unions, the costliest of both. Where two parts say
// something of the same client and service, that is what both say, and Apart tells of it.

// Place puts the frames of a part where their inputs stand now, and gives its connections and
// exchanges numbers in their order.
func (p *Part) Place(inputs []int, rules []*rule.Detector) {
	plain.Each(p, func(f *capture.FrameID) { *f = f.In(inputs) })
	p.number(&Part{}, rules)
}

// Merge takes in another part, which it uses up: the frames of both stand where the inputs of both
// do. end is that of the capture that is made of both.
func (p *Part) Merge(q *Part, l Limits, rules []*rule.Detector, end time.Duration) {
	p.number(q, rules)
	p.meet(q)
	p.Tally = tally.Merged(&p.Tally, &q.Tally, end)
	p.crowd.add(&q.crowd)
	p.total.merge(&q.total)
	p.defects.add(&q.defects)
	for k, t := range q.pairs {
		if own := p.pairs[k]; own != nil {
			own.merge(t)
		} else {
			p.pairs[k] = t
		}
	}
	named := byName(rules)
	for k, g := range q.groups {
		if own := p.groups[k]; own != nil {
			own.merge(g, l.MaxOccurrences, named[k.Rule])
		} else {
			p.groups[k] = g
		}
	}
	p.list(q, l.MaxListed*spareListed)
}

// byName are rules by their names.
func byName(rules []*rule.Detector) map[string]*rule.Detector {
	all := make(map[string]*rule.Detector, len(rules))
	for _, d := range rules {
		all[d.Name] = d
	}
	return all
}

// numbers are the new numbers of a part's connections and exchanges, by the old ones.
type numbers struct{ conns, exchanges []int }

// conn is that of a connection; what has none stays as it is.
func (n *numbers) conn(old int) int { return at(n.conns, old) }

// exchange is that of an exchange.
func (n *numbers) exchange(old int) int { return at(n.exchanges, old) }

func at(numbers []int, old int) int {
	if old < 0 || old >= len(numbers) {
		return old
	}
	return numbers[old]
}

// number gives the connections and exchanges of p and q numbers in the order of both, which p knows
// from now on.
func (p *Part) number(q *Part, rules []*rule.Detector) {
	both := [2]*Part{p, q}
	var n [2]numbers
	begun := ordered(p.Begun, q.Begun, func(a, b Begun) int {
		return cmp.Or(cmp.Compare(a.Latest, b.Latest), cmp.Compare(a.First, b.First))
	}, func(of, old, now int) { n[of].conns[old] = now },
		func(of, count int) { n[of].conns = make([]int, count) })
	for of, part := range both {
		for i := range part.Asked {
			part.Asked[i].Conn = n[of].conn(part.Asked[i].Conn)
		}
	}
	asked := ordered(p.Asked, q.Asked, func(a, b Asked) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Conn, b.Conn))
	}, func(of, old, now int) { n[of].exchanges[old] = now },
		func(of, count int) { n[of].exchanges = make([]int, count) })
	named := byName(rules)
	for of, part := range both {
		part.renumber(&n[of], named)
	}
	p.Begun, p.Asked = begun, asked
}

// ordered are the items of two lists in order, those that are equal as they stood; moved is told of
// each where it stood and where it stands, count before how many there are.
func ordered[T any](a, b []T, compare func(a, b T) int, moved func(of, old, now int),
	count func(of, n int)) []T {
	type placed struct {
		item    T
		of, old int
	}
	all := make([]placed, 0, len(a)+len(b))
	for of, items := range [2][]T{a, b} {
		count(of, len(items))
		for old, item := range items {
			all = append(all, placed{item, of, old})
		}
	}
	slices.SortStableFunc(all, func(a, b placed) int { return compare(a.item, b.item) })
	out := make([]T, len(all))
	for now, x := range all {
		out[now] = x.item
		moved(x.of, x.old, now)
	}
	return out
}

// renumber gives all that is named by its number another one.
func (p *Part) renumber(n *numbers, rules map[string]*rule.Detector) {
	for i := range p.Connected {
		c := &p.Connected[i].Item
		c.ID = n.conn(c.ID)
		for k := range c.Exchanges {
			c.Exchanges[k] = n.exchange(c.Exchanges[k])
		}
	}
	plain.Each(p, func(x *report.ExchangeInfo) {
		x.ID, x.Connection = n.exchange(x.ID), n.conn(x.Connection)
		for k := range x.Upstream {
			x.Upstream[k] = n.exchange(x.Upstream[k])
		}
		if x.Behind {
			x.Front = n.exchange(x.Front)
		}
	})
	for i := range p.Slowest {
		p.Slowest[i].Exchange = n.exchange(p.Slowest[i].Exchange)
	}
	if p.defects.first != nil {
		p.defects.conn = n.conn(p.defects.conn)
	}
	for k, g := range p.groups {
		g.renumber(n, rules[k.Rule])
	}
}

// renumber gives what a finding names other numbers.
func (g *group) renumber(n *numbers, d *rule.Detector) {
	for i := range g.occurrences {
		o := &g.occurrences[i]
		o.Connection, o.Exchange = n.conn(o.Connection), n.exchange(o.Exchange)
	}
	plain.Each(g, func(s *rule.Said) {
		if s.Words < rule.JudgeWords {
			s.Renumber(d.Vocabulary, n.conn, n.exchange)
			return
		}
		s.Words -= rule.JudgeWords
		s.Renumber(words, n.conn, n.exchange)
		s.Words += rule.JudgeWords
	})
}

// meet notes which hosts both have.
func (p *Part) meet(q *Part) {
	own := p.hosts()
	for h := range q.hosts() {
		if own[h] {
			p.Across[h] = true
		}
	}
	maps.Copy(p.Across, q.Across)
	for h, n := range q.Talks {
		p.Talks[h] += n
	}
}

// list takes in what another part lists, of which so many of each kind are kept; 0: all.
func (p *Part) list(q *Part, keep int) {
	p.Connected = longestOf(append(p.Connected, q.Connected...), keep,
		func(c *report.ConnInfo) (time.Duration, int) { return c.Duration, c.ID })
	p.Exchanged = longestOf(append(p.Exchanged, q.Exchanged...), keep, durationOf)
	for s, few := range q.Services {
		all := append(p.Services[s], few...)
		slices.SortFunc(all, func(a, b report.ExchangeInfo) int {
			return cmp.Or(cmp.Compare(b.Duration, a.Duration), cmp.Compare(a.ID, b.ID))
		})
		p.Services[s] = all[:min(len(all), ofService)]
	}
	p.Slowest = append(p.Slowest, q.Slowest...)
	slices.SortFunc(p.Slowest, func(a, b slowest) int {
		return cmp.Or(cmp.Compare(b.Took, a.Took), cmp.Compare(a.Exchange, b.Exchange))
	})
	p.Slowest = p.Slowest[:min(len(p.Slowest), maxSlowest)]
}

func durationOf(x *report.ExchangeInfo) (time.Duration, int) { return x.Duration, x.ID }

// longestOf are those of all that lost most, and those that took longest, in the order of their
// numbers.
func longestOf[T any](all []entry[T], keep int, of func(*T) (time.Duration, int)) []entry[T] {
	if keep <= 0 || len(all) <= keep {
		keep = len(all)
	}
	rank := func(by func(*entry[T]) time.Duration) []*entry[T] {
		ranks := make([]*entry[T], len(all))
		for i := range all {
			ranks[i] = &all[i]
		}
		slices.SortFunc(ranks, func(a, b *entry[T]) int {
			_, x := of(&a.Item)
			_, y := of(&b.Item)
			return cmp.Or(cmp.Compare(by(b), by(a)), cmp.Compare(x, y))
		})
		return ranks
	}
	for _, e := range rank(func(e *entry[T]) time.Duration { return e.Lost })[keep:] {
		e.Lost = 0
	}
	took := rank(func(e *entry[T]) time.Duration {
		if d, _ := of(&e.Item); e.Took {
			return d
		}
		return -1
	})
	for _, e := range took[keep:] {
		e.Took = false
	}
	all = slices.DeleteFunc(all, func(e entry[T]) bool { return e.Lost == 0 && !e.Took })
	slices.SortFunc(all, func(a, b entry[T]) int {
		_, x := of(&a.Item)
		_, y := of(&b.Item)
		return x - y
	})
	return all
}

// add takes in the defects of another part.
func (d *defects) add(o *defects) {
	if o.first != nil && (d.first == nil || o.conn < d.conn) {
		d.first, d.conn, d.between = o.first, o.conn, o.between
	}
	d.broken += o.broken
	d.ended = append(d.ended, o.ended...)
	slices.SortFunc(d.ended, func(a, b endedRules) int {
		return cmp.Or(slices.Compare(a.names, b.names), cmp.Compare(a.defect, b.defect))
	})
}

// add takes in what was not kept of another part.
func (c *crowded) add(o *crowded) {
	c.groups, c.occurrences = c.groups+o.groups, c.occurrences+o.occurrences
	c.cost, c.occasions = c.cost+o.cost, c.occasions+o.occasions
	c.pools, c.taken, c.Evicted = c.pools+o.pools, c.taken+o.taken, c.Evicted+o.Evicted
}

// merge takes in the totals of the same client and service in another part.
func (t *pairTotals) merge(o *pairTotals) {
	t.Exchanges, t.Time = t.Exchanges+o.Exchanges, t.Time+o.Time
	t.nearer(o.Rtt)
	t.born, t.asked = min(t.born, o.born), t.asked || o.asked
	t.seen.Add(o.seen)
	if !t.front.Server.IsValid() || o.front.Server.IsValid() && comparePairs(o.front, t.front) < 0 {
		t.front = o.front
	}
	t.occasions.Merge(&o.occasions)
}

func comparePairs(a, b report.Pair) int {
	return cmp.Or(a.Client.Compare(b.Client), a.Server.Compare(b.Server))
}

// merge takes in the occurrences of the same finding in another part.
func (g *group) merge(o *group, limit int, d *rule.Detector) {
	g.further = lesser(g.further, o.further, d.Vocabulary)
	switch first := compareFirst(g.occurrences, o.occurrences); {
	case first > 0:
		g.says = o.says
	case first == 0:
		g.says = lesser(g.says, o.says, d.Vocabulary)
	}
	g.count, g.affected = g.count+o.count, g.affected+o.affected
	g.cost, g.worst = g.cost.Add(o.cost), max(g.worst, o.worst)
	g.within, g.doubted = g.within+o.within, g.doubted+o.doubted
	g.heard.add(&o.heard)
	g.wall, g.walled = g.wall+o.wall, g.walled+o.walled
	g.lost = unionOf(&g.lost, &o.lost)
	g.late = g.late.with(&o.late)
	g.late.lost = report.Union(g.late.lost)
	g.failedUntil = max(g.failedUntil, o.failedUntil)
	g.beside, g.web, g.serial = g.beside || o.beside, g.web || o.web, g.serial || o.serial
	g.time, g.rtt = g.time+o.time, max(g.rtt, o.rtt)
	g.confidence, g.counted = max(g.confidence, o.confidence), g.counted || o.counted
	g.correctness, g.unsafe = g.correctness || o.correctness, g.unsafe || o.unsafe
	g.least, g.most = max(g.least, o.least), max(g.most, o.most)
	g.alone, g.sides = min(g.alone, o.alone), g.sides|o.sides
	maps.Copy(g.hosts, o.hosts)
	g.seen.Add(o.seen)
	g.moments.Merge(&o.moments)
	g.occurrences = append(g.occurrences, o.occurrences...)
	slices.SortFunc(g.occurrences, rule.CompareOccurrences)
	if limit > 0 && len(g.occurrences) > limit {
		g.occurrences = g.occurrences[:limit]
	}
}

// compareFirst puts the list first that has the costliest occurrence.
func compareFirst(a, b []rule.Occurrence) int {
	if len(a) == 0 || len(b) == 0 {
		return cmp.Compare(len(b), len(a))
	}
	return rule.CompareOccurrences(a[0], b[0])
}

// lesser is what comes first in the order of its words.
func lesser(a, b []rule.Said, vocabulary []rule.Words) []rule.Said {
	if rule.Sentences(b, vocabulary) < rule.Sentences(a, vocabulary) {
		return b
	}
	return a
}

// unionOf is what either lost, with all of its stretches.
func unionOf(a, b *lostTime) lostTime {
	return lostTime{a.at.union(&b.at), a.cost + b.cost}
}

// union is a set with all stretches of two, however many there are.
func (s *timeSet) union(o *timeSet) timeSet {
	return timeSet{report.Union(slices.Concat(s.all, o.all))}
}

// merge takes in the sums of another part.
func (t *totalSums) merge(o *totalSums) {
	t.connections, t.exchanges = t.connections+o.connections, t.exchanges+o.exchanges
	t.exchangeTime, t.lost = t.exchangeTime+o.exchangeTime, t.lost+o.lost
	t.waited, t.missing, t.octets = t.waited+o.waited, t.missing+o.missing, t.octets+o.octets
	t.shared.exchanges += o.shared.exchanges
	for l := range t.times {
		t.times[l] += o.times[l]
		t.shared.times[l] += o.shared.times[l]
	}
	t.shared.busy = t.shared.busy.union(&o.shared.busy)
	t.shared.lost = unionOf(&t.shared.lost, &o.shared.lost)
	for v, n := range o.vantages {
		t.vantages[v] += n
	}
	for c, n := range o.caveats {
		t.caveats[c] += n
	}
	t.midStream, t.oneSided = t.midStream+o.midStream, t.oneSided+o.oneSided
	t.accepted, t.mute = t.accepted+o.accepted, t.mute+o.mute
	t.pairs, t.Views, t.Quoted = t.pairs+o.pairs, t.Views+o.Views, t.Quoted+o.Quoted
	t.cut, t.scans = t.cut+o.cut, t.scans+o.scans
	t.Names.Merge(&o.Names)
	t.QUIC.Merge(&o.QUIC)
	t.Keys.Merge(&o.Keys)
	t.unread.merge(&o.unread)
}

// merge takes in what nobody could read of another part.
func (u *unread) merge(o *unread) {
	u.encrypted, u.foreign = u.encrypted+o.encrypted, u.foreign+o.foreign
	u.decrypted = u.decrypted + o.decrypted
	u.messages, u.turns = u.messages+o.messages, u.turns+o.turns
}
