package judge

import (
	"net/netip"
	"slices"
	"time"

	"tcpwhy/analysis/internal/plain"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/tally"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
)

// Part is what a judge knows in the end: all that a report is made of but the account of frames.
// Those of several judges, of traffic that has nothing to do with each other's, become one by
// Merge. It is a plain value.
//
// Connections and exchanges have numbers from 0 on: the places of what Begun and Asked say of them.
type Part struct {
	Begun []Begun // the connections, in their order
	Asked []Asked // the exchanges, likewise
	// connections that are over, by their hosts
	Talks map[Hosts]uint64
	// hosts that several of the parts have of which this is made
	Across map[netip.Addr]bool

	Tally     report.Tally
	Connected []entry[report.ConnInfo]
	Exchanged []entry[report.ExchangeInfo]
	Services  map[netip.AddrPort][]report.ExchangeInfo // some of each
	Slowest   []slowest

	groups  map[rule.Key]*group
	pairs   map[report.Pair]*pairTotals
	total   totalSums
	crowd   crowded
	defects defects
	from    time.Duration
}

// Begun is what puts connections into their order: how far the capture had come, and the first
// frame.
type Begun struct {
	Latest time.Duration
	First  capture.FrameID
}

// Asked is what puts exchanges into their order: when the judge was told that it had begun, and the
// number of its connection. Those that are equal stand in the order in which it was told.
type Asked struct {
	At   time.Duration
	Conn int
}

// Hosts are two hosts of which one connects to the other.
type Hosts struct{ Client, Server netip.Addr }

// entry is what may be listed, with what it lost, as a rank; it took as long as it says.
type entry[T any] struct {
	Lost time.Duration // 0: it ranks by what it took alone
	Took bool          // it is among those that took longest
	Item T
}

// slowest is an exchange whose time in order is kept.
type slowest struct {
	Exchange int
	Took     time.Duration
	Pieces   []report.Piece
}

// defects are what this program failed on.
type defects struct {
	broken  uint64
	first   *rule.Broken
	conn    int
	between report.Pair
	ended   []endedRules
}

// Part is what the judge knows, once it has reported. It shares everything with the judge.
func (j *Judge) Part(end time.Duration) *Part {
	p := &Part{
		Talks: map[Hosts]uint64{}, Across: map[netip.Addr]bool{},
		Tally:    j.tallied(end),
		Services: map[netip.AddrPort][]report.ExchangeInfo{},
		groups:   map[rule.Key]*group{}, pairs: j.pairs,
		total: j.Total, crowd: j.Crowd, from: j.From,
	}
	f := &j.fences
	p.defects = defects{f.broken, f.first, f.conn, f.between, f.across.ended}
	for k, g := range j.groups {
		own := *g
		own.occurrences = j.answered(k, g)
		p.groups[k] = &own
	}
	p.Connected = kept(&j.list.conns, func(c *report.ConnInfo) int { return c.ID })
	p.Exchanged = kept(&j.list.exchanges, func(x *report.ExchangeInfo) int { return x.ID })
	for s, few := range j.list.services {
		for _, i := range few.sorted() {
			p.Services[s] = append(p.Services[s], *i.item)
		}
	}
	for _, i := range j.list.slowest.sorted() {
		p.Slowest = append(p.Slowest, slowest{i.item.exchange, i.took, i.item.pieces})
	}
	return p
}

// answered are the occurrences of a finding with what clients of proxies were told in the end.
func (j *Judge) answered(k rule.Key, g *group) []rule.Occurrence {
	all := *g
	if joined := j.joined(k, g); joined != nil {
		all.correctness = joined.correctness
	}
	return j.withAnswers(&all)
}

// kept is what a ranking keeps, by number.
func kept[T any](r *ranking[T], number func(*T) int) (all []entry[T]) {
	took := map[int]bool{}
	for _, i := range r.took.sorted() {
		took[i.id] = true
		all = append(all, entry[T]{Took: true, Item: *i.item})
	}
	lost := map[int]time.Duration{}
	for _, i := range r.lost.sorted() {
		if lost[i.id] = i.took; !took[i.id] {
			all = append(all, entry[T]{Item: *i.item})
		}
	}
	for i := range all {
		all[i].Lost = lost[number(&all[i].Item)]
	}
	slices.SortFunc(all, func(a, b entry[T]) int { return number(&a.Item) - number(&b.Item) })
	return all
}

