package analysis

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"tcpwhy/analysis/report"
)

const (
	// maxPairs is how many clients and services a rule follows; beyond it new ones are not followed
	// until others have been silent for pairSilence.
	maxPairs    = 1 << 14
	pairSilence = 2 * time.Minute
)

// pairTable is what a rule that compares connections keeps of each client and service. It is
// bounded, and forgets who has been silent.
type pairTable[T any] struct {
	entries map[report.Pair]*pairEntry[T]
	swept   time.Duration
	gone    func(*T) // called with what is forgotten; nil: nobody asks
}

type pairEntry[T any] struct {
	value T
	seen  time.Duration
}

// of is the entry of a pair, made if need be; nil if there are too many.
func (t *pairTable[T]) of(p report.Pair, now time.Duration) *T {
	if e := t.entries[p]; e != nil {
		e.seen = now
		return &e.value
	}
	if len(t.entries) >= maxPairs {
		if now-t.swept < pairSilence {
			return nil
		}
		t.sweep(now)
		if len(t.entries) >= maxPairs {
			return nil
		}
	}
	if t.entries == nil {
		t.entries = map[report.Pair]*pairEntry[T]{}
	}
	e := &pairEntry[T]{seen: now}
	t.entries[p] = e
	return &e.value
}

// has is the entry of a pair; nil if there is none.
func (t *pairTable[T]) has(p report.Pair) *T {
	if e := t.entries[p]; e != nil {
		return &e.value
	}
	return nil
}

// sweep forgets who has been silent.
func (t *pairTable[T]) sweep(now time.Duration) {
	t.swept = now
	for p, e := range t.entries {
		if now-e.seen > pairSilence {
			if t.gone != nil {
				t.gone(&e.value)
			}
			delete(t.entries, p)
		}
	}
}

// each calls f for every entry, in the order of the pairs: of findings that are booked on the way
// only so many are kept.
func (t *pairTable[T]) each(f func(report.Pair, *T)) {
	pairs := slices.SortedFunc(maps.Keys(t.entries), func(a, b report.Pair) int {
		return cmp.Or(a.Client.Compare(b.Client), a.Server.Compare(b.Server))
	})
	for _, p := range pairs {
		f(p, &t.entries[p].value)
	}
}
