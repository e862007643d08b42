package reassembly

import "time"

// tx is one segment that was sent and is not acknowledged.
type tx struct {
	seq, end    int64
	first, last time.Duration // when its first and its latest copy passed the capture point
	times       uint16        // copies seen
	// its acknowledgment measures a round trip: sent once, in order, not yet measured
	clean bool
}

// sentQueue is what one side has outstanding, in order of sequence. All operations are O(log n) or
// amortised O(1).
type sentQueue struct {
	q    []tx
	head int
}

const (
	// maxOutstanding caps a queue: 11 MiB in full Ethernet segments. The oldest go first; a
	// retransmission of one that went is still known as such, only its timer cannot be told.
	maxOutstanding = 8192
	// maxInsert is how far from the end of the queue a late segment may be put; what is further
	// down is not queued, so that no order of arrival costs more than moving this many entries.
	maxInsert = 256
	// maxMark caps how many entries one retransmission marks.
	maxMark = 64
	// keepIdle is the capacity that an idle queue keeps.
	keepIdle = 16
)

func (s *sentQueue) len() int { return len(s.q) - s.head }

// search is the index of the first entry that ends after off; len(s.q) if there is none.
func (s *sentQueue) search(off int64) int {
	lo, hi := s.head, len(s.q)
	for lo < hi {
		mid := (lo + hi) / 2
		if s.q[mid].end > off {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}

// find is the entry that covers off, or nil.
func (s *sentQueue) find(off int64) *tx {
	i := s.search(off)
	if i < len(s.q) && s.q[i].seq <= off {
		return &s.q[i]
	}
	return nil
}

// push queues a segment that starts at or after the end of all others.
func (s *sentQueue) push(seq, end int64, now time.Duration) {
	s.room()
	s.q = append(s.q, tx{seq: seq, end: end, first: now, last: now, times: 1, clean: true})
}

// room makes place for one more without growing beyond the cap.
func (s *sentQueue) room() {
	if s.len() >= maxOutstanding {
		s.head++
	}
	if s.head > 0 && len(s.q) == cap(s.q) && s.head >= len(s.q)/2 {
		n := copy(s.q, s.q[s.head:])
		s.q, s.head = s.q[:n], 0
	}
}

// late queues a segment below others whose octets were not seen before: overtaken, or the second
// copy of one that was lost. Its acknowledgment measures nothing.
func (s *sentQueue) late(seq, end int64, now time.Duration) {
	i := s.search(seq)
	if len(s.q)-i > maxInsert || (i < len(s.q) && s.q[i].seq < end) {
		return
	}
	s.room()
	i = s.search(seq)
	s.q = append(s.q, tx{})
	copy(s.q[i+1:], s.q[i:])
	s.q[i] = tx{seq: seq, end: end, first: now, last: now, times: 1}
}

// again notes another copy of [seq, end).
func (s *sentQueue) again(seq, end int64, now time.Duration) {
	for i, n := s.search(seq), 0; i < len(s.q) && s.q[i].seq < end && n < maxMark; i, n = i+1, n+1 {
		s.q[i].last, s.q[i].clean = now, false
		if s.q[i].times < 1<<16-1 {
			s.q[i].times++
		}
	}
}

// ack removes what una acknowledges. sent is when the latest of it first passed the capture point
// and ok says that this measures a round trip: none of it was sent twice or came late (Karn, RFC
// 6298 §3; what waited behind a hole is acknowledged late).
func (s *sentQueue) ack(una int64) (sent time.Duration, ok bool) {
	clean := true
	for s.head < len(s.q) && s.q[s.head].end <= una {
		e := &s.q[s.head]
		if e.clean {
			sent, ok = e.first, true
		}
		clean = clean && e.times == 1
		s.head++
	}
	if s.head < len(s.q) && s.q[s.head].seq < una {
		// Offload: one frame of many wire segments is acknowledged in parts. The first part
		// measures.
		if e := &s.q[s.head]; e.clean {
			sent, ok, e.clean = e.first, true, false
		}
	}
	if s.head == len(s.q) {
		s.reset()
	}
	return sent, ok && clean
}

// reset empties the queue, and gives back its memory if it has grown.
func (s *sentQueue) reset() {
	s.q, s.head = s.q[:0], 0
	if cap(s.q) > keepIdle {
		s.q = nil
	}
}
