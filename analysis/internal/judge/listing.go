package judge

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/tally"
	"tcpwhy/analysis/report"
)

// listing keeps the connections and exchanges that the report may name: all of them up to a limit,
// beyond it those that lost most, those that took longest, and a few of each service.
type listing struct {
	limit     int // of what the report lists; 0: none
	conns     ranking[report.ConnInfo]
	exchanges ranking[report.ExchangeInfo]
	services  map[netip.AddrPort]*longest[report.ExchangeInfo]
	slowest   longest[timeline]
}

const (
	// spareListed is how many times as many as can be listed are kept: what findings name is known
	// in the end.
	spareListed = 4
	// ofService exchanges of each service are listed, as far as a quarter of the list has room.
	ofService = 5
	// maxServices are how many services have that; those that come later have not.
	maxServices = 1024
)

// worthListing ranks an exchange by what it lost; of those that lost nothing the ones that failed,
// or of which something is claimed, come before the others.
func worthListing(x *report.ExchangeInfo, claims []rule.Claim, lost time.Duration) time.Duration {
	rank := lost + claimed(claims)
	if tally.Failed(x, false) {
		rank += x.Duration
	}
	return rank
}

// claimed is what claims may have cost, and a little for each.
func claimed(claims []rule.Claim) (most time.Duration) {
	for i := range claims {
		most += claims[i].Occ.Cost.High + 1
	}
	return most
}

// ranking keeps items that lost most, and those that took longest.
type ranking[T any] struct{ lost, took longest[T] }

// add adds an item.
func (r *ranking[T]) add(lost, took time.Duration, id int, item *T) {
	if lost > 0 {
		r.lost.add(lost, id, item)
	}
	r.took.add(took, id, item)
}

// each calls f for every item that is kept, once.
func (r *ranking[T]) each(f func(id int, item *T)) {
	seen := make(map[int]bool, len(r.lost.items))
	for _, l := range []*longest[T]{&r.lost, &r.took} {
		for _, i := range l.items {
			if !seen[i.id] {
				seen[i.id] = true
				f(i.id, i.item)
			}
		}
	}
}

// bound sets how many the report lists.
func (l *listing) bound(limit int) {
	l.limit = limit
	keep := limit * spareListed
	l.conns.lost.limit, l.conns.took.limit = keep, keep
	l.exchanges.lost.limit, l.exchanges.took.limit = keep, keep
	l.services = map[netip.AddrPort]*longest[report.ExchangeInfo]{}
}

// exchange adds one of a service, which lost that much.
func (l *listing) exchange(s netip.AddrPort, x *report.ExchangeInfo, lost time.Duration) {
	l.exchanges.add(lost, x.Duration, x.ID, x)
	if l.limit <= 0 {
		return // all are listed
	}
	few := l.services[s]
	if few == nil {
		if len(l.services) >= maxServices {
			return
		}
		few = &longest[report.ExchangeInfo]{limit: ofService}
		l.services[s] = few
	}
	few.add(x.Duration, x.ID, x)
}

// eachExchange calls f for every exchange that is kept, once.
func (l *listing) eachExchange(f func(x *report.ExchangeInfo)) {
	seen := map[int]bool{}
	l.exchanges.each(func(id int, x *report.ExchangeInfo) {
		seen[id] = true
		f(x)
	})
	for _, s := range l.services {
		for _, i := range s.items {
			if !seen[i.id] {
				seen[i.id] = true
				f(i.item)
			}
		}
	}
}

// picked is what was chosen for a list, by number.
type picked[T any] struct {
	limit int // 0: none
	items map[int]*T
}

// take chooses an item, if there is room and it was not chosen before.
func (p *picked[T]) take(id int, item *T) {
	if item != nil && (p.limit <= 0 || len(p.items) < p.limit) {
		p.items[id] = item
	}
}

// ordered takes in the items of lists, the first of each first.
func (p *picked[T]) ordered(lists ...*longest[T]) {
	for _, l := range lists {
		for _, i := range l.sorted() {
			p.take(i.id, i.item)
		}
	}
}

