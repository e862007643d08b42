package analysis

import (
	"sync"

	"tcpwhy/analysis/internal/rule"
)

// slabSize is how many values a slab allocates at once.
const slabSize = 32

// slab hands out zero values that it allocates many at a time. One that is kept keeps its
// neighbours: it is for what goes soon, like events. On captures of short connections it saves a
// tenth of the allocations.
type slab[T any] struct{ room []T }

// slabs are those of a worker, for its events.
type slabs struct {
	began slab[rule.Began]
	over  slab[rule.Over]
	gone  slab[rule.Gone]
	jobs  *sync.Pool // of *draft; the judge gives back those of which nothing is kept
}

// draft is an empty draft.
func (s *slabs) draft() *rule.Draft {
	if d, ok := s.jobs.Get().(*rule.Draft); ok {
		return d
	}
	return &rule.Draft{}
}

// take is the next value.
func (s *slab[T]) take() *T {
	if len(s.room) == 0 {
		s.room = make([]T, slabSize)
	}
	v := &s.room[0]
	s.room = s.room[1:]
	return v
}
