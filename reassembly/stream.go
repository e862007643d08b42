package reassembly

import (
	"math"
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
)

// chunk is a range of a stream that arrived before what precedes it.
type chunk struct {
	lo, hi int64
	data   []byte // its octets, hi-lo of them; nil if none were kept
	// the octets are needed but not there: the frame was cut, or the buffer was full
	lost  bool
	seen  capture.Mark   // the segment that ends it
	since time.Duration  // when the segment passed that begins it
	mark  mark           // of that
	heard exchange.Heard // what its sender had acknowledged by then of the other stream
}

// stream puts one direction's octets in order. The Frontier of its Half is how far it got.
type stream struct {
	pend   []chunk // beyond the frontier: disjoint and sorted
	held   int     // octets kept in pend
	fin    int64   // offset of the FIN, valid with hasFin
	hasFin bool
	over   bool // the FIN was delivered
}

// maxChunks caps how many ranges wait behind holes in one direction. If there are more, the first
// hole is given up.
const maxChunks = 2048

// search is the index of the first chunk that ends after off.
func (s *stream) search(off int64) int {
	lo, hi := 0, len(s.pend)
	for lo < hi {
		mid := (lo + hi) / 2
		if s.pend[mid].hi > off {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}

// seen reports whether the octet at off was seen beyond the frontier.
func (s *stream) seen(off int64) bool {
	i := s.search(off)
	return i < len(s.pend) && s.pend[i].lo <= off
}

// above is the first chunk after off, nil if there is none.
func (s *stream) above(off int64) *chunk {
	if i := s.search(off); i < len(s.pend) {
		return &s.pend[i]
	}
	return nil
}

// conflicts reports whether data at off differs from what is kept of an earlier copy.
func (s *stream) conflicts(off int64, data []byte) bool {
	end := off + int64(len(data))
	for i := s.search(off); i < len(s.pend) && s.pend[i].lo < end; i++ {
		c := &s.pend[i]
		lo, hi := max(off, c.lo), min(end, c.hi)
		if c.data != nil && string(c.data[lo-c.lo:hi-c.lo]) != string(data[lo-off:hi-off]) {
			return true
		}
	}
	return false
}

// insert puts a chunk into a hole at index i.
func (s *stream) insert(i int, in chunk) {
	if in.data == nil && i > 0 {
		// Without content only the extent matters, so that a long body behind a hole is one chunk.
		if p := &s.pend[i-1]; p.data == nil && p.hi == in.lo && p.lost == in.lost {
			p.hi, p.seen = in.hi, in.seen
			return
		}
	}
	s.held += len(in.data)
	s.pend = append(s.pend, chunk{})
	copy(s.pend[i+1:], s.pend[i:])
	s.pend[i] = in
}

// drop removes the first n chunks and tells how many octets they held.
func (s *stream) drop(n int) int {
	dropped := 0
	for i := range s.pend[:n] {
		dropped += len(s.pend[i].data)
	}
	s.held -= dropped
	rest := copy(s.pend, s.pend[n:])
	clear(s.pend[rest:])
	s.pend = s.pend[:rest]
	if rest == 0 && cap(s.pend) > keepIdle {
		s.pend = nil
	}
	return dropped
}

// arrive takes a segment's octets [off, off+n) into dir's stream and delivers what is in order now.
// data may be shorter than n. It is called after the segment's record was added.
func (k *track) arrive(dir Dir, off, n int64, data []byte, m mark, at capture.Mark) {
	h, s := &k.c.Half[dir], &k.side[dir].stream
	if s.hasFin { // nothing follows a FIN
		n = max(0, min(n, s.fin-off))
		data = data[:min(n, int64(len(data)))]
	}
	if off > h.Frontier {
		k.store(dir, off, n, data, m, at)
		return
	}
	if cut := h.Frontier - off; cut > 0 {
		if cut >= n {
			return
		}
		off, n, data = off+cut, n-cut, data[min(cut, int64(len(data))):]
	}
	for n > 0 { // what lies behind a chunk that came earlier is not part of the first piece
		piece := n
		if len(s.pend) > 0 {
			piece = min(n, max(s.pend[0].lo-off, 0))
		}
		if piece > 0 {
			in := data[:min(piece, int64(len(data)))]
			k.deliver(dir, off, piece, in, at, at, k.heard(dir))
		}
		k.flush(dir, at, true)
		cut := h.Frontier - off
		if cut >= n || cut <= 0 {
			return
		}
		off, n, data = off+cut, n-cut, data[min(cut, int64(len(data))):]
	}
}

// deliver moves the frontier over n octets at off and hands them to the application. Their sender
// had acknowledged so much of the other stream.
func (k *track) deliver(
	dir Dir,
	off, n int64,
	data []byte,
	seen, at capture.Mark,
	heard exchange.Heard,
) {
	h := &k.c.Half[dir]
	h.Frontier = off + n
	h.Bytes += n
	r, a := k.ensureReader(at), k.arrival(seen, at)
	a.Heard = heard
	if len(data) > 0 {
		r.Data(dir, off, data, a)
	}
	if rest := n - int64(len(data)); rest > 0 {
		k.c.Caveats.Add(CaveatSnapped)
		r.Gap(dir, off+int64(len(data)), rest, k.arrival(at, at))
	}
}

// heard is what the sender of dir has acknowledged so far of what its peer sends.
func (k *track) heard(dir Dir) exchange.Heard {
	p := &k.c.Half[dir.Peer()]
	return exchange.Heard{To: p.Una, Unseen: p.Una > p.Frontier}
}

// store keeps what came out of order, as far as it was not seen before.
func (k *track) store(dir Dir, off, n int64, data []byte, m mark, at capture.Mark) {
	s := &k.side[dir].stream
	need := k.needed(dir)
	end := off + n
	for off < end {
		i := s.search(off)
		if i < len(s.pend) && s.pend[i].lo <= off {
			off = s.pend[i].hi
			continue
		}
		hi := end
		if i < len(s.pend) {
			hi = min(hi, s.pend[i].lo)
		}
		c := chunk{
			lo: off, hi: hi, seen: at, since: at.Time, mark: m, heard: k.heard(dir),
		}
		k.keep(&c, need, dataAt(data, end-n, off, hi))
		s.insert(i, c)
		off = hi
	}
	for len(s.pend) > maxChunks {
		k.c.Caveats.Add(CaveatGivenUp)
		k.giveUp(dir, s.pend[0].lo, at)
	}
}

// dataAt is the part [lo, hi) of data that begins at off, or what there is of it.
func dataAt(data []byte, off, lo, hi int64) []byte {
	n := int64(len(data))
	return data[min(lo-off, n):min(hi-off, n)]
}

// keep copies a chunk's octets if the application will need them.
func (k *track) keep(c *chunk, need int64, data []byte) {
	switch {
	case c.hi <= need:
	case int64(len(data)) < c.hi-c.lo:
		c.lost = true
		k.c.Caveats.Add(CaveatSnapped)
	case k.held()+len(data) > k.t.limits.ConnBuffer || k.t.held+len(data) > k.t.limits.Buffer:
		c.lost = true
		k.c.Caveats.Add(CaveatBuffer)
	default:
		c.data = append([]byte(nil), data...)
		k.t.held += len(data)
	}
}

// held is how many octets wait in both directions.
func (k *track) held() int { return k.side[0].stream.held + k.side[1].stream.held }

// needed is the first offset of dir's stream whose content the application needs.
func (k *track) needed(dir Dir) int64 {
	if k.reader == nil {
		return k.c.Half[dir].Frontier
	}
	skip := k.reader.Skip(dir)
	if skip > math.MaxInt64/2 {
		return math.MaxInt64
	}
	return k.c.Half[dir].Frontier + skip
}

// flush delivers the chunks that the frontier has reached, and the FIN. What is missing before them
// arrived at their receiver in the end, or, if only the capture lacks it, when it should have: then
// late is false, and each is as early as its segment.
func (k *track) flush(dir Dir, at capture.Mark, late bool) {
	h, s := &k.c.Half[dir], &k.side[dir].stream
	n := 0
	for n < len(s.pend) && s.pend[n].lo <= h.Frontier && !s.complete(h) {
		c := &s.pend[n]
		switch size := c.hi - c.lo; {
		case c.data != nil && late:
			k.deliver(dir, c.lo, size, c.data, c.seen, at, c.heard)
		case c.data != nil:
			k.deliver(dir, c.lo, size, c.data, c.seen, c.seen, c.heard)
		case c.lost:
			h.Frontier, h.Bytes = c.hi, h.Bytes+size
			k.ensureReader(at).Gap(dir, c.lo, size, k.arrival(at, at))
		default:
			h.Frontier, h.Bytes = c.hi, h.Bytes+size
			k.ensureReader(at).Skipped(dir, c.lo, size, k.arrival(c.seen, at))
		}
		n++
	}
	if n > 0 {
		k.t.held -= s.drop(n)
	}
	if s.complete(h) && !s.over {
		s.over = true
		h.Frontier = max(h.Frontier, s.fin+1)
		k.t.held -= s.drop(len(s.pend)) // nothing follows a FIN
		if k.reader != nil {
			k.reader.Fin(dir, at)
		}
	}
}

// complete reports whether all octets before the FIN were delivered.
func (s *stream) complete(h *Half) bool { return s.hasFin && h.Frontier >= s.fin }

// ensureReader is the reader of the streams, made when there is something to read.
func (k *track) ensureReader(at capture.Mark) exchange.Reader {
	if k.reader != nil {
		return k.reader
	}
	k.makeContext()
	k.reader = k.t.shared.Readers.Recognise(&k.context)
	for dir := range k.side {
		if k.side[dir].stream.over { // it closed before anything was said
			k.reader.Fin(Dir(dir), at)
		}
	}
	return k.reader
}

// makeContext is what readers are given.
func (k *track) makeContext() {
	k.context = exchange.Context{
		Transcript: &k.c.Transcript,
		Caveats:    &k.c.Caveats,
		TCP:        transport{k},
		Shared:     &k.t.shared,
	}
}

// arrival is how octets came that arrive in order with the segment in hand.
func (k *track) arrival(seen, at capture.Mark) *exchange.Arrival {
	k.t.arrival = exchange.Arrived(seen, at, max(k.latest(), 0))
	return &k.t.arrival
}

// transport tells the reader what it may ask of the connection.
type transport struct{ k *track }

// RoundTrip is the least round trip between client and server.
func (t transport) RoundTrip() time.Duration { return t.k.c.RTTMin() }

// Acknowledged is the offset up to which dir's stream has been acknowledged.
func (t transport) Acknowledged(dir Dir) int64 { return t.k.c.Half[dir].Una }

// MidStream reports whether the capture lacks the beginning of the connection: all of it, or its
// SYN-ACK, without which nobody knows where the server's stream begins.
func (t transport) MidStream() bool {
	c := t.k.c
	return c.MidStream || len(c.SYNs) > 0 && len(c.SYNACKs) == 0
}

// Lacks reports whether the peer has acknowledged octets of dir that have not been seen, or the
// number of a RST of dir is behind such, or what lies behind a hole came so lately that no
// sender would have repaired a loss by then.
func (t transport) Lacks(dir Dir) bool {
	h, d := &t.k.c.Half[dir], &t.k.side[dir]
	pend := d.stream.pend
	return h.Una > h.Frontier || d.beyond ||
		len(pend) > 0 && t.k.now-pend[0].since < rtoMin
}
