package ledger

import (
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

const (
	// connectsWithin is what a program takes at most from the answer to its SYN (reasoning: a time
	// slice or two, as lateStart).
	connectsWithin = 10 * time.Millisecond
	// resolutionDelay is how long a client that has an address may wait for the other kind (RFC
	// 8305 §3).
	resolutionDelay = 50 * time.Millisecond
)

// waitedFor is the look-up that ended at once before the connection began, as the client saw it:
// the time that the answer took to reach it, and the SYN to come back, is the path's. nil if there
// is none, or if the client did something else in between.
func (s *Connection) waitedFor() *reassembly.Lookup {
	c := s.Conn
	l := c.Lookup
	if l == nil || l.GaveUp {
		return l
	}
	late := c.Start.Time - l.Ready.Time - c.Far(reassembly.FromClient)
	within := connectsWithin + s.path.AtOnce(reassembly.FromClient)
	if l.Open {
		within += resolutionDelay
	}
	if late > within {
		return nil
	}
	return l
}

// beginWithLookup makes j begin with the look-up that its connection waited for, if j waited for
// the connection. The connection itself begins with its SYN.
func (s *Connection) beginWithLookup(j *Exchange) {
	l := s.waitedFor()
	if l == nil || !j.Critical || j.Doubtful || j.From != s.Conn.Start.Time ||
		l.Begin.Time > l.Ready.Time || l.Ready.Time > j.From { // a clock was set back
		return
	}
	j.Lookup, j.From = l, l.Begin.Time
	found := report.Tile{Label: report.DNS, From: l.Begin.Time, To: l.Ready.Time, End: l.Ready}
	connects := report.Tile{Label: report.ClientThink, From: l.Ready.Time, To: s.Conn.Start.Time,
		Before: l.Ready, End: s.Conn.Start}
	for _, t := range []report.Tile{found, connects} {
		j.put(t.From, t.To, t.Label)
		if s.trace != nil && j.Traced {
			s.trace.Add(t)
		}
	}
}
