package tlsrecord

import (
	"math"

	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
)

// lose gives up the framing of one direction until something looks like a record.
func (t *reader) lose(s *side) {
	t.info.Unread = t.info.Unread || !t.finished
	s.lost, s.turn = true, false
	s.n, s.left = 0, 0
	s.hs = helloReader{}
}

// loseAt does so where the record at the offset off, and what follows it, is not known to be one.
func (t *reader) loseAt(s *side, off int64) {
	t.lose(s)
	s.lostAt = off
}

// find looks for a record in data, which begins a segment, after framing was lost: as many octets
// stand before it, all of them if there is none. Without keys only what begins a segment can be
// believed.
func (t *reader) find(s *side, off int64, data []byte) int {
	if t.mode == sealed || s.opener.stage == inClear {
		if !startsRecord(data) {
			return len(data)
		}
		s.lost = false
		return 0
	}
	if s.opener.misses >= maxMisses {
		return len(data)
	}
	minor := min(byte(t.session.hellos.Version), 3) // RFC 8446 §5.1: that of TLS 1.2 later, too
	for n := range data {
		if startsRecord(data[n:]) && data[n] == dataRecord && data[n+2] == minor {
			s.lost = false
			s.opener.lost += off + int64(n) - s.lostAt
			return n
		}
	}
	return len(data)
}

// unread takes octets without content: within a record they are counted; elsewhere they end the
// framing.
func (t *reader) unread(s *side, off, n int64, a *exchange.Arrival, facts exchange.Facts) {
	t.info.Unread = t.info.Unread || !t.finished
	s.end = off + n
	for n > 0 && !s.lost {
		if s.n < recordHeader {
			t.c.Caveats.Add(exchange.CaveatTLSGap)
			t.loseAt(s, off-int64(s.n))
			break
		}
		step := min(n, s.left)
		s.hs.lack(func(kind byte, body []byte) { t.cutHello(s, kind, body, a.At) })
		if s.collects {
			t.part(s, nil, step, true, a)
		} else {
			t.pass(s, off, step, a, facts)
		}
		off += step
		n -= step
	}
	t.passOver(s, off, n, a, facts)
}

// passOver takes n octets that stand in no record that is known.
func (t *reader) passOver(s *side, off, n int64, a *exchange.Arrival, facts exchange.Facts) {
	switch {
	case n == 0:
	case t.mode != sealed:
		t.unfound(s, off+n, a)
	case t.finished:
		// After the handshake nearly all octets are application data.
		t.turns.Add(s.dir, off, n, a, facts)
	}
}

// unfound takes octets up to off in which no record was found: once none is looked for any more,
// what is inside lacks them.
func (t *reader) unfound(s *side, off int64, a *exchange.Arrival) {
	if s.opener.misses < maxMisses {
		return
	}
	t.c.Caveats.Add(exchange.CaveatTLSSequence)
	if t.inner == nil {
		t.seal("")
		return
	}
	in := *a
	in.Unit = exchange.Range{From: a.From(s.lostAt), To: a.To(off)}
	t.lack(s, off-s.lostAt, &in)
	s.lostAt = off
}

// Skipped counts octets of records.
func (t *reader) Skipped(dir exchange.Dir, off, n int64, a *exchange.Arrival) {
	t.unread(&t.side[dir], off, n, a, 0)
}

// Gap counts octets of records.
func (t *reader) Gap(dir exchange.Dir, off, n int64, a *exchange.Arrival) {
	t.unread(&t.side[dir], off, n, a, exchange.HasGap)
}

// Skip is the rest of a record that cannot be read.
func (t *reader) Skip(dir exchange.Dir) int64 {
	s := &t.side[dir]
	switch {
	case t.mode != sealed:
		return 0
	case t.turns.Over():
		return math.MaxInt64
	case s.lost || s.n < recordHeader:
		return 0
	case s.head[0] == dataRecord || s.cipher:
		return s.left
	}
	return 0
}

// finish tells the turns what the records say about how whole they are.
func (t *reader) finish(at capture.Mark, ends ...exchange.Dir) {
	if t.mode == waiting {
		t.recheck(true)
	}
	for _, dir := range ends {
		a := exchange.Arrived(at, at, 0)
		t.rest(&t.side[dir], &a)
	}
	for dir := range t.side {
		s := &t.side[dir]
		t.turns.Partial[dir] = s.turn
	}
	t.turns.Polite = t.info.CloseNotify[0] || t.info.CloseNotify[1]
}

// reading is who reads what is said: of what is inside, or the turns.
func (t *reader) reading() exchange.Reader {
	if t.inner != nil {
		return t.inner
	}
	return &t.turns
}

// Fin ends what dir sends.
func (t *reader) Fin(dir exchange.Dir, at capture.Mark) {
	t.finish(at, dir)
	t.fin[dir] = at
	t.reading().Fin(dir, at)
}

// Rst ends the connection.
func (t *reader) Rst(dir exchange.Dir, at capture.Mark) {
	t.finish(at, exchange.FromClient, exchange.FromServer)
	t.reading().Rst(dir, at)
}

// End is the end of the capture or of the connection.
func (t *reader) End(at capture.Mark, ended bool) {
	t.finish(at, exchange.FromClient, exchange.FromServer)
	t.reading().End(at, ended)
}
