package analysis

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"sort"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
)

const (

	// endGrace is how long after its last segment the capture is taken to end, so that what silence
	// settles comes first: a live capture, which goes on in silence, has told of it by then. A lost
	// tail may take the longest retransmission timer, two minutes.
	endGrace = 3 * time.Minute
)

// Hooks are told of what a capture shows while it goes on. They are called one at a time, between
// segments, and should be quick: meanwhile nothing is read. What they are handed is theirs.
type Hooks struct {
	// Certain is told of an occurrence as soon as it is certain: of its finding with the totals so
	// far, and with this occurrence alone.
	Certain func(*report.Finding)
	// Exchange is told of an exchange with a server when it has been judged.
	Exchange func(server netip.AddrPort, x *report.ExchangeInfo)
	// Tick is called several times a second. What soFar draws up is the report of what has been
	// judged; exchanges and connections that go on are not in it.
	Tick func(soFar func() *report.Report)
}

// any reports whether there is a hook.
func (h *Hooks) any() bool { return h.Certain != nil || h.Exchange != nil || h.Tick != nil }

// RunLive analyses a source that may never end, and gives the report that Run would give.
func RunLive(src capture.Source, opts Options, hooks Hooks) (*report.Report, error) {
	p := newPipeline(&opts, opts.rules(), clocks(src))
	p.judge.hooks = hooks
	err := p.read(src)
	return p.judge.report(src.Stats()), err
}

// liveSource is a source that knows how far it has read.
type liveSource interface {
	Settled() time.Duration
	Account() *capture.Stats
}

// tick settles what is due by time.
func (p *pipeline) tick(src capture.Source) {
	live, ok := src.(liveSource)
	if !ok {
		return
	}
	p.epoch(live.Settled())
	if p.judge.hooks.Tick != nil {
		p.judge.hooks.Tick(func() *report.Report { return p.judge.soFar(live.Account()) })
	}
}

// settle makes every worker hand on what silence has settled up to a moment: closed connections,
// and exchanges.
func (p *pipeline) settle(until time.Duration) {
	p.table.Settle(until)
	p.closeOver()
	for w := range p.workers {
		p.fill[w].items = append(p.fill[w].items, item{op: opSettle, now: until})
	}
}

// quiet books what has waited for events that can no longer come: those up to the given moment have
// been read.
func (j *judge) quiet(until time.Duration) {
	j.expireFailures(until)
	for _, r := range j.cross {
		if r, ok := r.(quietRule); ok {
			r.quiet(j, until)
		}
	}
}

// dueEvents is how many of the events, which are in order, are not later than the given moment.
func dueEvents(events []event, until time.Duration) int {
	return sort.Search(len(events), func(i int) bool { return events[i].at > until })
}

// tellCertain tells the hook of an occurrence that was just added to its group.
func (j *judge) tellCertain(k groupKey, g *group, c *claim) {
	if j.hooks.Certain == nil {
		return
	}
	own := *g
	own.text = c.text
	f := j.finding(k, &own)
	if f.Severity < j.opts.MinSeverity {
		return
	}
	occ := c.occ
	if occ.Evidence == nil && c.evidence != nil {
		occ.Evidence = c.evidence()
	}
	f.Occurrences = []report.Occurrence{occ}
	j.hooks.Certain(&f)
}

// tellExchange tells the hook of an exchange.
func (j *judge) tellExchange(m *member, x *report.ExchangeInfo) {
	if j.hooks.Exchange != nil {
		copied := *x
		j.hooks.Exchange(m.pair.Server, &copied)
	}
}

// soFar is a report of what has been judged. It shares nothing that will change, and leaves the
// judge as it is.
func (j *judge) soFar(st *capture.Stats) *report.Report {
	r := &report.Report{
		Capture:       st,
		Caveats:       j.caveats(st),
		Connections:   j.total.connections + len(j.conns),
		ExchangeCount: j.total.exchanges,
		ExchangeTime:  j.total.exchangeTime,
		Lost:          j.total.lost,
		Times: labelTimes(
			&j.total.times,
		),
		Findings: j.findings(),
		Vantages: maps.Clone(j.total.vantages),
	}
	for i := range r.Findings {
		r.Findings[i].Occurrences = slices.Clone(r.Findings[i].Occurrences)
	}
	r.Conns, r.Exchanges = j.list.conns.soFar(), j.list.exchanges.soFar()
	attach(r.Exchanges, j.list.slowest.soFar())
	for _, d := range j.rules {
		r.Checked = append(r.Checked, d.Name)
	}
	return r
}

// soFar is what done would give now.
func (l *longest[T]) soFar() []T {
	items := slices.Clone(l.items)
	if l.limit > 0 && len(items) > l.limit {
		slices.SortFunc(items, ranked[T].compare)
		items = items[:l.limit]
	}
	slices.SortFunc(items, func(a, b ranked[T]) int { return cmp.Compare(a.id, b.id) })
	out := make([]T, len(items))
	for i, r := range items {
		out[i] = *r.item
	}
	return out
}
