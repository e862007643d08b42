package reassembly

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"net/netip"
	"slices"
)

// canonical is the tuple of two endpoints and which side of it src is: 0 or 1.
func canonical(src, dst netip.AddrPort) (tuple, int) {
	a, b := src.Addr().As16(), dst.Addr().As16()
	order := bytes.Compare(a[:], b[:])
	if order < 0 || order == 0 && src.Port() <= dst.Port() {
		return tuple{a, b, src.Port(), dst.Port()}, 0
	}
	return tuple{b, a, dst.Port(), src.Port()}, 1
}

// seeds are another in every run, so that nobody can choose addresses whose hashes are alike.
var seeds = [3]uint64{rand.Uint64(), rand.Uint64(), rand.Uint64()}

// hash mixes all bits of the tuple by multiplication and folding. The order of nothing depends on
// it.
func (k *tuple) hash() uint32 {
	m0, m1, m2 := seeds[0], seeds[1], seeds[2]
	h := fold(binary.LittleEndian.Uint64(k.a[:])^m0, binary.LittleEndian.Uint64(k.a[8:])^m1)
	h ^= fold(binary.LittleEndian.Uint64(k.b[:])^m1, binary.LittleEndian.Uint64(k.b[8:])^m2)
	h = fold(h^m2, (uint64(k.ap)<<16|uint64(k.bp))^m0)
	return uint32(h ^ h>>32)
}

func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// at is an entry by its index. Entries stand in pages, so that they stay where they are when the
// table grows.
func (t *Table) at(i int32) *entry { return &t.pages[i>>pageBits][i&(pageSize-1)] }

// find is the index of the entry of a tuple, -1 if there is none.
func (t *Table) find(key *tuple, hash uint32) int32 {
	mask := uint32(len(t.slots) - 1)
	for at := hash & mask; t.slots[at] != 0; at = (at + 1) & mask {
		i := t.slots[at] - 1
		if e := t.at(i); e.hash == hash && e.key == *key {
			return i
		}
	}
	return -1
}

// insert makes an entry for a tuple that has none.
func (t *Table) insert(key tuple, hash uint32) int32 {
	if used := t.Open() + t.count[listFinished]; used*4 >= len(t.slots)*3 {
		t.grow()
	}
	i := t.head[listFree]
	if i >= 0 {
		t.unlink(i)
	} else {
		if int(t.used)>>pageBits == len(t.pages) {
			t.pages = append(t.pages, new([pageSize]entry))
		}
		i = t.used
		t.used++
	}
	*t.at(i) = entry{key: key, hash: hash, next: -1, prev: -1, list: lists}
	t.put(i)
	return i
}

// put enters an entry into the slots.
func (t *Table) put(i int32) {
	mask := uint32(len(t.slots) - 1)
	at := t.at(i).hash & mask
	for t.slots[at] != 0 {
		at = (at + 1) & mask
	}
	t.slots[at] = i + 1
}

// grow doubles the slots.
func (t *Table) grow() {
	t.slots = make([]int32, 2*len(t.slots))
	for i := range t.used {
		if t.at(i).list != listFree {
			t.put(i)
		}
	}
}

// remove frees an entry. What was displaced by it moves up, so that searches stay short without
// tombstones.
func (t *Table) remove(i int32) {
	mask := uint32(len(t.slots) - 1)
	at := t.at(i).hash & mask
	for t.slots[at] != i+1 {
		at = (at + 1) & mask
	}
	for next := (at + 1) & mask; t.slots[next] != 0; next = (next + 1) & mask {
		home := t.at(t.slots[next]-1).hash & mask
		if (next-home)&mask >= (next-at)&mask {
			t.slots[at] = t.slots[next]
			at = next
		}
	}
	t.slots[at] = 0
	t.at(i).conn = nil
	t.move(i, listFree)
}

func sortByID(conns []ended) {
	slices.SortStableFunc(conns, func(a, b ended) int { return a.conn.ID - b.conn.ID })
}
