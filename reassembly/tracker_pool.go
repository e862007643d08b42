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
	dialogues []*dialogue
	https     []*httpApp
}

// dialogue reads connection c, of which nothing is known yet.
func (p *pool) dialogue(c *Conn) *dialogue {
	n := len(p.dialogues)
	if n == 0 {
		return &dialogue{c: c, spare: p}
	}
	d := p.dialogues[n-1]
	p.dialogues = p.dialogues[:n-1]
	d.c, d.spare = c, p
	return d
}

// http reads connection c as HTTP/1.
func (p *pool) http(c *Conn) *httpApp {
	n := len(p.https)
	if n == 0 {
		return new(httpApp).start(c)
	}
	h := p.https[n-1]
	p.https = p.https[:n-1]
	return h.start(c)
}

// keepApp takes the memory of what read a connection that is over.
func (p *pool) keepApp(a app) {
	d, ok := a.(*dialogue)
	if !ok || len(p.dialogues) == maxSpare {
		return
	}
	if h, ok := d.inner.(*httpApp); ok && len(p.https) < maxSpare {
		h.empty()
		p.https = append(p.https, h)
	}
	*d = dialogue{}
	p.dialogues = append(p.dialogues, d)
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
	p.keepApp(k.app)
	if len(p.tracks) == maxSpare {
		return
	}
	var queues [2][]tx
	for dir := range k.side {
		if q := k.side[dir].sent.q; cap(q) <= keepIdle {
			queues[dir] = q[:0]
		}
	}
	*k = track{}
	for dir := range k.side {
		k.side[dir].sent.q = queues[dir]
	}
	p.tracks = append(p.tracks, k)
}
