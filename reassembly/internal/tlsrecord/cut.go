package tlsrecord

import (
	"tcpwhy/reassembly/exchange"
	"tcpwhy/reassembly/internal/tlscrypt"
)

const (
	// legibleLeast is how many octets in a row show that they were decrypted with the right keys,
	// if all of them are printable: by chance they are once in a million times.
	legibleLeast = 16
	// cutSearch is how many numbers are tried for a record that can only be read.
	cutSearch = 64
)

// cut takes a record of which the capture lacks a part: it is read as far as it is there, if that is
// known to be right.
func (t *reader) cut(s *side, r *record, room []byte) {
	o := &s.opener
	k, number, ok := t.placed(s, r, room)
	switch {
	case t.mode == sealed:
	case ok && (t.session.modern() || r.head[0] == dataRecord):
		if o.stage != application || o.keys == nil {
			o.use(k, number, application)
			t.session.master = t.attempt
		}
		t.opens()
		t.uncover(s, r, k, number, room)
		o.keys.Follow(r.fragment)
		o.number = number + 1
		return
	}
	o.miss()
	t.unopened(s, r)
}

// placed finds the keys and the number of a record without its tag: those that are next, if a
// record before was opened with them; else those under which it begins with text.
func (t *reader) placed(s *side, r *record, room []byte) (*tlscrypt.Keys, uint64, bool) {
	o := &s.opener
	if o.stage == application && o.keys != nil && o.lost == 0 {
		return o.keys, o.number, true
	}
	first := r.parts[0]
	if first.missing || first.to < legibleLeast {
		return nil, 0, false
	}
	from := uint64(0)
	if o.stage == application {
		from = o.number
	}
	for k := range t.known(s) {
		for n := from; n < from+cutSearch; n++ {
			begin := r.fragment[:min(first.to, legibleLeast+8)]
			text, ok := k.Uncover(room, n, r.front(), begin, 0)
			if ok && legible(text) {
				return k, n, true
			}
		}
	}
	return nil, 0, false
}

// front is what of the fragment is there from its beginning on.
func (r *record) front() []byte {
	if r.parts[0].missing {
		return nil
	}
	return r.fragment[:r.parts[0].to]
}

// legible reports whether octets are text.
func legible(text []byte) bool {
	for _, b := range text {
		if (b < ' ' || b > '~') && b != '\r' && b != '\n' && b != '\t' {
			return false
		}
	}
	return len(text) >= legibleLeast
}

// uncover hands on what is there of a record, and tells what is not.
func (t *reader) uncover(s *side, r *record, k *tlscrypt.Keys, number uint64, room []byte) {
	begin, end := k.ContentRange(len(r.fragment))
	if t.inner == nil {
		if ok, why := t.readable(); !ok {
			t.seal(why)
			t.unopened(s, r)
			return
		}
	}
	front := r.front()
	for _, p := range r.parts {
		from, to := max(p.from, begin), min(p.to, end)
		if from >= to {
			continue
		}
		in := p.arrival
		in.At, in.Unit = r.arrival.At, r.arrival.Unit
		text, ok := k.Uncover(room, number, front, r.fragment[from:to], from)
		if p.missing || !ok {
			t.lack(s, int64(to-from), &in)
		} else {
			t.hand(s, text, &in)
		}
	}
}

// rest hands on what is there of a record that will never be complete, and tells of what was lost:
// the direction, or the connection, has ended.
func (t *reader) rest(s *side, a *exchange.Arrival) {
	o := &s.opener
	if t.inner == nil {
		if s.collects { // it makes a turn, as far as it came
			if s.turn = t.isTurn(s); s.turn {
				n := recordHeader + int64(len(s.fragment))
				t.turns.Add(s.dir, s.from, n, &s.came, 0)
			}
			s.collects = false
		}
		return
	}
	if s.lost || o.lost > 0 {
		in, end := *a, s.from
		if s.lost {
			o.lost, end = o.lost+s.end-s.lostAt, s.end
		}
		in.Unit = exchange.Range{From: end - o.lost, To: end}
		t.lack(s, o.lost, &in)
		o.lost, o.keys, s.lostAt = 0, nil, s.end
		return
	}
	if len(s.fragment) == 0 || o.stage != application || o.keys == nil {
		return
	}
	whole := len(s.fragment) + int(s.left)
	r := record{head: s.head[:], fragment: s.fragment, parts: s.parts,
		arrival: t.unit(s, len(s.fragment), a)}
	begin, end := o.keys.ContentRange(whole)
	room := t.from.take()
	for _, p := range r.parts {
		from, to := max(p.from, begin), min(p.to, end)
		if from >= to || p.missing {
			break
		}
		in := p.arrival
		in.Unit = r.arrival.Unit
		if text, ok := o.keys.Uncover(room, o.number, r.front(), r.fragment[from:to], from); ok {
			t.hand(s, text, &in)
		}
	}
	t.from.give(room)
	t.next(s)
}
