package sockets

// ring remembers the latest so many sockets.
type ring[T any] struct {
	items map[tuple]T
	order []tuple // round and round
	next  int
}

func newRing[T any](most int) ring[T] {
	return ring[T]{items: map[tuple]T{}, order: make([]tuple, most)}
}

// of is what is remembered of a socket; zero for nothing.
func (r *ring[T]) of(at tuple) T { return r.items[at] }

// put remembers something, in the place of what has been there longest.
func (r *ring[T]) put(at tuple, item T) {
	if _, there := r.items[at]; !there {
		delete(r.items, r.order[r.next])
		r.order[r.next] = at
		r.next = (r.next + 1) % len(r.order)
	}
	r.items[at] = item
}

// take is of, and forgets it. Its place in the order stays until the others come round: what is put
// there again meanwhile may go sooner.
func (r *ring[T]) take(at tuple) T {
	item := r.items[at]
	delete(r.items, at)
	return item
}
