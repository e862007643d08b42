package judge

import (
	"slices"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/report"
)

// moved is time of an exchange that turned out to be something else.
type moved struct {
	conn, exchange int
	ledger.Change
}

// move changes the sums at once, and what is listed when the report is drawn up.
func (j *Judge) move(m moved) {
	if c := j.proxied.held[m.exchange]; c != nil {
		c.moves = append(c.moves, m.Change)
	} else if _, behind := j.proxied.behind.of[m.exchange]; !behind {
		m.Sums(&j.Total.times)
	}
	j.moved = append(j.moved, m)
}

// relabelListed changes what the report lists: connections, exchanges, what is drawn of the
// slowest, and the trace.
func (j *Judge) relabelListed() {
	byExchange, byConn := map[int][]*moved{}, map[int][]*moved{}
	for i := range j.moved {
		r := &j.moved[i]
		byExchange[r.exchange] = append(byExchange[r.exchange], r)
		byConn[r.conn] = append(byConn[r.conn], r)
	}
	j.list.eachExchange(func(x *report.ExchangeInfo) {
		for _, r := range byExchange[x.ID] {
			x.Times = ledger.Listed(r, x.Times)
			if len(x.Pieces) > 0 {
				x.Pieces = slices.Clone(x.Pieces) // a report so far may have them
				r.Pieces(x.Pieces)
			}
		}
	})
	j.list.conns.each(func(id int, c *report.ConnInfo) {
		for _, r := range byConn[id] {
			c.Times = ledger.Listed(r, c.Times)
		}
	})
	for _, s := range j.list.slowest.items {
		for _, r := range byExchange[s.id] {
			s.item.pieces = slices.Clone(s.item.pieces) // a report so far may have them
			r.Pieces(s.item.pieces)
		}
	}
	if j.shown.trace != nil {
		for _, r := range byConn[j.shown.trace.Of.Connection] {
			j.shown.trace.Tiles = r.Tiles(j.shown.trace.Tiles)
		}
	}
	for id, g := range j.shown.graphs {
		for _, r := range byConn[id] {
			r.Pieces(g.Pieces)
		}
	}
	j.moved = nil
}
