package rule

import "strings"

// Renumber gives the connections and exchanges that are named in what is said other numbers, in the
// words of a vocabulary.
func (s *Said) Renumber(vocabulary []Words, conn, exchange func(int) int) {
	if s.Words == 0 || int(s.Words) >= len(vocabulary) {
		return
	}
	rest, next := vocabulary[s.Words].Text, 0
	for next < len(s.N) {
		_, tail, found := strings.Cut(rest, "{")
		if !found {
			return
		}
		verb, after, _ := strings.Cut(tail, "}")
		switch verb {
		case "conn":
			s.N[next] = int64(conn(int(s.N[next])))
		case "exchange":
			s.N[next] = int64(exchange(int(s.N[next])))
		}
		if verb != "text" {
			next++
		}
		rest = after
	}
}

// Renumber gives the connections that events tell of other numbers.
func (b *Batch) Renumber(conn func(int) int, rules []*Detector) {
	for i := range b.Events {
		b.Events[i].Conn = uint32(conn(int(b.Events[i].Conn)))
	}
	named := make(map[string]*Detector, len(rules))
	for _, d := range rules {
		named[d.Name] = d
	}
	same := func(exchange int) int { return exchange }
	claims := func(all []Claim) {
		for i := range all {
			c := &all[i]
			c.Occ.Connection = conn(c.Occ.Connection)
			d := named[c.Rule]
			if d == nil {
				continue
			}
			for k := range c.Says {
				c.Says[k].Renumber(d.Vocabulary, conn, same)
			}
			for k := range c.Occ.Proof {
				c.Occ.Proof[k].Renumber(d.Vocabulary, conn, same)
			}
		}
	}
	for _, j := range b.judged {
		if j.Info != nil {
			j.Info.Connection = conn(j.Info.Connection)
		}
		claims(j.Claims)
	}
	for i := range b.gone {
		if info := b.gone[i].Info; info != nil {
			info.ID = conn(info.ID)
		}
		claims(b.gone[i].Claims)
	}
}
