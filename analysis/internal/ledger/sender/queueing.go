package sender

import "time"

// queueing follows by how much round trips are longer than the least.
type queueing struct {
	// by how much the latest acknowledgments came later than the least round trip, latest first
	excess [3]time.Duration
	// acknowledgments in a row that came while two full segments and more were on their way
	behind int
	most   time.Duration // by how much round trips grew at most during the message in hand
}

// add takes note of an acknowledgment that came later than the least round trip by so much. A
// single one may have waited at its host; a queue shows in each of several, and not while something
// is missing. deep tells that two full segments and more were on their way: with less there is
// nothing that could queue, and little enough for its acknowledgment to be delayed (RFC 1122
// §4.2.3.2). complete tells that no loss made the acknowledgment late.
func (q *queueing) add(excess time.Duration, deep, complete bool) {
	q.excess = [3]time.Duration{excess, q.excess[0], q.excess[1]}
	if q.behind++; !deep {
		q.behind = 0
	}
	if complete {
		q.grow(q.seen())
	}
}

// grow takes note of a queue of the given length.
func (q *queueing) grow(by time.Duration) { q.most = max(q.most, by) }

// least is by how much all of the latest acknowledgments were late.
func (q *queueing) least() time.Duration { return min(q.excess[0], q.excess[1], q.excess[2]) }

// seen is the same where each of them came while there was something that could queue; else 0.
func (q *queueing) seen() time.Duration {
	if q.behind < len(q.excess) {
		return 0
	}
	return q.least()
}
