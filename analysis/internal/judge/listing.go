package judge

import (
	"cmp"
	"slices"
	"time"

	"tcpwhy/analysis/report"
)

// listing keeps the connections and exchanges that the report names: all of them up to a limit,
// beyond it those that took longest.
type listing struct {
	conns     longest[report.ConnInfo]
	exchanges longest[report.ExchangeInfo]
	slowest   longest[timeline]
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

// done gives what is kept, in the order of the report.
func (l *longest[T]) done() []T {
	l.trim()
	slices.SortFunc(l.items, func(a, b ranked[T]) int { return cmp.Compare(a.id, b.id) })
	out := make([]T, len(l.items))
	for i, r := range l.items {
		out[i] = *r.item
	}
	return out
}