// Restore makes a judge that knows what a part says, which becomes the judge's, for one report.
func Restore(l Limits, all, rules []*rule.Detector, p *Part) *Judge {
	j := New(l, all, rules)
	j.groups, j.pairs, j.Total, j.Crowd, j.From = p.groups, p.pairs, p.total, p.crowd, p.from
	d := p.defects
	j.Crowd.apart.connections, j.Crowd.apart.hosts = p.Apart()
	j.fences = fences{broken: d.broken, first: d.first, conn: d.conn, between: d.between,
		across: comparisons{ended: d.ended}}
	for i := range p.Connected {
		c := &p.Connected[i]
		restore(&j.list.conns, c, c.Item.Duration, c.Item.ID)
	}
	for i := range p.Exchanged {
		x := &p.Exchanged[i]
		restore(&j.list.exchanges, x, x.Item.Duration, x.Item.ID)
	}
	for s, few := range p.Services {
		all := &longest[report.ExchangeInfo]{limit: ofService}
		for i := range few {
			all.add(few[i].Duration, few[i].ID, &few[i])
		}
		j.list.services[s] = all
	}
	j.list.slowest.limit = maxSlowest
	for _, s := range p.Slowest {
		j.list.slowest.add(s.Took, s.Exchange, &timeline{s.Exchange, s.Pieces})
	}
	return j
}

// restore adds to a ranking what another one kept.
func restore[T any](r *ranking[T], of *entry[T], took time.Duration, id int) {
	if of.Lost > 0 {
		r.lost.add(of.Lost, id, &of.Item)
	}
	if of.Took {
		r.took.add(took, id, &of.Item)
	}
}

// ReportOf draws up the report of a judge that was restored.
func (j *Judge) ReportOf(p *Part, st *capture.Stats) *report.Report {
	return j.draw(st, p.Tally)
}

// Apart says how many connections are between hosts of which several parts have one, and how many
// such hosts there are: what those parts have of them was not compared.
func (p *Part) Apart() (connections uint64, hosts int) {
	for h, n := range p.Talks {
		if p.Across[h.Client] || p.Across[h.Server] {
			connections += n
		}
	}
	return connections, len(p.Across)
}

// hosts are all that connections are between.
func (p *Part) hosts() map[netip.Addr]bool {
	all := map[netip.Addr]bool{}
	for h := range p.Talks {
		all[h.Client], all[h.Server] = true, true
	}
	return all
}

// Hide has the targets, and the names of hosts, that the network said shown by functions, and
// leaves out what requests say of their way.
func (p *Part) Hide(target, host func(string) string) {
	plain.Each(p, func(x *report.ExchangeInfo) {
		x.Target, x.Host, x.Trail = target(x.Target), host(x.Host), nil
	})
	plain.Each(p, func(e *report.Endpoint) {
		e.Template, e.Host = target(e.Template), host(e.Host)
	})
	plain.Each(p, func(t *exchange.TLSInfo) { t.SNI = host(t.SNI) })
	for _, g := range p.groups {
		shown := map[string]bool{}
		for h := range g.hosts {
			shown[host(h)] = true
		}
		g.hosts = shown
	}
}

// Sound reports whether names and numbers are those of what there is: of octets that nobody wrote,
// they may not be.
func (p *Part) Sound(rules []*rule.Detector, inputs int) bool {
	sound := p.Talks != nil && p.Across != nil && p.Services != nil && p.groups != nil &&
		p.pairs != nil && p.total.vantages != nil && p.total.caveats != nil
	for i := range p.Asked {
		sound = sound && p.Asked[i].Conn >= 0 && p.Asked[i].Conn < len(p.Begun)
	}
	for _, t := range p.pairs {
		sound = sound && t != nil
	}
	plain.Each(p, func(x *report.ExchangeInfo) {
		sound = sound && x.ID >= 0 && x.ID < len(p.Asked)
	})
	for i := range p.Connected {
		id := p.Connected[i].Item.ID
		sound = sound && id >= 0 && id < len(p.Begun)
	}
	for i := range p.Slowest {
		sound = sound && p.Slowest[i].Exchange >= 0 && p.Slowest[i].Exchange < len(p.Asked)
	}
	plain.Each(p, func(f *capture.FrameID) {
		sound = sound && (f.Number() == 0 || f.Input() < inputs)
	})
	plain.Each(p, func(d *report.Durations) {
		sound = sound && d.Sound()
	})
	named := byName(rules)
	for k, g := range p.groups {
		sound = sound && g.sound(k, named[k.Rule])
	}
	return sound && p.total.sound(p) && tally.Sound(&p.Tally)
}

// sound reports whether sums are of no more than a part knows.
func (t *totalSums) sound(p *Part) bool {
	sound := t.exchanges >= 0 && t.exchanges <= len(p.Asked) &&
		t.connections >= 0 && t.connections <= len(p.Begun) &&
		t.exchangeTime >= 0
	for _, n := range t.times {
		sound = sound && n >= 0
	}
	for _, n := range t.vantages {
		sound = sound && n >= 0
	}
	return sound
}

// sound reports whether a finding may be one of a rule.
func (g *group) sound(k rule.Key, d *rule.Detector) bool {
	sound := g != nil && d != nil && g.hosts != nil && d.Cause(k.Cause) != nil &&
		g.count >= 0 && g.affected >= 0
	plain.Each(&g, func(s *rule.Said) {
		of := 0
		if s.Words >= rule.JudgeWords {
			of = len(words) + int(rule.JudgeWords)
		} else if d != nil {
			of = len(d.Vocabulary)
		}
		sound = sound && (s.Words == 0 || int(s.Words) < of)
	})
	return sound
}
