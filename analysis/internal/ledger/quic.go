package ledger

import (
	"tcpwhy/analysis/report"
)

// beginWithQUIC makes j begin with the QUIC connection that its client had tried before, if j
// waited for the connection of TCP. The connection itself begins with its SYN.
func (s *Connection) beginWithQUIC(j *Exchange) {
	q := s.Conn.Tried
	if q == nil || j.Lookup != nil || !j.Critical || j.Doubtful || j.From != s.Conn.Start.Time ||
		j.From-q.First.Time < fallbackTrips*s.Conn.RTTMin() || !sameName(s, q.Name) {
		return
	}
	j.Tried, j.From = q, q.First.Time
	t := report.Tile{Label: report.QUICTried, From: q.First.Time, To: s.Conn.Start.Time,
		Before: q.First, End: s.Conn.Start}
	j.put(t.From, t.To, t.Label)
	if s.trace != nil && j.Traced {
		s.trace.Add(t)
	}
}

// fallbackTrips is for how many round trips a client must have waited for QUIC at the least: an
// answer takes one, so that who connects sooner only has them race, as RFC 8305 has addresses.
const fallbackTrips = 2

// sameName reports whether the connection is to the name that QUIC was tried with, as far as both
// are known.
func sameName(s *Connection, name string) bool {
	t := s.Conn.TLS
	return t != nil && (name == "" || t.SNI == "" || name == t.SNI)
}
