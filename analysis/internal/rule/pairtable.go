package rule

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"time"

	"tcpwhy/analysis/report"
)

const (
	// MaxPairs is how many clients and services a rule follows; beyond it new ones are not followed
	// until others have been silent for PairSilence.
	MaxPairs = 1 << 14
	// PairSilence is how long who is silent is remembered at least.
	PairSilence = 2 * time.Minute
)

// PairTable is what a rule that compares connections keeps of each client and service. It is
// bounded, and forgets who has been silent.
type PairTable[T any] struct {
	Entries map[report.Pair]*pairEntry[T]
	swept   time.Duration
	Gone    func(*T) // called with what is forgotten; nil: nobody asks
}

type pairEntry[T any] struct {
	Value T
	seen  time.Duration
}

// Of is the entry of a pair, made if need be; nil if there are too many.
func (t *PairTable[T]) Of(p report.Pair, now time.Duration) *T {
	if e := t.Entries[p]; e != nil {
		e.seen = now
		return &e.Value
	}
	if len(t.Entries) >= MaxPairs {
		if now-t.swept < PairSilence {
			return nil
		}
		t.sweep(now)
		if len(t.Entries) >= MaxPairs {
			return nil
		}
	}
	if t.Entries == nil {
		t.Entries = map[report.Pair]*pairEntry[T]{}
	}
	e := &pairEntry[T]{seen: now}
	t.Entries[p] = e
	return &e.Value
}

// Has is the entry of a pair; nil if there is none.
func (t *PairTable[T]) Has(p report.Pair) *T {
	if e := t.Entries[p]; e != nil {
		return &e.Value
	}
	return nil
}

// sweep forgets who has been silent.
func (t *PairTable[T]) sweep(now time.Duration) {
	t.swept = now
	for p, e := range t.Entries {
		if now-e.seen > PairSilence {
			if t.Gone != nil {
				t.Gone(&e.Value)
			}
			delete(t.Entries, p)
		}
	}
}

// Each calls f for every entry, in the order of the pairs: of findings that are booked on the way
// only so many are kept.
func (t *PairTable[T]) Each(f func(report.Pair, *T)) {
	pairs := slices.SortedFunc(maps.Keys(t.Entries), func(a, b report.Pair) int {
		return cmp.Or(a.Client.Compare(b.Client), a.Server.Compare(b.Server))
	})
	for _, p := range pairs {
		f(p, &t.Entries[p].Value)
	}
}

// Alone is the entry of a host in a table of pairs.
func Alone(host netip.Addr) report.Pair { return report.Pair{Client: host} }
