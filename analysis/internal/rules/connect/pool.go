package connect

import (
	"slices"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/whatif"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const (
	// donorHorizon is how long after its end a connection still counts as one that could have been
	// kept open: common idle timeouts of clients and servers are 60 s and more, and what lies
	// further back is another visit.
	donorHorizon = 60 * time.Second
	// poolSilence is how long a pool is remembered that no connection belongs to, with what was
	// learned of its server.
	poolSilence = 2 * donorHorizon
	maxIdle     = 128 // idle connections looked at per pool; the oldest give way
	maxCounts   = 256 // different numbers of requests remembered per pool
	maxClosed   = 256 // closed connections remembered per pool
	keptIdle    = 64  // idle times remembered per pool, the latest
	// maxRemembered is how many idle and closed ones all pools remember together before each has
	// only an equal share, but leastShare at least: a connection takes about 700 octets.
	maxRemembered = 1 << 16
	leastShare    = 8
)

// poolKey is what must agree for a connection to serve a request instead of another: client,
// service, name and whether it is TLS.
type poolKey struct {
	report.Pair
	name   string
	secure bool
}

// pool is the connections of one client to one service.
type pool struct {
	idle     []idleEntry // in order of becoming idle; entries whose member has moved on are stale
	closed   []*member   // could have been kept open; in order of closing
	key      poolKey
	seen     time.Duration   // when a request began last
	due      time.Duration   // when it is looked at next, if nobody asks for it
	open     int             // connections that are not over
	counted  int             // what it remembers, as part of what all do
	kept     int             // connections that the server left open after their first response
	ended    int             // connections that it announced to close with it
	unfailed bool            // one of those responses was no error
	proxied  bool            // a connection carried requests of several programs
	idleTime []time.Duration // how long the server let connections idle before it closed them
	leftIdle []time.Duration // the same of those that the client closed, at most keptIdle
	// how many connections the server ended by announcement, by number of exchanges
	requests map[int]int
	ages     []lifetime // of connections that the server ended although they were in use
}

// idleEntry is one stretch of idleness.
type idleEntry struct {
	m       *member
	version int
}

// stale reports whether the connection is no longer idle, or is so again.
func (e idleEntry) stale() bool { return e.m.version != e.version }

// member is a connection as missed-reuse sees it: could it have carried another request?
type member struct {
	id        int
	pool      *pool
	version   int // counts changes between busy and idle
	busy      int
	served    int // exchanges over
	idleSince capture.Mark
	last      outcome // of its latest exchange
	program   program
	doubt     bool // its messages were not all read
	turns     bool // it carried turns: when one is over is not known before the next begins
	hidden    bool // turns, because the capture cut what messages say
	idleLimit time.Duration
	verdict   *verdict
	lent      *member // the idle connection that should have carried this one's requests
	borrowed  bool    // that idle connection itself: it counts as busy
	opened
	ended
	far   time.Duration  // the least from the capture to the client and back; 0: not known
	kept  [2]whatif.Kept // what each side has for its next message
	rtt   time.Duration
	asked time.Duration // when its latest request began
	took  time.Duration // its quickest exchange; 0: none was over
}

// opened is how a connection began.
type opened struct {
	port     uint16 // of the client
	start    capture.Mark
	cut      bool // the capture lacks its beginning
	lacksSYN bool // it shows its SYN-ACK alone
}

// ended is what keeps a connection from carrying more requests.
type ended struct {
	// away is the server's GOAWAY, from which on it takes no more streams (RFC 9113 §6.8); no
	// frame: it has sent none
	away   capture.Mark
	closed *rule.Closing // its first FIN or RST; nil: it is open
	gap    bool          // the capture lacks some of it
	failed bool          // an exchange did not end well: what it cost belongs to another rule
}

