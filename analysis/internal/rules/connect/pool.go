package connect

import (
	"slices"
	"strings"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// maxPools is for how many pairs of client and service connections are compared at a time.
const maxPools = 1 << 14

const (
	// donorHorizon is how long after its end a connection still counts as one that could have been
	// kept open: common idle timeouts of clients and servers are 60 s and more, and what lies
	// further back is another visit.
	donorHorizon = 60 * time.Second
	maxIdle      = 128 // idle connections looked at per pool; the oldest give way
	maxCounts    = 256 // different numbers of requests remembered per pool
	maxClosed    = 256 // closed connections remembered per pool
	// maxRemembered is how many idle ones, and how many closed ones, all pools remember together,
	// each an equal share but leastShare at least: a connection takes about 700 octets.
	maxRemembered = 1 << 16
	leastShare    = 8

	// shortestTimeout is the shortest idle timeout that anybody would set.
	shortestTimeout = time.Second
	// readAhead is how much of a response clients read at least with its header: Go reads 4096
	// octets at a time, others more.
	readAhead = 4096
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
	closed   []*kept     // could have been kept open; in order of closing
	seen     time.Duration
	kept     int             // connections that the server left open after their first response
	ended    int             // connections that it announced to close with it
	proxied  bool            // a connection carried requests of several programs
	idleTime []time.Duration // how long the server let connections idle before it closed them
	// how many connections the server ended by announcement, by number of exchanges
	requests map[int]int
	ages     []aged // of connections that the server ended although they were in use
}

// idleEntry is one stretch of idleness.
type idleEntry struct {
	m       *kept
	version int
}

// kept is a connection as missed-reuse sees it: could it have carried another request?
type kept struct {
	id        int
	pool      *pool
	version   int // counts changes between busy and idle
	busy      int
	served    int // exchanges over
	idleSince capture.Mark
	last      ended // its latest exchange
	program   program
	doubt     bool // its messages were not all read
	turns     bool // it carried turns: when one is over is not known before the next begins
	idleLimit time.Duration
	gap       bool // the capture lacks some of it
	cut       bool // the capture lacks its beginning
	closed    *rule.Closing
	verdict   *verdict
	lent      *kept  // the idle connection that should have carried this one's requests
	borrowed  bool   // that idle connection itself: it counts as busy
	failed    bool   // an exchange did not end well: what it cost belongs to another rule
	port      uint16 // of the client
	start     capture.Mark
	far       time.Duration // the least from the capture to the client and back; 0: not known
	flight    int64         // the most that the server had in flight
	rtt       time.Duration
}

// ended is how an exchange left its connection.
type ended struct {
	reusable bool
	reason   string // why not; "" if it is
	notKept  bool   // the server said that it keeps no idle connection
	asked10  bool   // the request was HTTP/1.0
	aborted  bool   // it did not end well
	size     int64  // octets of the response
}

// program is who opened a connection, as far as its first request tells.
type program struct {
	name string // without version; "" if not known
	tool bool   // it is started for each request
	cli  bool   // a tool that does not ask for a close of its own accord
}

// reuses compares the connections of each client to each service.
type reuses struct {
	pools map[poolKey]*pool
	conns map[int]*kept
}

func (r *reuses) Event(d rule.Desk, c *rule.Conn, e *rule.Event) {
	m := r.conns[c.Id]
	if m == nil {
		m = &kept{id: c.Id}
		r.conns[c.Id] = m
	}
	switch e.Kind {
	case rule.ExchangeBegan:
		r.began(d, c, m, e.Began())
	case rule.ExchangeOver:
		r.freed(m, e.Over())
	case rule.ConnClosing:
		r.closing(m, e.Closing())
	case rule.ConnLacks:
		m.gap = true
	case rule.ConnOver:
		r.gone(m, e.Gone())
		delete(r.conns, c.Id)
	}
}

func (r *reuses) Finish(rule.Desk) {}

// gone takes in the end of a connection.
func (r *reuses) gone(m *kept, e *rule.Gone) {
	if !e.Ended && ledger.Seen(e.At) && m.closed == nil {
		r.closing(m, &rule.Closing{At: e.At, By: e.By, Reset: e.Reset})
	}
	if m.closed == nil {
		m.version++ // nobody follows it any more: it is no longer one of the idle connections
	}
	m.lent = nil // or each would hold what is known of the one before
}

// began takes in the beginning of an exchange: the connection is busy, and a first one is judged
// for reuse.
func (r *reuses) began(d rule.Desk, c *rule.Conn, m *kept, e *rule.Began) {
	m.port = e.Port
	if m.pool == nil {
		m.pool = r.pool(d, poolKey{e.Pair, e.Name, e.Secure})
	}
	m.named(e)
	if e.First {
		m.start, m.cut = e.ConnStart, !e.Handshake
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
	m.busy++
	m.version++
}

// nameless stands for a program that does not name itself: those that do, do so in every request.
const nameless = "-"

// named takes in which program a request names. Where one connection carries those of several, a
// proxy passes them on.
func (m *kept) named(e *rule.Began) {
	name, _, _ := strings.Cut(e.Agent, "/")
	switch {
	case e.Turn || e.Facts&ledger.UnreadFacts != 0:
		return // what it names is not known
	case name == "":
		name = nameless
	}
	switch {
	case e.First:
		m.program.name = name
	case m.program.name != "" && name != m.program.name:
		m.pool.proxied = true
	}
}

// otherProgram reports whether two connections were opened by different programs, as far as their
// requests tell: neither can use a connection of the other's.
func (m *kept) otherProgram(d *kept) bool {
	return m.program.name != "" && d.program.name != "" && m.program.name != d.program.name &&
		!m.pool.proxied
}

// pool is the pool of that key.
func (r *reuses) pool(d rule.Desk, k poolKey) *pool {
	p := r.pools[k]
	if p == nil {
		p = &pool{}
		if len(r.pools) >= maxPools { // it compares only the exchanges of this connection
			d.Uncompared()
			return p
		}
		r.pools[k] = p
	}
	return p
}

// share is how many of at most most connections a pool may remember where there are so many pools.
func (r *reuses) share(most int) int {
	return min(most, max(leastShare, maxRemembered/max(len(r.pools), 1)))
}

// freed takes in the end of an exchange.
func (r *reuses) freed(m *kept, e *rule.Over) {
	m.busy--
	m.version++
	m.served++
	m.idleSince = e.End
	m.doubt, m.turns = m.doubt || e.Doubt || e.Turn, m.turns || e.Turn
	m.gap = m.gap || e.Gap
	m.failed = m.failed || e.Failure != nil && e.Outcome == reassembly.NoResponse
	m.last = ended{
		reusable: e.Reusable,
		reason:   e.Reason,
		notKept:  e.NotKept,
		asked10:  e.Asked10,
		aborted: e.Outcome == reassembly.Aborted || e.Outcome == reassembly.Truncated ||
			e.Outcome == reassembly.ResetByPeer,
		size: e.Bytes,
	}
	if e.IdleLimit > 0 {
		m.idleLimit = e.IdleLimit
	}
	if m.last.reason == "response-close" && m.pool != nil && !m.cut {
		m.pool.countRequests(m.served)
	}
	if m.pool != nil && m.served == 1 && !m.cut && !e.Turn {
		switch {
		case m.last.reason == "response-close":
			m.pool.ended++
		case m.last.reusable:
			m.pool.kept++
		}
	}
	if m.busy == 0 && m.last.reusable && m.closed == nil && m.pool != nil && !m.borrowed {
		m.pool.rest(m, r.share(maxIdle))
	}
	if e.Turn && m.closed != nil && m.served == 1 && m.pool != nil {
		m.freedLate(e, r.share(maxClosed))
	}
}

// freedLate takes in that the first exchange of a closed connection turned out to be over. Of a
// turn that is known only when both sides have closed; if all of it had come before the first
// close, the connection was idle then.
func (m *kept) freedLate(e *rule.Over, share int) {
	if e.Outcome == reassembly.Complete && e.End.Time <= m.closed.At.Time {
		m.closed.Open = false
		m.pool.remember(m, share)
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

// rest puts a connection among the idle ones.
func (p *pool) rest(m *kept, share int) {
	p.idle = append(p.idle, idleEntry{m, m.version})
	if len(p.idle) <= 2*share {
		return
	}
	p.tidy()
	if n := len(p.idle) - share; n > 0 {
		p.idle = slices.Delete(p.idle, 0, n)
	}
}

// tidy forgets the connections that are no longer idle, so that nothing holds what was known of
// them.
func (p *pool) tidy() {
	kept := p.idle[:0]
	for _, e := range p.idle {
		if e.m.version == e.version {
			kept = append(kept, e)
		}
	}
	clear(p.idle[len(kept):])
	p.idle = kept
}

// closing takes in the first FIN or RST of a connection.
func (r *reuses) closing(m *kept, e *rule.Closing) {
	if m.closed != nil {
		return
	}
	m.closed, m.gap = e, m.gap || e.Gap
	m.version++
	if m.pool == nil {
		return
	}
	if d := m.lent; d != nil && d.closed == nil {
		d.borrowed, m.lent = false, nil
		if d.busy == 0 && d.last.reusable {
			d.pool.rest(d, r.share(maxIdle))
		}
	}
	if idle := e.At.Time - m.idleSince.Time; m.busy == 0 && m.last.reusable &&
		e.By == reassembly.FromServer && m.served > 0 {
		m.pool.idleTime = append(m.pool.idleTime, idle)
		if len(m.pool.idleTime) > 64 {
			m.pool.idleTime = m.pool.idleTime[1:]
		}
	}
	unannounced := m.busy == 0 && m.last.reusable && e.By == reassembly.FromServer &&
		e.At.Time-m.idleSince.Time <= ledger.PromptClose+m.rtt
	if unannounced {
		m.pool.countRequests(m.served)
	}
	if m.served > 1 && m.last.reusable && e.By == reassembly.FromServer && !e.Reset ||
		m.last.reason == "response-close" {
		m.pool.aged(m)
	}
	if m.served > 0 {
		m.pool.remember(m, r.share(maxClosed))
	}
}

// remember keeps a connection that has been closed after it had served.
func (p *pool) remember(m *kept, share int) {
	p.closed = append(p.closed, m)
	if n := len(p.closed) - share; n > 0 {
		p.closed = slices.Delete(p.closed, 0, n)
	}
}

// Age forgets what can no longer matter at the given moment.
func (r *reuses) Age(now time.Duration) {
	for k, p := range r.pools {
		for len(p.closed) > 0 && now-p.closed[0].closed.At.Time > donorHorizon {
			p.closed = p.closed[1:]
		}
		p.tidy()
		if len(p.idle) == 0 && len(p.closed) == 0 && now-p.seen > 2*donorHorizon {
			delete(r.pools, k)
		}
	}
}
