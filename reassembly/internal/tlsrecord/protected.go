package tlsrecord

import (
	"bytes"

	"tcpwhy/reassembly/exchange"
	"tcpwhy/reassembly/internal/keylog"
	"tcpwhy/reassembly/internal/tlscrypt"
)

// mode is what becomes of protected records.
type mode uint8

const (
	sealed mode = iota // nobody can read them: they are counted, and make turns
	trying             // there are secrets, of which none has opened a record yet
	opened             // what is in them is read
)

// keyed is the mode in which protected records are read, by what is known as the first of them
// begins; and why they are not, where secrets are known at all.
func (t *reader) keyed() (mode, string) {
	n, secrets := &t.session, t.c.Shared.Secrets
	switch known := secrets.Has(n.random); {
	case secrets.Empty():
		return sealed, ""
	case !n.seen, !n.chosen && t.side[exchange.FromClient].opener.stage != early:
		return sealed, exchange.CaveatTLSNoHello
	case n.chosen && n.suite == nil:
		return sealed, exchange.CaveatTLSSuite
	case !known && (n.modern() || !n.chosen || !t.resumes()):
		return sealed, exchange.CaveatTLSNoKey
	}
	return trying, ""
}

// seal gives up what is in the records: they make turns from here on, those that were held first.
func (t *reader) seal(why string) {
	t.mode = sealed
	if why != "" {
		t.c.Caveats.Add(why)
	}
	for i := range t.held {
		h := &t.held[i]
		t.count(&t.side[exchange.FromClient], &record{head: h.head[:], arrival: h.arrival})
	}
	t.held = nil
}

// collect takes octets of a protected record.
func (t *reader) collect(s *side, data []byte, a *exchange.Arrival) {
	n := int64(len(data))
	if len(s.parts) == 0 && n == s.left && len(s.fragment) == 0 {
		s.left = 0
		t.complete(s, data, a)
		return
	}
	t.part(s, data, n, false, a)
}

// part adds a part of a record: its octets, or that n of them are missing.
func (t *reader) part(s *side, data []byte, n int64, missing bool, a *exchange.Arrival) {
	if s.fragment == nil {
		s.fragment = t.from.take()
	}
	from := len(s.fragment)
	if missing {
		s.fragment = s.fragment[:from+int(n)]
		s.missing = true
	} else {
		s.fragment = append(s.fragment, data...)
	}
	to := len(s.fragment)
	if last := len(s.parts) - 1; last >= 0 && s.parts[last].missing == missing {
		s.parts[last].to = to
	} else {
		s.parts = append(s.parts, part{from, to, missing, *a})
	}
	s.left -= n
	if s.left == 0 {
		t.complete(s, s.fragment, a)
	}
}

// complete takes a whole protected record.
func (t *reader) complete(s *side, fragment []byte, a *exchange.Arrival) {
	r := record{head: s.head[:], fragment: fragment, arrival: t.unit(s, len(fragment), a)}
	room := t.from.take()
	switch {
	case t.mode == sealed: // since it began
		t.count(s, &r)
	case s.missing:
		r.parts = s.parts
		t.cut(s, &r, room)
	default:
		if content, kind, ok := t.open(s, &r, room); ok {
			t.opens()
			t.content(s, &r, kind, content)
		} else {
			t.unopened(s, &r)
		}
	}
	t.from.give(room)
	t.next(s)
}

// opens takes note that a record was opened.
func (t *reader) opens() {
	t.mode = opened
	if t.info.Version == "" { // its hello was cut
		t.info.Version, t.info.Suite = tlsVersion(int(t.session.hellos.Version)), t.session.number
	}
}

// next makes s ready for another record.
func (t *reader) next(s *side) {
	if s.fragment != nil {
		t.from.give(s.fragment)
	}
	s.fragment, s.parts, s.missing = nil, s.parts[:0], false
	s.n, s.turn, s.collects = 0, false, false
}