// outcome is how an exchange left its connection.
type outcome struct {
	reusable bool
	reason   string // why not; "" if it is
	notKept  bool   // the server said that it keeps no idle connection
	asked10  bool   // the request was HTTP/1.0
	failed   bool   // its status says that the request failed
	aborted  bool   // it did not end well
	stream   bool   // it was one of HTTP/2
	shared   bool   // its connection carries HTTP/2, whether that was read or not
	size     int64  // octets of the response
}

// reuses compares the connections of each client to each service.
type reuses struct {
	pools  map[poolKey]*pool
	conns  map[int]*member
	silent rule.Agenda[*pool] // to be looked at, if nothing else asks for them
	// idle and closed connections that all pools remember
	remembered int
	limits     requestLimits
}

// newReuses has seen no connection yet.
func newReuses() *reuses {
	return &reuses{pools: map[poolKey]*pool{}, conns: map[int]*member{}}
}

// Number makes pairs have the numbers that others have for them.
func (r *reuses) Number(n *rule.PairNumbers) { r.limits.pairs.By(n) }

// Event takes in what happened to a connection.
func (r *reuses) Event(d rule.Desk, c *rule.Conn, e *rule.Told) {
	m := r.conns[c.Id]
	if m == nil {
		m = &member{id: c.Id}
		r.conns[c.Id] = m
	}
	switch e.Kind {
	case rule.ExchangeBegan:
		r.began(d, c, m, e.Began(), e.At)
	case rule.ExchangeOver:
		over := e.Over()
		r.over(m, &over)
	case rule.ConnDirected:
		m.away = e.Directed().Away.At
	case rule.ConnClosing:
		r.closing(m, e.Closing())
	case rule.ConnLacks:
		m.gap = true
	case rule.ConnHarmed:
		m.failed = true
	case rule.ConnOver:
		r.gone(m, e.Gone())
		delete(r.conns, c.Id)
	}
	if m.pool != nil {
		r.count(m.pool)
	}
}

// count takes note of how much a pool remembers.
func (r *reuses) count(p *pool) {
	n := len(p.idle) + len(p.closed)
	r.remembered += n - p.counted
	p.counted = n
}

// Finish settles which closes were limits of requests: each connection is judged with its first
// exchange, when the closes that show a limit, or that there is none, may not have been seen.
func (r *reuses) Finish(d rule.Desk) { r.limits.settle(d) }

// gone takes in the end of a connection.
func (r *reuses) gone(m *member, e *rule.Gone) {
	if !e.Ended && ledger.Seen(e.At) && m.closed == nil {
		r.closing(m, rule.Closing{At: e.At, By: e.By, Reset: e.Reset})
	}
	if m.closed == nil {
		m.version++ // nobody follows it any more: it is no longer one of the idle connections
	}
	m.lent = nil // or each would hold what is known of the one before
	if m.pool != nil {
		m.pool.open--
	}
}

// began takes in the beginning of an exchange: the connection is busy, and a first one is judged
// for reuse.
func (r *reuses) began(d rule.Desk, c *rule.Conn, m *member, e *rule.Began, at time.Duration) {
	m.port = e.Port
	if m.pool == nil {
		m.pool = r.pool(d, poolKey{e.Pair, e.Name, e.Secure}, at)
		m.pool.open++
	}
	m.named(e)
	if e.First {
		m.start, m.cut, m.lacksSYN = e.ConnStart, !e.Handshake, e.LacksSYN
		m.program.tool, m.program.cli = oneShot(e.Agent), commandLine(e.Agent)
	}
	if m.far == 0 || e.Far < m.far {
		m.far = e.Far
	}
	m.pool.seen = max(m.pool.seen, e.Start.Time)
	// a repetition has a reason for its new connection
	if e.First && e.Critical && e.Handshake && !c.Repeats {
		m.verdict = considerReuse(m, e)
	}
	m.asked = e.Start.Time
	m.busy++
	m.version++
}

