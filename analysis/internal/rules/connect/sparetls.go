package connect

import (
	"slices"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const (
	// closedTogether is how near to each other the connections of a program close that ends: its
	// kernel closes them in one go (kernel/exit.c exit_files); the rest is the path's jitter.
	closedTogether = 20 * time.Millisecond
	// spareWait is how long others may close after a handshake until that is settled.
	spareWait = time.Second
	// keptUses are the latest connections of a pair on which something was asked.
	keptUses  = 256
	maxSpares = 4096 // handshakes of which it is awaited, or remembered, whether they were spare
)

// spareTLS tells handshakes that were dropped with all else that their client had open, once others
// had answered it: no request failed with them.
type spareTLS struct {
	pairs   rule.PairTable[usedConns]
	closing map[int]rule.Closing // of connections that are not over
	waiting rule.Agenda[spareTry]
	spare   map[int]bool // by connection
}

// usedConns are the connections of one client to one service on which something was asked.
type usedConns struct {
	uses     []usedConn
	answered time.Duration // the latest end of an exchange that ended well
}

// usedConn is one of them.
type usedConn struct {
	conn        int
	start, left time.Duration // left is 0 while it is open
	quiet       bool          // the client left, and nothing was going on
}

// spareTry is a handshake that its client broke off.
type spareTry struct {
	pair           report.Pair
	conn, exchange int
	start, left    time.Duration
}

// event takes note of what was asked and answered, and of who closed.
func (s *spareTLS) event(c *rule.Conn, e *rule.Told) {
	switch e.Kind {
	case rule.ExchangeBegan:
		x := e.Began()
		if u := s.pairs.Of(x.Pair, e.At); u != nil && x.First {
			u.uses = appendLatest(u.uses, usedConn{conn: c.Id, start: x.ConnStart.Time}, keptUses)
		}
	case rule.ExchangeOver:
		o := e.Over()
		if u := s.pairs.Has(c.Pair); u != nil && o.Failure == nil {
			u.answered = max(u.answered, o.End.Time)
		}
	case rule.ConnClosing:
		s.closes(c, e.Closing())
	case rule.AttemptJudged:
		s.tried(c, e.Judged())
	case rule.ConnOver:
		delete(s.closing, c.Id)
	}
}

// closes takes note of the end of a connection.
func (s *spareTLS) closes(c *rule.Conn, e rule.Closing) {
	if s.closing == nil {
		s.closing = map[int]rule.Closing{}
	}
	s.closing[c.Id] = e
	u := s.pairs.Has(c.Pair)
	if u == nil {
		return
	}
	for i := range u.uses {
		if o := &u.uses[i]; o.conn == c.Id && o.left == 0 {
			o.left, o.quiet = e.At.Time, e.By == reassembly.FromClient && !e.Open
		}
	}
}

// tried lets a handshake wait that its client broke off, if nothing else is claimed of its end: a
// server that was silent for long has made the client leave.
func (s *spareTLS) tried(c *rule.Conn, x *rule.Judged) {
	end, closed := s.closing[c.Id]
	other := func(cl rule.Claim) bool { return cl.Cause != brokenOffCause }
	if !closed || end.By != reassembly.FromClient || x.Info.Attempt == nil ||
		x.Info.Outcome != exchange.TLSFailed || slices.ContainsFunc(x.Claims, other) ||
		s.waiting.Len() >= maxSpares {
		return
	}
	s.waiting.Add(end.At.Time+spareWait, spareTry{
		pair: c.Pair, conn: c.Id, exchange: x.Info.ID, start: x.Info.Start, left: end.At.Time,
	})
}

// settle says of a handshake whether it was spare.
func (s *spareTLS) settle(d rule.Desk, t spareTry) {
	if u := s.pairs.Has(t.pair); u == nil || !u.ended(t) {
		return
	}
	d.Spare(t.conn, t.exchange)
	if s.spare == nil || len(s.spare) >= maxSpares {
		s.spare = map[int]bool{}
	}
	s.spare[t.conn] = true
}

// ended reports whether the client closed all connections that it used beside a handshake together
// with that, with nothing going on, after they had answered it.
func (u *usedConns) ended(t spareTry) bool {
	if u.answered <= t.start || u.answered > t.left {
		return false
	}
	together := false
	for _, o := range u.uses {
		switch {
		case o.start > t.left, o.left != 0 && o.left < t.left-closedTogether:
		case o.left == 0, o.left > t.left+closedTogether, !o.quiet:
			return false
		default:
			together = true
		}
	}
	return together
}

// advance settles what has waited for long enough.
func (s *spareTLS) advance(d rule.Desk, now time.Duration) {
	for t, ok := s.waiting.Due(now); ok; t, ok = s.waiting.Due(now) {
		s.settle(d, t)
	}
}

// finish settles the rest.
func (s *spareTLS) finish(d rule.Desk) {
	for t, ok := s.waiting.Next(); ok; t, ok = s.waiting.Next() {
		s.settle(d, t)
	}
}
