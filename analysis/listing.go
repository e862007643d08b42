package analysis

import (
	"cmp"
	"slices"
)

// listing keeps the connections and exchanges that the report names: all of them up to a limit, beyond it those that took
// longest.
type listing struct {
	limit     int
	conns     []ConnInfo
	exchanges []ExchangeInfo
}

// addExchange adds an exchange. Twice the limit is held before the shorter half goes, so that adding stays cheap.
func (l *listing) addExchange(x ExchangeInfo) {
	l.exchanges = append(l.exchanges, x)
	if l.limit > 0 && len(l.exchanges) >= 2*l.limit {
		l.trimExchanges()
	}
}

// addConn adds a connection.
func (l *listing) addConn(c ConnInfo) {
	l.conns = append(l.conns, c)
	if l.limit > 0 && len(l.conns) >= 2*l.limit {
		l.trimConns()
	}
}

func (l *listing) trimExchanges() {
	if l.limit <= 0 || len(l.exchanges) <= l.limit {
		return
	}
	slices.SortFunc(l.exchanges, func(a, b ExchangeInfo) int {
		return cmp.Or(cmp.Compare(b.Duration, a.Duration), cmp.Compare(a.ID, b.ID))
	})
	clear(l.exchanges[l.limit:])
	l.exchanges = l.exchanges[:l.limit]
}

func (l *listing) trimConns() {
	if l.limit <= 0 || len(l.conns) <= l.limit {
		return
	}
	slices.SortFunc(l.conns, func(a, b ConnInfo) int {
		return cmp.Or(cmp.Compare(b.Duration, a.Duration), cmp.Compare(a.ID, b.ID))
	})
	clear(l.conns[l.limit:])
	l.conns = l.conns[:l.limit]
}

// done puts what is kept into the order of the report.
func (l *listing) done() ([]ConnInfo, []ExchangeInfo) {
	l.trimConns()
	l.trimExchanges()
	slices.SortFunc(l.conns, func(a, b ConnInfo) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(l.exchanges, func(a, b ExchangeInfo) int { return cmp.Compare(a.ID, b.ID) })
	return l.conns, l.exchanges
}
