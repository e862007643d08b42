package analysis

import (
	"sync"

	"tcpwhy/analysis/internal/ledger"
)

// slabSize is how many values a slab allocates at once.
const slabSize = 32

// slab hands out zero values that it allocates many at a time. One that is kept keeps its
// neighbours: it is for what goes soon, like events. On captures of short connections it saves a
// tenth of the allocations.
type slab[T any] struct{ room []T }

// slabs are those of a worker, for its events.
type slabs struct {
	began slab[beganExchange]
	over  slab[overExchange]
	gone  slab[overConn]
	jobs  *sync.Pool // of *draft; the judge gives back those of which nothing is kept
}

// draft is an empty draft.
func (s *slabs) draft() *draft {
	if d, ok := s.jobs.Get().(*draft); ok {
		return d
	}
	return &draft{}
}

// recycle gives back a job that has been judged, unless something of it may be kept: evidence of
// its claims, or a claim that waits.
func (j *judge) recycle(job *draft) {
	if len(job.claims) > 0 || len(job.once) > 0 || job.syn != nil || job.Traced {
		return
	}
	job.empty()
	j.jobs.Put(job)
}

// empty forgets everything but the room of the lists.
func (j *draft) empty() {
	*j = draft{Exchange: ledger.Exchange{
		Waits:    j.Waits[:0],
		Rounds:   j.Rounds[:0],
		UpRounds: j.UpRounds[:0],
		Holds:    j.Holds[:0],
		Held:     j.Held[:0],
		Lone:     j.Lone[:0],
	}}
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
