package main

// key is a four-tuple of IPv4, 12 octets.
type key struct {
	a, b   uint32
	ap, bp uint16
}

// ordered is the same for both directions.
func (k key) ordered() key {
	if k.a > k.b || k.a == k.b && k.ap > k.bp {
		return key{k.b, k.a, k.bp, k.ap}
	}
	return k
}

// hash mixes all bits of the key (the finalizer of SplitMix64).
func (k key) hash() uint32 {
	h := uint64(k.a)<<32 | uint64(k.b)
	h ^= (uint64(k.ap)<<16 | uint64(k.bp)) * 0x9e3779b97f4a7c15
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return uint32(h^h>>31) | 1 // 0 is an empty slot
}

// connection is what is counted.
type connection struct {
	key      key
	segments uint64
	octets   uint64
	last     int64
	seq, ack uint32
	flags    byte
}

// slot caches the hash of its connection, so that a look at another costs no memory access.
type slot struct{ hash, index uint32 }

// table is open addressing with linear probing, at most half full.
type table struct {
	slots []slot
	conns []connection
	used  int
}

func newTable() *table { return &table{slots: make([]slot, 1024)} }

// find is the connection with that key, new if there is none. It is valid until the next call.
func (t *table) find(k key) *connection {
	hash := k.hash()
	mask := uint32(len(t.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		s := &t.slots[i]
		if s.hash == hash && t.conns[s.index].key == k {
			return &t.conns[s.index]
		}
		if s.hash == 0 {
			return t.insert(k, hash)
		}
	}
}

func (t *table) insert(k key, hash uint32) *connection {
	if t.used++; 2*t.used > len(t.slots) {
		t.grow()
	}
	t.place(slot{hash, uint32(len(t.conns))})
	t.conns = append(t.conns, connection{key: k})
	return &t.conns[len(t.conns)-1]
}

func (t *table) grow() {
	old := t.slots
	t.slots = make([]slot, 2*len(old))
	for _, s := range old {
		if s.hash != 0 {
			t.place(s)
		}
	}
}

// place puts a slot at the first free place from its hash on.
func (t *table) place(s slot) {
	mask := uint32(len(t.slots) - 1)
	i := s.hash & mask
	for t.slots[i].hash != 0 {
		i = (i + 1) & mask
	}
	t.slots[i] = s
}

func (t *table) total() (segments, octets uint64) {
	for i := range t.conns {
		segments += t.conns[i].segments
		octets += t.conns[i].octets
	}
	return segments, octets
}