// pool is the pool of that key, at a given moment.
func (r *reuses) pool(d rule.Desk, k poolKey, now time.Duration) *pool {
	p := r.pools[k]
	if p != nil && !p.over(now) {
		return p
	}
	fresh := &pool{key: k, seen: now}
	switch {
	case p != nil: // the agenda has the old one still, and finds that it is gone
		r.remembered -= p.counted
	case len(r.pools) >= rule.MaxPairs: // it compares only the exchanges of this connection
		d.Uncompared()
		return fresh
	}
	r.pools[k] = fresh
	r.await(fresh, now+poolSilence)
	return fresh
}

// share is how many of at most most connections a pool may remember. As long as all together
// remember little, it does not depend on the other pools.
func (r *reuses) share(most int) int {
	if r.remembered < maxRemembered {
		return most
	}
	return min(most, max(leastShare, maxRemembered/max(len(r.pools), 1)))
}

// over takes in the end of an exchange.
func (r *reuses) over(m *member, e *rule.Over) {
	m.take(e)
	p := m.pool
	if p == nil || e.Unasked {
		return
	}
	r.limits.served(p.key.Pair, m.served, e.End.Time)
	closes := m.last.reason == responseCloseCause
	if closes && !m.cut {
		p.countRequests(m.served)
		r.limits.closed(p.key.Pair, m, e.End.Time)
	}
	if m.served == 1 && !m.cut && !e.Turn {
		switch {
		case closes:
			p.ended++
			p.unfailed = p.unfailed || !m.last.failed
		case m.last.reusable:
			p.kept++
		}
	}
	if m.fit() && m.closed == nil && !m.borrowed {
		p.addIdle(m, r.share(maxIdle))
	}
	if e.Turn && m.closed != nil && m.served == 1 {
		m.overLate(e, r.share(maxClosed))
	}
}

// take notes how an exchange ended.
func (m *member) take(e *rule.Over) {
	m.busy--
	m.version++
	if e.Unasked {
		return // a farewell, such as 408: it says nothing of what was asked
	}
	m.served++
	m.idleSince = e.End
	if took := e.End.Time - m.asked; m.took == 0 || took < m.took {
		m.took = took
	}
	m.doubt, m.turns = m.doubt || e.Doubt || e.Turn, m.turns || e.Turn
	m.hidden = m.hidden || e.Turn && e.Doubt
	m.gap = m.gap || e.Gap
	m.failed = m.failed || e.Failure != nil && e.Outcome == exchange.NoResponse
	m.last = outcome{
		reusable: e.Reusable,
		reason:   e.Reason,
		notKept:  e.NotKept,
		asked10:  e.Asked10,
		failed:   e.Error,
		aborted: e.Outcome == exchange.Aborted || e.Outcome == exchange.Truncated ||
			e.Outcome == exchange.ResetByPeer,
		size:   e.Bytes,
		stream: e.Multiplexed && !e.Turn,
		shared: e.Multiplexed,
	}
	if e.IdleLimit > 0 {
		m.idleLimit = e.IdleLimit
	}
}

// fit reports whether a connection, as long as it is open, could carry a request now.
func (m *member) fit() bool { return m.busy == 0 && m.last.reusable }

// overLate takes in that the first exchange of a closed connection turned out to be over. Of a turn
// that is known only when both sides have closed; if all of it had come before the first close, the
// connection was idle then.
func (m *member) overLate(e *rule.Over, share int) {
	if e.Outcome == exchange.Complete && e.End.Time <= m.closed.At.Time {
		m.closed.Open = false
		m.pool.addClosed(m, share)
	}
}

// countRequests takes note of how many exchanges a connection served until the server ended it.
func (p *pool) countRequests(served int) {
	if p.requests == nil {
		p.requests = map[int]int{}
	}
	if len(p.requests) < maxCounts || p.requests[served] > 0 {
		p.requests[served]++
	}
}

// addIdle puts a connection among the idle ones.
func (p *pool) addIdle(m *member, share int) {
	p.idle = append(p.idle, idleEntry{m, m.version})
	if len(p.idle) <= 2*share {
		return
	}
	p.dropStale()
	if n := len(p.idle) - share; n > 0 {
		p.idle = slices.Delete(p.idle, 0, n)
	}
}

