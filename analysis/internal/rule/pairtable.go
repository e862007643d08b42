package rule

import (
	"cmp"
	"iter"
	"net/netip"
	"slices"
	"time"

	"tcpwhy/analysis/report"
)

const (
	// MaxPairs is how many clients and services a rule follows; beyond it new ones are not followed
	// until others have been silent for PairSilence.
	MaxPairs = 1 << 17
	// MaxPaths is the same of what is kept of paths and hosts, where that is much of each.
	MaxPaths = 1 << 14
	// PairSilence is how long who is silent is remembered at least.
	PairSilence = 2 * time.Minute
	// pairPage is how many entries are made at a time at most; of a small table as many as it has.
	pairPage = 64
)

// PairTable is what a rule that compares connections keeps of each client and service. It is
// bounded, and forgets who has been silent. Its pairs have numbers, and an entry is found by that
// of its pair.
//
// What Of and Has give is for the event in hand: of a pair that was silent for PairSilence the room
// is used for another.
type PairTable[T any] struct {
	entries []*pairEntry[T] // in the order in which they were made
	spare   []*pairEntry[T] // empty, the next one last
	places  []uint32        // in entries, by the number of the pair, counted from 1; 0: it has none
	numbers *PairNumbers    // nil: none yet
	swept   time.Duration
	Most    int      // entries; 0: MaxPairs
	Gone    func(*T) // called with what is forgotten; nil: nobody asks
}

type pairEntry[T any] struct {
	seen   time.Duration
	number uint32 // of its pair
	value  T
}

// By makes pairs have the numbers that other tables have for them, so that who looks a pair up in
// several finds its number once. It comes before anything else; without it the table has its own.
func (t *PairTable[T]) By(n *PairNumbers) {
	t.numbers = n
	n.tables = append(n.tables, t)
}

// Of is the entry of a pair, made if need be; nil if there are too many.
func (t *PairTable[T]) Of(p report.Pair, now time.Duration) *T {
	if t.numbers == nil {
		t.By(&PairNumbers{})
	}
	number, known := t.numbers.find(p)
	if known {
		if e := t.at(number); e != nil {
			e.seen = now
			return &e.value
		}
	}
	most := cmp.Or(t.Most, MaxPairs)
	if len(t.entries) >= most {
		if now-t.swept < PairSilence {
			return nil
		}
		t.sweep(now)
		if len(t.entries) >= most {
			return nil
		}
	}
	if !known {
		number = t.numbers.add(p)
	}
	e := t.take()
	e.number, e.seen = number, now
	t.entries = append(t.entries, e)
	if n := int(number) + 1 - len(t.places); n > 0 {
		t.places = append(t.places, make([]uint32, n)...)
	}
	t.places[number] = uint32(len(t.entries))
	return &e.value
}

// take is an entry that is empty.
func (t *PairTable[T]) take() *pairEntry[T] {
	if len(t.spare) == 0 {
		page := make([]pairEntry[T], min(pairPage, 1+len(t.entries)))
		for i := range page {
			t.spare = append(t.spare, &page[len(page)-1-i])
		}
	}
	last := len(t.spare) - 1
	e := t.spare[last]
	t.spare = t.spare[:last]
	return e
}

// Has is the entry of a pair; nil if there is none.
func (t *PairTable[T]) Has(p report.Pair) *T {
	if len(t.entries) == 0 {
		return nil
	}
	if number, known := t.numbers.find(p); known {
		if e := t.at(number); e != nil {
			return &e.value
		}
	}
	return nil
}

// Len is how many entries there are.
func (t *PairTable[T]) Len() int { return len(t.entries) }

// All are the entries, the oldest first.
func (t *PairTable[T]) All() iter.Seq[*T] {
	return func(yield func(*T) bool) {
		for _, e := range t.entries {
			if !yield(&e.value) {
				return
			}
		}
	}
}

// at is the entry of the pair with that number; nil if there is none.
func (t *PairTable[T]) at(number uint32) *pairEntry[T] {
	if int(number) >= len(t.places) || t.places[number] == 0 {
		return nil
	}
	return t.entries[t.places[number]-1]
}

// sweep forgets who has been silent.
func (t *PairTable[T]) sweep(now time.Duration) {
	t.swept = now
	kept := t.entries[:0]
	for _, e := range t.entries {
		if now-e.seen <= PairSilence {
			kept = append(kept, e)
			t.places[e.number] = uint32(len(kept))
			continue
		}
		t.places[e.number] = 0
		if t.Gone != nil {
			t.Gone(&e.value)
		}
		*e = pairEntry[T]{}
		t.spare = append(t.spare, e)
	}
	clear(t.entries[len(kept):])
	t.entries = kept
}

// used calls f with the number of each pair that has an entry.
func (t *PairTable[T]) used(f func(number uint32)) {
	for _, e := range t.entries {
		f(e.number)
	}
}

// Each calls f for every entry, in the order of the pairs: of findings that are booked on the way
// only so many are kept.
func (t *PairTable[T]) Each(f func(report.Pair, *T)) {
	entries := slices.Clone(t.entries)
	slices.SortFunc(entries, func(a, b *pairEntry[T]) int {
		p, q := t.numbers.pair(a.number), t.numbers.pair(b.number)
		return cmp.Or(p.Client.Compare(q.Client), p.Server.Compare(q.Server))
	})
	for _, e := range entries {
		f(*t.numbers.pair(e.number), &e.value)
	}
}

// Alone is the entry of a host in a table of pairs.
func Alone(host netip.Addr) report.Pair { return report.Pair{Client: host} }
