package tlsrecord

import (
	"tcpwhy/reassembly/exchange"
	"tcpwhy/reassembly/internal/keylog"
	"tcpwhy/reassembly/internal/tlscrypt"
)

// mode is what becomes of protected records.
type mode uint8

const (
	sealed  mode = iota // nobody can read them: they are counted, and make turns
	waiting             // they are held, as their secrets may become known soon
	trying              // there are secrets, of which none has opened a record yet
	opened              // what is in them is read
)

// keyed is the mode in which protected records are read, by what is known as the first of them
// begins; and why they are not, where secrets are known at all.
func (t *reader) keyed() (mode, string) {
	n, shared := &t.session, t.c.Shared
	switch known := shared.Secrets.Has(n.random); {
	case shared.Secrets.Empty() && !shared.Growing:
		return sealed, ""
	case !n.seen, !n.chosen && t.side[exchange.FromClient].opener.stage != early:
		return sealed, exchange.CaveatTLSNoHello
	case n.chosen && n.suite == nil:
		return sealed, exchange.CaveatTLSSuite
	case shared.Growing && !t.complete13():
		return waiting, ""
	case !known && (n.modern() || !n.chosen || !t.resumes()):
		if shared.Growing {
			return waiting, ""
		}
		return sealed, exchange.CaveatTLSNoKey
	}
	return trying, ""
}

// complete13 reports whether all secrets are known that TLS 1.3 has of a connection: they become so
// one after the other.
func (t *reader) complete13() bool {
	n, secrets := &t.session, t.c.Shared.Secrets
	if n.chosen && !n.modern() {
		return true
	}
	for dir := range labels {
		if len(secrets.Of(n.random, labels[dir][application])) == 0 {
			return false
		}
	}
	return true
}

// seal gives up what is in the records: they make turns from here on, those that were held first.
func (t *reader) seal(why string) {
	t.mode = sealed
	if why != "" {
		t.c.Caveats.Add(why)
	}
	for i := range t.held {
		h := &t.held[i]
		t.countEarly(&record{head: h.head[:], arrival: h.arrival})
	}
	t.held = nil
}

// countEarly takes a record of early data that nobody could read, as if it had just come.
func (t *reader) countEarly(r *record) {
	s, unit := &t.side[exchange.FromClient], r.arrival.Unit
	t.asInHand(s, r, func(in *exchange.Arrival) {
		s.turn = true
		t.turns.Add(s.dir, unit.From, unit.To-unit.From, in, 0)
		s.data++
		if t.info.Done.Time > in.At.Time { // its request did not wait for that
			t.info.Done = t.info.ClientHello
		}
		t.end(s, in)
	})
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
	r := t.from.record()
	r.head, r.fragment, r.arrival = s.head[:], fragment, t.unit(s, len(fragment), a)
	if s.missing {
		r.parts = s.parts
	}
	if t.mode == waiting {
		t.await(s, r)
	} else {
		t.take(s, r)
	}
	t.from.done(r)
	t.next(s)
}

// take reads a protected record, or counts it.
func (t *reader) take(s *side, r *record) {
	room := t.from.take()
	switch {
	case t.mode == sealed: // since it began
		t.count(s, r)
	case len(r.parts) > 0:
		t.cut(s, r, room)
	default:
		if content, kind, ok := t.open(s, r, room); ok {
			t.opens()
			t.content(s, r, kind, content)
		} else {
			t.unopened(s, r)
		}
	}
	t.from.give(room)
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
	case r.head[0] != dataRecord || o.stage != application:
		t.endOf(s, r)
	case t.inner == nil && s.dir == exchange.FromClient:
		t.seal(t.whyNot(s))
		t.count(s, r)
	case t.inner == nil:
		t.endOf(s, r) // session tickets, as it answers nothing
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
	t.asInHand(s, r, func(in *exchange.Arrival) {
		unit := r.arrival.Unit
		if s.turn = t.isTurn(s); s.turn {
			t.turns.Add(s.dir, unit.From, unit.To-unit.From, in, 0)
		}
		t.end(s, in)
	})
}

// endOf acts on a record that is part of no turn.
func (t *reader) endOf(s *side, r *record) {
	t.asInHand(s, r, func(in *exchange.Arrival) { t.end(s, in) })
}

// asInHand has do look at a record as if it were the one in hand: another may be under way.
func (t *reader) asInHand(s *side, r *record, do func(*exchange.Arrival)) {
	in := r.arrival
	in.Unit = exchange.Range{}
	head, came, n, turn := s.head, s.came, s.n, s.turn
	s.head, s.came, s.turn = [recordHeader]byte(r.head), in, false
	do(&in)
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

// readable reports whether there are keys for what both sides say, and if not, why not.
func (t *reader) readable() (bool, string) {
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

// alertSized reports whether a record of application data of so many octets is an alert of TLS 1.3
// (RFC 8446 §5.2), also where the capture lacks the hellos: with the usual ciphers of older
// versions a record with any content has 24 octets and more, but for three octets of content in
// ChaCha20-Poly1305 (RFC 5288 §3, RFC 7905 §2).
func (t *reader) alertSized(size int) bool {
	unknown := t.info.Version == "" && t.c.TCP.MidStream()
	return size == alert13 && (t.info.Version == "TLS 1.3" || unknown)
}
