package judge

import (
	"slices"

	"tcpwhy/analysis/internal/ledger"
)

// moved is time of an exchange that turned out to be something else.
type moved struct {
	conn, exchange int
	ledger.Change
}

// move changes the sums at once, and what is listed when the report is drawn up.
func (j *Judge) move(m moved) {
	m.Sums(&j.Total.times)
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
	for _, x := range j.list.exchanges.items {
		for _, r := range byExchange[x.id] {
			x.item.Times = ledger.Listed(r, x.item.Times)
		}
	}
	for _, c := range j.list.conns.items {
		for _, r := range byConn[c.id] {
			c.item.Times = ledger.Listed(r, c.item.Times)
		}
	}
	for _, s := range j.list.slowest.items {
		for _, r := range byExchange[s.id] {
			s.item.pieces = slices.Clone(s.item.pieces) // a report so far may have them
			r.Pieces(s.item.pieces)
		}
	}
	if j.trace != nil {
		for _, r := range byConn[j.trace.Of.Connection] {
			j.trace.Tiles = r.Tiles(j.trace.Tiles)
		}
	}
	j.moved = nil
}
