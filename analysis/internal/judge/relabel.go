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
			x.item.Times = r.MoveListed(x.item.Times)
		}
	}
	for _, c := range j.list.conns.items {
		for _, r := range byConn[c.id] {
			c.item.Times = r.MoveListed(c.item.Times)
		}
	}
	for _, s := range j.list.slowest.items {
		for _, r := range byExchange[s.id] {
			s.item.relabel(r)
		}
	}
	if j.trace != nil {
		for _, r := range byConn[j.trace.Of.Connection] {
			for i := range j.trace.Tiles {
				if k := &j.trace.Tiles[i]; r.Covers(k.Label, k.From, k.To) {
					k.Label = r.Label(k.To)
				}
			}
		}
	}
	j.moved = nil
}

// relabel changes what is drawn of an exchange.
func (t *timeline) relabel(r *rule.Relabelled) {
	t.pieces = slices.Clone(t.pieces) // a report so far may have them
	for i := range t.pieces {
		if p := &t.pieces[i]; r.Covers(p.Label, p.From, p.To) {
			p.Label = r.Label(p.To)
		}
	}
}
