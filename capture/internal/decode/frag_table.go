package decode

import "tcpwhy/capture/internal/header"

// What may wait for the rest of its datagram. RFC 791 §3.2 suggests a timer of 15 s, Linux and RFC
// 8200 §4.5 take 30 s and 60 s.
const (
	fragTimeout   = 30e9    // ns of capture time since the first fragment
	fragDatagrams = 1 << 10 // datagrams that wait
	fragOctets    = 4 << 20 // memory held by them
	fragPieces    = 1 << 10 // pieces of one datagram; 64 KiB in pieces of 576 octets are 120
	fragMaxEnd    = 1<<16 - 1
	fragRecent    = 64 // datagrams remembered after they became whole
	// ns in which copies of their fragments may come, before or after: what a switch or bridge
	// takes
	fragCopies = 2e6
)

// fragKey names a datagram (RFC 791 §3.2, RFC 8200 §4.5), as one interface saw it.
type fragKey struct {
	src, dst [16]byte
	id       uint32
	iface    uint32
	v6       bool
	protocol uint8 // 0 for IPv6, where only the first fragment's counts
}

// fragment is what the headers say about one fragment.
type fragment struct {
	key    fragKey
	offset int
	more   bool            // not the last
	next   header.Protocol // what the datagram carries
}

// piece is a range of a datagram and the captured octets of it, which may be fewer if the frame was
// cut.
type piece struct {
	start, end int32
	at, n      int32 // in datagram.data
}

// datagram is what has come of one datagram. Its pieces are in order and do not overlap: the first
// to bring an octet wins, so that what comes later cannot rewrite what was seen.
type datagram struct {
	key          fragKey
	first        int64 // time of the fragment that came first
	total        int   // octets of the whole, or -1 until the last fragment is there
	have         int
	next         header.Protocol
	pieces       []piece
	data         []byte
	older, newer *datagram
}

// fragTable holds the datagrams that wait, oldest first, and remembers those that lately became
// whole.
type fragTable struct {
	waiting        map[fragKey]*datagram
	oldest, newest *datagram
	octets         int
	whole          []byte // the datagram that became whole last
	recent         [fragRecent]finished
	recentNext     int
}

// finished is a datagram that became whole. Copies of its fragments from another point of the same
// host would otherwise wait in vain.
type finished struct {
	key  fragKey
	time int64
	used bool
}

func (t *fragTable) init() { t.waiting = make(map[fragKey]*datagram) }

// add takes in a fragment. If its datagram is whole now, that is returned and its octets are in
// t.whole, up to the first that were not captured. lost is how many datagrams were given up to make
// room, or for their age.
func (t *fragTable) add(f fragment, p []byte, wire int, now int64) (whole *datagram, lost uint64) {
	lost = t.expire(now)
	g := t.waiting[f.key]
	if g == nil {
		if t.finishedLately(f.key, now) {
			return nil, lost
		}
		if len(t.waiting) >= fragDatagrams {
			lost += t.giveUp(t.oldest)
		}
		g = t.open(f.key, now)
	}
	before := g.memory()
	g.take(f, p, wire)
	t.octets += g.memory() - before
	if g.have == g.total {
		t.assemble(g)
		t.remember(g.key, now)
		t.remove(g)
		return g, lost
	}
	for t.octets > fragOctets && t.oldest != nil {
		lost += t.giveUp(t.oldest)
	}
	return nil, lost
}

// expire gives up what has waited too long.
func (t *fragTable) expire(now int64) (lost uint64) {
	for t.oldest != nil && now-t.oldest.first > fragTimeout {
		lost += t.giveUp(t.oldest)
	}
	return lost
}

// drain gives up everything.
func (t *fragTable) drain() (lost uint64) {
	for t.oldest != nil {
		lost += t.giveUp(t.oldest)
	}
	return lost
}

func (t *fragTable) giveUp(g *datagram) uint64 {
	t.remove(g)
	return 1
}

// open starts a datagram, as the newest.
func (t *fragTable) open(key fragKey, now int64) *datagram {
	g := &datagram{key: key, first: now, total: -1, older: t.newest}
	if t.newest != nil {
		t.newest.newer = g
	} else {
		t.oldest = g
	}
	t.newest = g
	t.waiting[key] = g
	return g
}

func (t *fragTable) remove(g *datagram) {
	if g.older != nil {
		g.older.newer = g.newer
	} else {
		t.oldest = g.newer
	}
	if g.newer != nil {
		g.newer.older = g.older
	} else {
		t.newest = g.older
	}
	t.octets -= g.memory()
	delete(t.waiting, g.key)
}

func (t *fragTable) remember(key fragKey, now int64) {
	t.recent[t.recentNext] = finished{key: key, time: now, used: true}
	t.recentNext = (t.recentNext + 1) % fragRecent
}

func (t *fragTable) finishedLately(key fragKey, now int64) bool {
	for i := range t.recent {
		r := &t.recent[i]
		if r.used && r.key == key && now-r.time <= fragCopies && r.time-now <= fragCopies {
			return true
		}
	}
	return false
}

// assemble puts the octets of g into t.whole, up to the first that were not captured.
func (t *fragTable) assemble(g *datagram) {
	t.whole = t.whole[:0]
	for _, p := range g.pieces {
		t.whole = append(t.whole, g.data[p.at:p.at+p.n]...)
		if p.n < p.end-p.start {
			return
		}
	}
}

// memory is how many octets g holds, useful or not.
func (g *datagram) memory() int { return cap(g.data) + 16*cap(g.pieces) }

// take adds what a fragment brings that was not there yet. One that contradicts the known end is
// ignored.
func (g *datagram) take(f fragment, p []byte, wire int) {
	start, end := f.offset, f.offset+wire
	if g.total >= 0 && (end > g.total || !f.more && end != g.total) {
		return
	}
	if !f.more && g.total < 0 {
		if n := len(g.pieces); n > 0 && int(g.pieces[n-1].end) > end {
			return
		}
		g.total = end
	}
	if f.offset == 0 && (len(g.pieces) == 0 || g.pieces[0].start != 0) {
		g.next = f.next
	}
	i := 0
	for start < end && len(g.pieces) < fragPieces {
		switch {
		case i < len(g.pieces) && int(g.pieces[i].start) <= start:
			start = max(start, int(g.pieces[i].end))
		case i < len(g.pieces) && int(g.pieces[i].start) < end:
			stop := int(g.pieces[i].start)
			g.insert(i, start, stop, p, f.offset)
			start = stop
		default:
			g.insert(i, start, end, p, f.offset)
			start = end
		}
		i++
	}
}

// insert puts the range [start, end) before piece i, with its octets from p, which starts at base.
func (g *datagram) insert(i, start, end int, p []byte, base int) {
	octets := p[min(start-base, len(p)):min(end-base, len(p))]
	g.pieces = append(g.pieces, piece{})
	copy(g.pieces[i+1:], g.pieces[i:])
	g.pieces[i] = piece{int32(start), int32(end), int32(len(g.data)), int32(len(octets))}
	g.data = append(g.data, octets...)
	g.have += end - start
}
