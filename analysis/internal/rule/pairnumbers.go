package rule

import (
	"hash/maphash"
	"math/bits"

	"tcpwhy/analysis/report"
)

const (
	// manyNumbers is from how many numbers on it is looked at which are no longer used; afterwards
	// from twice as many as still are.
	manyNumbers = 1 << 16
	// latelyFound is how many pairs are found without looking for them: about one event most tables
	// are asked for the same few.
	latelyFound = 64
)

// PairNumbers numbers pairs of client and service for the tables that keep something of them. A
// number is used again when no table has an entry for its pair.
type PairNumbers struct {
	pairs  []numbered // by number
	free   []uint32   // numbers that nobody uses
	index  pairIndex
	tables []interface{ used(func(number uint32)) }
	most   int                 // numbers, before it is looked at who uses them
	lately [latelyFound]uint32 // numbers, counted from 1, at places that their pairs have; 0: none
}

// numbered is a pair with its hash.
type numbered struct {
	report.Pair
	hash uint32
}

// pair is the pair with that number, which an entry has.
func (n *PairNumbers) pair(number uint32) *report.Pair { return &n.pairs[number].Pair }

// find is the number of a pair; false if it has none.
func (n *PairNumbers) find(p report.Pair) (number uint32, known bool) {
	lately := &n.lately[place(&p)]
	if *lately > 0 && n.pairs[*lately-1].Pair == p {
		return *lately - 1, true
	}
	hash := n.index.hash(&p)
	for s, ok := n.index.first(hash); ok; s, ok = n.index.next(s) {
		if at := &n.index.slots[s]; at.hash == hash && n.pairs[at.place-1].Pair == p {
			*lately = at.place
			return at.place - 1, true
		}
	}
	return 0, false
}

// place is where a pair is looked for first. It need not be well spread.
func place(p *report.Pair) uint64 {
	const odd = 0x9e3779b97f4a7c15 // 2⁶⁴ over the golden ratio: spreads what is close together
	client, server := p.Client.As16(), p.Server.Addr().As16()
	h := uint64(client[13])<<40 | uint64(client[14])<<32 | uint64(client[15])<<24 |
		uint64(server[15])<<16 | uint64(p.Server.Port())
	return h * odd >> (64 - bits.Len(latelyFound-1))
}

// add numbers a pair that has no number.
func (n *PairNumbers) add(p report.Pair) uint32 {
	if n.most = max(n.most, manyNumbers); len(n.pairs)-len(n.free) >= n.most {
		n.sweep()
	}
	all := numbered{p, n.index.hash(&p)}
	number := uint32(len(n.pairs))
	if last := len(n.free) - 1; last >= 0 {
		number = n.free[last]
		n.free = n.free[:last]
		n.pairs[number] = all
	} else {
		n.pairs = append(n.pairs, all)
	}
	n.index.add(all.hash, int(number))
	n.lately[place(&p)] = number + 1
	return number
}

// sweep takes the numbers back that no table uses.
func (n *PairNumbers) sweep() {
	used := make([]bool, len(n.pairs))
	for _, t := range n.tables {
		t.used(func(number uint32) { used[number] = true })
	}
	n.index.clear()
	clear(n.lately[:])
	n.free = n.free[:0]
	for number := range n.pairs {
		if used[number] {
			n.index.add(n.pairs[number].hash, number)
			continue
		}
		n.pairs[number] = numbered{}
		n.free = append(n.free, uint32(number))
	}
	n.most = 2 * (len(n.pairs) - len(n.free))
}

// pairIndex finds numbers of pairs by their hashes. Its slots hold no pointers and lie
// together, a hash beside each: of pairs that are not the one only numbers are read.
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
func (x *pairIndex) hash(p *report.Pair) uint32 {
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
