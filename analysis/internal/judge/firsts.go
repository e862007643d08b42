package judge

import (
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// firsts holds the first connection of each pair, as long as all that is known of it fits in a
// rule.First: most clients have one, which is compared with nothing. Comparisons that are Late are
// told of it when something else happens between the two.
type firsts struct {
	pairs rule.PairTable[*rule.First]
	told  *rule.First // stands for a pair that is held no longer
	batch rule.Batch  // what is told late
}

// standing is how a connection stands with what is held of its pair.
type standing struct {
	first    *rule.First // it is what is held; nil: it is not
	compared bool        // its pair is held no longer
}

// holds takes in an event, and reports whether it is held: comparisons that are Late need not know
// of it yet.
func (j *Judge) holds(m *member, t *rule.Told) bool {
	switch f := m.first; {
	case m.compared:
		return false
	case f != nil && !j.isBefore(t) && f.Take(t):
		return true
	case f != nil:
		j.letGo(f, m.Pair)
		return false
	}
	switch {
	case t.Kind == rule.ExchangeBegan:
		return j.first(m, m.Pair, t)
	case t.Kind == rule.ConnOver && t.Gone().Established:
		return j.first(m, t.Gone().Pair, t) // without a request
	}
	return false
}

// isBefore reports whether an event is of an exchange that ended before what is reported begins: it
// is learnt from in another way.
func (j *Judge) isBefore(t *rule.Told) bool {
	if t.Kind != rule.ExchangeJudged {
		return false
	}
	info := t.Judged().Info
	return j.From > 0 && info.Start+info.Duration <= j.From
}

// first takes in what happens on a connection that is not held: if nothing has happened between the
// pair, it may be from now on.
func (j *Judge) first(m *member, p report.Pair, t *rule.Told) bool {
	held := j.firsts.pairs.Of(p, t.At)
	switch {
	case held == nil: // too many: it is not held
	case *held == nil:
		if m.first = rule.FirstOf(t, m.Repeats); m.first != nil {
			*held = m.first
			return true
		}
		*held = j.firsts.told
	case *held != j.firsts.told:
		j.letGo(*held, p)
	}
	m.compared = true
	return false
}

// letGo tells comparisons of what was held of a pair, which is held no longer.
func (j *Judge) letGo(f *rule.First, p report.Pair) {
	if held := j.firsts.pairs.Has(p); held != nil && *held == f {
		*held = j.firsts.told
	}
	c := f.Of(p)
	if m := j.conns[f.Conn()]; m != nil && m.first == f {
		m.first, m.compared = nil, true
		c = &m.Conn
	}
	b := &j.firsts.batch
	f.Tell(p, b)
	for i := range b.Events {
		t := b.At(i)
		j.tellLate(c, &t)
	}
	b.Empty()
}

// tellLate tells comparisons that are Late of an event that was held.
func (j *Judge) tellLate(c *rule.Conn, t *rule.Told) {
	if t.Kind == rule.ExchangeJudged {
		j.eachOf(j.fences.across.claimers, func(k *comparing) {
			if k.Late {
				k.claimer.Claims(j, c, t.Judged())
			}
		})
	}
	j.eachOf(j.fences.across.late[t.Kind], func(k *comparing) { k.Event(j, c, t) })
}