// done is what was chosen, by number.
func (p *picked[T]) done() []T {
	out := make([]T, 0, len(p.items))
	for _, id := range slices.Sorted(maps.Keys(p.items)) {
		out = append(out, *p.items[id])
	}
	return out
}

// into fills the lists of a report: what its findings name, then some of each service, then what
// lost most, then what took longest. It changes nothing that is kept.
func (l *listing) into(r *report.Report) {
	named, of := map[int]bool{}, map[int]bool{}
	for i := range r.Findings {
		for k := range r.Findings[i].Occurrences {
			o := &r.Findings[i].Occurrences[k]
			named[o.Exchange], of[o.Connection] = true, true
		}
	}
	kept := map[int]*report.ExchangeInfo{}
	l.eachExchange(func(x *report.ExchangeInfo) { kept[x.ID] = x })
	exchanges := picked[report.ExchangeInfo]{l.limit, map[int]*report.ExchangeInfo{}}
	for _, id := range slices.Sorted(maps.Keys(named)) {
		exchanges.take(id, kept[id])
	}
	l.ofEach(&exchanges)
	exchanges.ordered(&l.exchanges.lost, &l.exchanges.took)
	r.Exchanges = exchanges.done()

	conns := picked[report.ConnInfo]{l.limit, map[int]*report.ConnInfo{}}
	for i := range r.Exchanges {
		of[r.Exchanges[i].Connection] = true
	}
	l.conns.each(func(id int, c *report.ConnInfo) {
		if of[id] {
			conns.take(id, c)
		}
	})
	conns.ordered(&l.conns.lost, &l.conns.took)
	r.Conns = conns.done()
}

// ofEach chooses some exchanges of each service, as far as a quarter of the list has room.
func (l *listing) ofEach(p *picked[report.ExchangeInfo]) {
	room := l.limit / spareListed
	order := slices.SortedFunc(maps.Keys(l.services), netip.AddrPort.Compare)
	for _, s := range order {
		for _, i := range l.services[s].sorted() {
			if room--; room < 0 {
				return
			}
			p.take(i.id, i.item)
		}
	}
}

// longest keeps the items that took longest; of those that took equally long, the earliest.
type longest[T any] struct {
	limit int // 0: none
	items []ranked[T]
	floor ranked[T] // what comes after it cannot be among them
	full  bool      // floor is valid
}

// ranked is an item with what orders it.
type ranked[T any] struct {
	took time.Duration
	id   int
	item *T
}

// compare puts what took longer first, then what came earlier.
func (r ranked[T]) compare(s ranked[T]) int {
	return cmp.Or(cmp.Compare(s.took, r.took), cmp.Compare(r.id, s.id))
}

// takes reports whether an item would be kept.
func (l *longest[T]) takes(took time.Duration, id int) bool {
	return !l.full || (ranked[T]{took: took, id: id}).compare(l.floor) <= 0
}

// add adds an item. Twice the limit is held before the shorter half goes, so that adding stays
// cheap.
func (l *longest[T]) add(took time.Duration, id int, item *T) {
	r := ranked[T]{took, id, item}
	if l.full && r.compare(l.floor) > 0 {
		return
	}
	l.items = append(l.items, r)
	if l.limit > 0 && len(l.items) >= 2*l.limit {
		l.trim()
	}
}

// trim drops what is beyond the limit.
func (l *longest[T]) trim() {
	if l.limit <= 0 || len(l.items) <= l.limit {
		return
	}
	slices.SortFunc(l.items, ranked[T].compare)
	clear(l.items[l.limit:])
	l.items = l.items[:l.limit]
	l.floor, l.full = l.items[l.limit-1], true
	l.floor.item = nil
}

// sorted is what is kept, the longest first.
func (l *longest[T]) sorted() []ranked[T] {
	items := slices.Clone(l.items)
	slices.SortFunc(items, ranked[T].compare)
	if l.limit > 0 && len(items) > l.limit {
		items = items[:l.limit]
	}
	return items
}

// done is what is kept, in the order of the report.
func (l *longest[T]) done() []T {
	items := l.sorted()
	slices.SortFunc(items, func(a, b ranked[T]) int { return cmp.Compare(a.id, b.id) })
	out := make([]T, len(items))
	for i, r := range items {
		out[i] = *r.item
	}
	return out
}
