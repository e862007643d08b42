package judge

import (
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// firsts holds the first connection of each pair, as long as all that is known of it fits in a
// rule.First: most clients have one, which is compared with nothing. Comparisons that are Late are
// told of it when something else happens between the two. Its key is the pair.
type firsts struct {
	pairs rule.PairTable[*held]
	gone  *held      // stands for all pairs that are held no longer
	batch rule.Batch // what is told late
}

// held is the first connection of a pair.
type held struct {
	rule.First
	of *standing // nil: the connection is over
}

// standing is how a connection that is followed stands with what is held of its pair.
type standing struct {
	held     *held // it is what is held; nil: it is not
	compared bool  // its pair is held no longer
	conn     *rule.Conn
}

// holds takes in an event of a connection, and reports whether it is held: comparisons that are
// Late need not know of it yet. What is in vain cannot be told late.
func (c *comparisons) holds(d rule.Desk, s *standing, t *rule.Told, vain bool) bool {
	switch h := s.held; {
	case s.compared:
		return false
	case h != nil && !vain && h.Take(t):
		if t.Kind == rule.ConnOver {
			h.of = nil
		}
		return true
	case h != nil:
		c.letGo(d, h, s.conn.Pair)
		return false
	case t.Kind == rule.ExchangeBegan:
		return c.first(d, s, s.conn.Pair, t)
	case t.Kind == rule.ConnOver && t.Gone().Established:
		return c.first(d, s, t.Gone().Pair, t) // without a request
	}
	return false
}

// first takes in what happens on a connection that is not held: if nothing has happened between the
// pair, it may be from now on.
func (c *comparisons) first(d rule.Desk, s *standing, p report.Pair, t *rule.Told) bool {
	h := c.firsts.pairs.Of(p, t.At)
	if h != nil && *h == nil {
		if f, ok := rule.FirstOf(t, s.conn.Repeats); ok {
			s.held = &held{First: f, of: s}
			*h = s.held
			return true
		}
		*h = c.firsts.gone
	} else if h != nil && *h != c.firsts.gone {
		c.letGo(d, *h, p)
	}
	s.compared = true
	return false
}

// letGo tells comparisons of what was held of a pair, which is held no longer.
func (c *comparisons) letGo(d rule.Desk, h *held, p report.Pair) {
	conn := h.Of(p)
	if s := h.of; s != nil {
		s.held, s.compared = nil, true
		conn = s.conn
	}
	b := &c.firsts.batch
	h.Tell(p, b)
	if of := c.firsts.pairs.Has(p); of != nil && *of == h {
		*of = c.firsts.gone
	}
	for i := range b.Events {
		t := b.At(i)
		c.tellLate(d, conn, &t)
	}
	b.Empty()
}

// tellLate tells comparisons that are Late of an event that was held.
func (c *comparisons) tellLate(d rule.Desk, conn *rule.Conn, t *rule.Told) {
	if t.Kind == rule.ExchangeJudged {
		c.eachOf(c.claimers, func(k *comparing) {
			if k.Late {
				k.claimer.Claims(d, conn, t.Judged())
			}
		})
	}
	c.eachOf(c.late[t.Kind], func(k *comparing) { k.Event(d, conn, t) })
}
