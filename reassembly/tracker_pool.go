package reassembly

const (
	// spareRecords is the capacity of a history that is worth keeping for another connection: a
	// handshake, a short exchange and a close.
	spareRecords = 16
	// maxSpare caps how many states and histories are kept.
	maxSpare = 256
)

// pool keeps the memory of closed connections for new ones. It belongs to one Tracker.
type pool struct {
	tracks    []*track
	histories [][]Record
}

// track is an empty state.
func (p *pool) track() *track {
	n := len(p.tracks)
	if n == 0 {
		return &track{}
	}
	k := p.tracks[n-1]
	p.tracks = p.tracks[:n-1]
	return k
}

// history is an empty history of at least spareRecords.
func (p *pool) history() []Record {
	n := len(p.histories)
	if n == 0 {
		return make([]Record, 0, spareRecords)
	}
	h := p.histories[n-1]
	p.histories = p.histories[:n-1]
	return h
}

// keep takes the memory of a connection that is over.
func (p *pool) keep(k *track) {
	if n := cap(k.c.Records); n >= spareRecords && n <= 4*spareRecords &&
		len(p.histories) < maxSpare {
		p.histories = append(p.histories, k.c.Records[:0])
	}
	k.c.Records = nil
	if len(p.tracks) == maxSpare {
		return
	}
	var queues [2][]tx
	over := k.over
	for dir := range k.side {
		if q := k.side[dir].sent.q; cap(q) <= keepIdle {
			queues[dir] = q[:0]
		}
	}
	*k = track{}
	if cap(over) <= keepIdle {
		k.over = over[:0]
	}
	for dir := range k.side {
		k.side[dir].sent.q = queues[dir]
	}
	p.tracks = append(p.tracks, k)
}
