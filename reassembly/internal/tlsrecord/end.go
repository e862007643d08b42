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

// unread takes octets without content: within a record they are counted; elsewhere they end the
// framing.
func (t *reader) unread(s *side, off, n int64, a *exchange.Arrival, facts exchange.Facts) {
	t.info.Unread = t.info.Unread || !t.finished
	for n > 0 && !s.lost {
		if s.n < recordHeader {
			t.c.Caveats.Add(exchange.CaveatTLSGap)
			t.lose(s)
			break
		}
		step := min(n, s.left)
		s.hs = helloReader{}
		t.pass(s, off, step, a, facts)
		off += step
		n -= step
	}
	if n == 0 {
		return
	}
	// After the handshake nearly all octets are application data.
	if t.finished {
		t.turns.Add(s.dir, off, n, a, facts)
	}
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
func (t *reader) finish() {
	for dir := range t.side {
		s := &t.side[dir]
		t.turns.Partial[dir] = s.turn
	}
	t.turns.Polite = t.info.CloseNotify[0] || t.info.CloseNotify[1]
}

// Fin ends what dir sends.
func (t *reader) Fin(dir exchange.Dir, at capture.Mark) {
	t.finish()
	t.turns.Fin(dir, at)
}

// Rst ends the connection.
func (t *reader) Rst(dir exchange.Dir, at capture.Mark) {
	t.finish()
	t.turns.Rst(dir, at)
}

// End is the end of the capture or of the connection.
func (t *reader) End(at capture.Mark, ended bool) {
	t.finish()
	t.turns.End(at, ended)
}
