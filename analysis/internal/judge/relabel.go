package judge

import (
	"slices"

	"tcpwhy/analysis/internal/rule"
)

// relabelListed changes what the report lists: connections, exchanges, what is drawn of the
// slowest, and the trace.
func (j *Judge) relabelListed() {
	byExchange, byConn := map[int][]*rule.Relabelled{}, map[int][]*rule.Relabelled{}
	for i := range j.moved {
		r := &j.moved[i]
		byExchange[r.Exchange] = append(byExchange[r.Exchange], r)
		byConn[r.Conn] = append(byConn[r.Conn], r)
	}
	for _, x := range j.list.exchanges.items {
		for _, r := range byExchange[x.id] {
			x.item.Times = r.Listed(x.item.Times)
		}
	}
	for _, c := range j.list.conns.items {
		for _, r := range byConn[c.id] {
			c.item.Times = r.Listed(c.item.Times)
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
			r.Tiles(j.trace.Tiles)
		}
	}
	j.moved = nil
}