// unit is the arrival of the record in hand, whose fragment has n octets: it began with its first
// octet, and could be read once the last was there (RFC 8446 §5.2).
func (t *reader) unit(s *side, n int, last *exchange.Arrival) exchange.Arrival {
	in := s.came
	in.At = last.At
	end := s.from + recordHeader + int64(n)
	in.Unit = exchange.Range{From: s.came.From(s.from), To: last.To(end)}
	return in
}

// unopened is what becomes of a record that no keys opened.
func (t *reader) unopened(s *side, r *record) {
	o := &s.opener
	switch {
	case o.stage == early:
		t.hold(s, r, nil)
	case o.lost > 0 && o.misses < maxMisses:
		t.loseAt(s, r.arrival.Unit.From)
	case t.mode == trying:
		t.count(s, r)
		if t.turns.Current() != nil || t.hopeless(s) {
			t.seal(t.whyNot(s))
		}
	case s.head[0] != dataRecord || o.stage != application:
		t.end(s, &r.arrival)
	case t.inner == nil && s.dir == exchange.FromClient:
		t.seal(t.whyNot(s))
		t.count(s, r)
	case t.inner == nil:
		t.end(s, &r.arrival) // session tickets, as it answers nothing
	default:
		t.c.Caveats.Add(t.whyNot(s))
		t.lack(s, t.contentSize(s, r), &r.arrival)
	}
}

// hopeless reports whether the secrets that should have opened a record of s are not those of the
// connection. Where records were lost, it may not have been the one that was thought.
func (t *reader) hopeless(s *side) bool {
	if s.opener.lost > 0 {
		return s.opener.misses >= maxMisses
	}
	for range t.keys(s.dir, s.opener.stage) {
		return true
	}
	return !t.session.modern()
}

// whyNot is why a record of s could not be opened.
func (t *reader) whyNot(s *side) string {
	if s.opener.keys != nil || s.opener.lost > 0 {
		return exchange.CaveatTLSSequence
	}
	secrets := t.c.Shared.Secrets
	label := labels[s.dir][s.opener.stage]
	if !t.session.modern() {
		label = keylog.MasterSecret
	}
	if len(secrets.Of(t.session.random, label)) > 0 {
		return exchange.CaveatTLSBadKey
	}
	return exchange.CaveatTLSNoKey
}

// count takes a whole record that nobody could read: by its size.
func (t *reader) count(s *side, r *record) {
	in, unit := r.arrival, r.arrival.Unit
	in.Unit = exchange.Range{}
	head, came := s.head, s.came // another record of s may be under way
	s.head, s.came = [recordHeader]byte(r.head), in
	n, turn := s.n, s.turn
	if s.turn = t.isTurn(s); s.turn {
		t.turns.Add(s.dir, unit.From, unit.To-unit.From, &in, 0)
	}
	t.end(s, &in)
	s.head, s.came, s.n, s.turn = head, came, n, turn
}

// contentSize is how many octets of content a record holds that was not opened.
func (t *reader) contentSize(s *side, r *record) int64 {
	over := 1 + 16
	for k := range t.known(s) {
		over = k.Overhead()
		break
	}
	return int64(max(1, len(r.fragment)-over))
}

// known are the keys of s that are known, or may be right.
func (t *reader) known(s *side) func(func(*tlscrypt.Keys) bool) {
	if k := s.opener.keys; k != nil {
		return func(yield func(*tlscrypt.Keys) bool) { yield(k) }
	}
	return t.keys(s.dir, application)
}

// readable reports whether what both sides say can be read, and is not in a protocol that is read
// by the sizes of records.
func (t *reader) readable(content []byte) (bool, string) {
	const preface = "PRI * HTTP/2.0" // RFC 9113 §3.4
	if t.agreed && t.info.ALPN == "h2" || bytes.HasPrefix(content, []byte(preface)) {
		return false, ""
	}
	for dir := range t.side {
		found := false
		for range t.known(&t.side[dir]) {
			found = true
			break
		}
		if !found {
			return false, exchange.CaveatTLSNoKey
		}
	}
	return true, ""
}
