package rule

import (
	"cmp"
	"time"
)

// Agenda is what waits for its moment. What is taken from it, and when, depends for each entry on
// its own moment alone: an entry that waits longer holds up no other.
type Agenda[T any] struct {
	entries []appointment[T] // a heap: none is due before the one at half its index
	added   uint64           // entries so far
}

type appointment[T any] struct {
	at    time.Duration
	order uint64 // how many were added before
	value T
}

// compare puts what is due first first; of one moment, what was added first.
func (a *appointment[T]) compare(b *appointment[T]) int {
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.order, b.order))
}

// Len is how many wait.
func (a *Agenda[T]) Len() int { return len(a.entries) }

// Add lets v wait for a moment.
func (a *Agenda[T]) Add(at time.Duration, v T) {
	a.entries = append(a.entries, appointment[T]{at, a.added, v})
	a.added++
	for i := len(a.entries) - 1; i > 0; {
		above := (i - 1) / 2
		if a.entries[i].compare(&a.entries[above]) >= 0 {
			break
		}
		a.entries[i], a.entries[above] = a.entries[above], a.entries[i]
		i = above
	}
}

// Due takes an entry whose moment is before now: the first; false if there is none.
func (a *Agenda[T]) Due(now time.Duration) (v T, ok bool) {
	if len(a.entries) == 0 || a.entries[0].at >= now {
		return v, false
	}
	return a.Next()
}

// Next takes the first entry, due or not; false if there is none.
func (a *Agenda[T]) Next() (v T, ok bool) {
	n := len(a.entries) - 1
	if n < 0 {
		return v, false
	}
	v = a.entries[0].value
	a.entries[0] = a.entries[n]
	a.entries[n] = appointment[T]{}
	a.entries = a.entries[:n]
	a.sink()
	return v, true
}

// sink puts the entry on top where it belongs.
func (a *Agenda[T]) sink() {
	for i := 0; ; {
		least := i
		for below := 2*i + 1; below <= 2*i+2 && below < len(a.entries); below++ {
			if a.entries[below].compare(&a.entries[least]) < 0 {
				least = below
			}
		}
		if least == i {
			return
		}
		a.entries[i], a.entries[least] = a.entries[least], a.entries[i]
		i = least
	}
}
