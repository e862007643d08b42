package rule

import (
	"cmp"
	"hash/maphash"
	"iter"
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
	// pairPage is how many entries are made at a time at most; of a small table as many as it has.
	pairPage = 64
)

// PairTable is what a rule that compares connections keeps of each client and service. It is
// bounded, and forgets who has been silent. Its pairs are numbered, by their places.
//
// What Of and Has give is for the event in hand: of a pair that was silent for PairSilence the room
// is used for another.
type PairTable[T any] struct {
	entries []*pairEntry[T] // in the order in which they were made
	spare   []*pairEntry[T] // empty, the next one last
	index   pairIndex
	swept   time.Duration
	Gone    func(*T) // called with what is forgotten; nil: nobody asks
}

type pairEntry[T any] struct {
	pair  report.Pair
	seen  time.Duration
	value T
}

// Of is the entry of a pair, made if need be; nil if there are too many.
func (t *PairTable[T]) Of(p report.Pair, now time.Duration) *T {
	hash := t.index.hash(p)
	if e := t.find(p, hash); e != nil {
		e.seen = now
		return &e.value
	}
	if len(t.entries) >= MaxPairs {
		if now-t.swept < PairSilence {
			return nil
		}
		t.sweep(now)
		if len(t.entries) >= MaxPairs {
			return nil
		}
	}
	e := t.take()
	e.pair, e.seen = p, now
	t.index.add(hash, len(t.entries))
	t.entries = append(t.entries, e)
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
	if e := t.find(p, t.index.hash(p)); e != nil {
		return &e.value
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

// find is the entry of a pair with that hash; nil if there is none.
func (t *PairTable[T]) find(p report.Pair, hash uint32) *pairEntry[T] {
	for s, ok := t.index.first(hash); ok; s, ok = t.index.next(s) {
		if at := &t.index.slots[s]; at.hash == hash {
			if e := t.entries[at.place-1]; e.pair == p {
				return e
			}
		}
	}
	return nil
}

// sweep forgets who has been silent.
func (t *PairTable[T]) sweep(now time.Duration) {
	t.swept = now
	t.index.clear()
	kept := t.entries[:0]
	for _, e := range t.entries {
		if now-e.seen <= PairSilence {
			t.index.add(t.index.hash(e.pair), len(kept))
			kept = append(kept, e)
			continue
		}
		if t.Gone != nil {
			t.Gone(&e.value)
		}
		*e = pairEntry[T]{}
		t.spare = append(t.spare, e)
	}
	clear(t.entries[len(kept):])
	t.entries = kept
}

// Each calls f for every entry, in the order of the pairs: of findings that are booked on the way
// only so many are kept.
func (t *PairTable[T]) Each(f func(report.Pair, *T)) {
	entries := slices.Clone(t.entries)
	slices.SortFunc(entries, func(a, b *pairEntry[T]) int {
		return cmp.Or(a.pair.Client.Compare(b.pair.Client), a.pair.Server.Compare(b.pair.Server))
	})
	for _, e := range entries {
		f(e.pair, &e.value)
	}
}

// Alone is the entry of a host in a table of pairs.
func Alone(host netip.Addr) report.Pair { return report.Pair{Client: host} }

// pairIndex finds places in a list of pairs by their hashes. Its slots hold no pointers and lie
// together, a hash beside each place: of pairs that are not the one only numbers are read.
type pairIndex struct {
	slots []pairSlot // a power of two of them, at most half of them used
	used  int
	seed  maphash.Seed // nobody can choose addresses that fall on each other
}

type pairSlot struct {
	hash  uint32
	place uint32 // counted from 1; 0: free
}

// leastSlots is how many slots an index begins with.
const leastSlots = 16

// hash is that of a pair in this index. Zones do not count: pairs are compared whole.
func (x *pairIndex) hash(p report.Pair) uint32 {
	if x.slots == nil {
		x.slots, x.seed = make([]pairSlot, leastSlots), maphash.MakeSeed()
	}
	client, server, port := p.Client.As16(), p.Server.Addr().As16(), p.Server.Port()
	var all [16 + 16 + 2]byte
	copy(all[:], client[:])
	copy(all[16:], server[:])
	all[32], all[33] = byte(port), byte(port>>8)
	return uint32(maphash.Bytes(x.seed, all[:]))
}

// first is the slot in which looking for a hash begins; false if that is free.
func (x *pairIndex) first(hash uint32) (slot int, ok bool) {
	slot = int(hash) & (len(x.slots) - 1)
	return slot, x.slots[slot].place != 0
}

// next is the slot after one; false if that is free.
func (x *pairIndex) next(slot int) (int, bool) {
	slot = (slot + 1) & (len(x.slots) - 1)
	return slot, x.slots[slot].place != 0
}

// add takes in the place of a pair with that hash, which has none yet.
func (x *pairIndex) add(hash uint32, place int) {
	if 2*(x.used+1) > len(x.slots) {
		x.grow()
	}
	x.used++
	x.put(pairSlot{hash, uint32(place + 1)})
}

// put takes the first free slot for what is to be found.
func (x *pairIndex) put(what pairSlot) {
	s, taken := x.first(what.hash)
	for taken {
		s, taken = x.next(s)
	}
	x.slots[s] = what
}

// grow makes twice as many slots.
func (x *pairIndex) grow() {
	old := x.slots
	x.slots = make([]pairSlot, 2*len(old))
	for _, s := range old {
		if s.place != 0 {
			x.put(s)
		}
	}
}

// clear forgets all places, and keeps the slots.
func (x *pairIndex) clear() {
	clear(x.slots)
	x.used = 0
}