// dropStale forgets the connections that are no longer idle, so that nothing holds what was known
// of them.
func (p *pool) dropStale() { p.idle = slices.DeleteFunc(p.idle, idleEntry.stale) }

// closing takes in the first FIN or RST of a connection.
func (r *reuses) closing(m *member, e rule.Closing) {
	if m.closed != nil {
		return
	}
	m.closed, m.gap = &e, m.gap || e.Gap
	m.version++
	p := m.pool
	if p == nil {
		return
	}
	if d := m.lent; d != nil && d.closed == nil {
		d.borrowed, m.lent = false, nil
		if d.fit() {
			d.pool.addIdle(d, r.share(maxIdle))
		}
	}
	byServer := e.By == reassembly.FromServer && m.last.reusable
	if byServer && m.busy == 0 && m.served > 0 {
		p.idleTime = appendLatest(p.idleTime, m.idled(), keptIdle)
	}
	if e.By == reassembly.FromClient && m.busy == 0 && m.served > 0 {
		p.leftIdle = appendLatest(p.leftIdle, m.idled(), keptIdle)
	}
	if byServer && m.busy == 0 && m.promptly() {
		p.countRequests(m.served)
		r.limits.closed(p.key.Pair, m, e.At.Time)
	}
	if byServer && m.served > 1 && !e.Reset || m.last.reason == responseCloseCause {
		p.noteAge(m)
	}
	if m.served > 0 {
		p.addClosed(m, r.share(maxClosed))
	}
}

// idled is how long a closed connection had been idle, since the last copy of its last response.
func (m *member) idled() time.Duration {
	return m.closed.At.Time - max(m.idleSince.Time, m.closed.Again)
}

// promptly reports whether a connection was closed so soon after a response that nobody had meant
// to keep it. The round trip of its exchanges is known when they have been judged, and the way to
// the client before.
func (m *member) promptly() bool { return m.idled() <= rule.PromptClose+max(m.rtt, m.far) }

// addClosed keeps a connection that has been closed after it had served.
func (p *pool) addClosed(m *member, share int) {
	p.closed = append(p.closed, m)
	if n := len(p.closed) - share; n > 0 {
		p.closed = slices.Delete(p.closed, 0, n)
	}
}

// until is the moment from which on nothing of the pool can matter, if nobody asks for it before;
// false if one of its connections is open.
func (p *pool) until() (time.Duration, bool) {
	until := p.seen + poolSilence
	if n := len(p.closed); n > 0 {
		until = max(until, p.closed[n-1].closed.At.Time+donorHorizon)
	}
	return until, p.open == 0
}

// over reports whether nothing of the pool can matter any more at a given moment.
func (p *pool) over(now time.Duration) bool {
	until, idle := p.until()
	return idle && now > until
}

// Advance forgets the pools of which nothing can matter any more, and of others what has moved on.
// When a pool is looked at, and what is forgotten, depends on its own connections alone.
func (r *reuses) Advance(_ rule.Desk, now time.Duration) {
	for p, ok := r.silent.Due(now); ok; p, ok = r.silent.Due(now) {
		until, idle := p.until()
		switch {
		case r.pools[p.key] != p: // it was over when it was asked for
		case idle && until <= p.due:
			delete(r.pools, p.key)
			r.remembered -= p.counted
		case idle:
			r.await(p, until)
		default:
			p.forget(p.due)
			r.count(p)
			r.await(p, p.due+poolSilence)
		}
	}
}

// await lets a pool be looked at after a given moment.
func (r *reuses) await(p *pool, due time.Duration) {
	p.due = due
	r.silent.Add(due, p)
}

// forget drops the connections that no request after a given moment can have needed.
func (p *pool) forget(at time.Duration) {
	old := 0
	for old < len(p.closed) && at-p.closed[old].closed.At.Time > poolSilence {
		old++
	}
	p.closed = slices.Delete(p.closed, 0, old)
	p.dropStale()
}
