package analysis

import (
	"slices"
	"strings"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

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
	// promptClose is how soon after a response a close by the client means that it never meant to
	// keep the connection.
	promptClose = 50 * time.Millisecond
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
	closed   []*member   // could have been kept open; in order of closing
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
	m       *member
	version int
}

// exchangeID maps an exchange of a connection to its number in the report.
type exchangeID struct{ index, id int }

// member is what the judge keeps of a connection.
type member struct {
	id        int
	pair      report.Pair
	pool      *pool
	ids       []exchangeID  // begun, not yet judged
	room      [1]exchangeID // where ids begins
	all       []int
	version   int // counts changes between busy and idle
	busy      int
	served    int // exchanges over
	idleSince capture.Mark
	reusable  bool
	reason    string
	doubt     bool // its messages were not all read
	foreign   bool // what it carries is neither HTTP nor hidden
	turns     bool // it carried turns: when one is over is not known before the next begins
	idleLimit time.Duration
	notKept   bool  // the server said with its latest response that it keeps no idle connection
	gap       bool  // the capture lacks some of it
	asked10   bool  // its latest request was HTTP/1.0
	cut       bool  // the capture lacks its beginning
	size      int64 // octets of the latest response
	aborted   bool  // the latest exchange did not end well
	closed    *closingConn
	verdict   *verdict
	// what its latest exchange repeats; nil once that is judged, or nothing
	retries    *failure
	suspect    *suspect      // its latest exchange, if that came after a long idle time
	lent       *member       // the idle connection that should have carried this one's requests
	borrowed   bool          // that idle connection itself: it counts as busy
	failed     bool          // an exchange did not end well: what it cost belongs to another rule
	again      bool          // opened to repeat a request that had failed
	reused     bool          // missed-reuse has claimed its set-up
	counted    bool          // its port is counted as in use
	port       uint16        // of the client
	answeredAt time.Duration // end of the latest exchange that did not fail
	inCrowd    bool          // it is counted as open by parallel-connections
	inPool     bool          // the same by pool-wait
	beganAt    time.Duration // when the latest exchange began
	took       time.Duration // how long that took
	start      capture.Mark
	seen       report.Products
	// the program that its first request names, without version; "" if not known
	agent  string
	tool   bool          // a program that is started for each request
	cli    bool          // a tool that does not ask for a close of its own accord
	far    time.Duration // the least from the capture to the client and back; 0: not known
	flight int64         // the most that the server had in flight
	rtt    time.Duration
}

// take gives the report's number of an exchange, for the last time.
func (m *member) take(index int) int {
	for i, e := range m.ids {
		if e.index == index {
			m.ids = append(m.ids[:i], m.ids[i+1:]...)
			return e.id
		}
	}
	return -1
}

// find gives the report's number of an exchange of this connection; -1 for none.
func (m *member) find(index int) int {
	if index < 0 || index >= len(m.all) {
		return -1
	}
	return m.all[index]
}

// began takes in the beginning of an exchange: the connection is busy, and a first one is judged
// for reuse.
func (j *judge) began(m *member, e *beganExchange) {
	m.pair, m.port = e.pair, e.port
	if m.pool == nil {
		m.pool = j.pool(poolKey{e.pair, e.name, e.secure})
	}
	m.named(e)
	if e.first {
		m.again = m.retries != nil
		m.start, m.tool, m.cli, m.cut = e.connStart, oneShot(
			e.agent,
		), commandLine(
			e.agent,
		), !e.handshake
	}
	if m.far == 0 || e.far < m.far {
		m.far = e.far
	}
	m.pool.seen = max(m.pool.seen, e.start.Time)
	// a repetition has a reason for its new connection
	if e.first && e.critical && e.handshake && m.retries == nil {
		m.verdict = j.considerReuse(m, e)
	}
	m.busy++
	m.version++
}

// nameless stands for a program that does not name itself: those that do, do so in every request.
const nameless = "-"

// named takes in which program a request names. Where one connection carries those of several, a
// proxy passes them on.
func (m *member) named(e *beganExchange) {
	name, _, _ := strings.Cut(e.agent, "/")
	switch {
	case e.turn || e.facts&ledger.UnreadFacts != 0:
		return // what it names is not known
	case name == "":
		name = nameless
	}
	switch {
	case e.first:
		m.agent = name
	case m.agent != "" && name != m.agent:
		m.pool.proxied = true
	}
}

// otherProgram reports whether two connections were opened by different programs, as far as their
// requests tell: neither can use a connection of the other's.
func (m *member) otherProgram(d *member) bool {
	return m.agent != "" && d.agent != "" && m.agent != d.agent && !m.pool.proxied
}

// pool is the pool of that key.
func (j *judge) pool(k poolKey) *pool {
	p := j.pools[k]
	if p == nil {
		p = &pool{}
		if len(j.pools) >= maxPools { // it compares only the exchanges of this connection
			j.crowd.pools++
			return p
		}
		j.pools[k] = p
	}
	return p
}

// share is how many of at most most connections a pool may remember where there are so many pools.
func (j *judge) share(most int) int {
	return min(most, max(leastShare, maxRemembered/max(len(j.pools), 1)))
}

// freed takes in the end of an exchange.
func (j *judge) freed(m *member, e *overExchange) {
	m.busy--
	m.version++
	m.served++
	if e.failure == nil {
		m.answeredAt = e.end.Time
	}
	m.idleSince = e.end
	m.reusable, m.reason = e.reusable, e.reason
	m.foreign = e.foreign
	m.doubt, m.turns = m.doubt || e.doubt || e.turn, m.turns || e.turn
	m.gap = m.gap || e.gap
	m.size, m.asked10 = e.bytes, e.asked10
	m.failed = m.failed || e.failure != nil && e.outcome == reassembly.NoResponse
	m.aborted = e.outcome == reassembly.Aborted || e.outcome == reassembly.Truncated ||
		e.outcome == reassembly.ResetByPeer
	m.notKept = e.notKept
	if e.idleLimit > 0 {
		m.idleLimit = e.idleLimit
	}
	if m.reason == "response-close" && m.pool != nil && !m.cut {
		m.pool.countRequests(m.served)
	}
	if m.pool != nil && m.served == 1 && !m.cut && !e.turn {
		switch {
		case m.reason == "response-close":
			m.pool.ended++
		case m.reusable:
			m.pool.kept++
		}
	}
	if m.busy == 0 && m.reusable && m.closed == nil && m.pool != nil && !m.borrowed {
		m.pool.rest(m, j.share(maxIdle))
	}
	if e.turn && m.closed != nil && m.served == 1 && m.pool != nil {
		m.freedLate(e, j.share(maxClosed))
	}
}

// freedLate takes in that the first exchange of a closed connection turned out to be over. Of a
// turn that is known only when both sides have closed; if all of it had come before the first
// close, the connection was idle then.
func (m *member) freedLate(e *overExchange, share int) {
	if e.outcome == reassembly.Complete && e.end.Time <= m.closed.at.Time {
		m.closed.open = false
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
func (p *pool) rest(m *member, share int) {
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
func (j *judge) closing(m *member, e *closingConn) {
	if m.closed != nil {
		m.gap = m.gap || e.gap
		return
	}
	m.closed, m.gap = e, m.gap || e.gap
	m.version++
	if m.pool == nil {
		return
	}
	if d := m.lent; d != nil && d.closed == nil {
		d.borrowed, m.lent = false, nil
		if d.busy == 0 && d.reusable {
			d.pool.rest(d, j.share(maxIdle))
		}
	}
	if idle := e.at.Time - m.idleSince.Time; m.busy == 0 && m.reusable &&
		e.by == reassembly.FromServer &&
		m.served > 0 {
		m.pool.idleTime = append(m.pool.idleTime, idle)
		if len(m.pool.idleTime) > 64 {
			m.pool.idleTime = m.pool.idleTime[1:]
		}
	}
	unannounced := m.busy == 0 && m.reusable && e.by == reassembly.FromServer &&
		e.at.Time-m.idleSince.Time <= promptClose+m.rtt
	if unannounced {
		m.pool.countRequests(m.served)
	}
	if m.served > 1 && m.reusable && e.by == reassembly.FromServer && !e.reset ||
		m.reason == "response-close" {
		m.pool.aged(m)
	}
	if m.served > 0 {
		m.pool.remember(m, j.share(maxClosed))
	}
}

// remember keeps a connection that has been closed after it had served.
func (p *pool) remember(m *member, share int) {
	p.closed = append(p.closed, m)
	if n := len(p.closed) - share; n > 0 {
		p.closed = slices.Delete(p.closed, 0, n)
	}
}

// age forgets what can no longer matter at the given moment.
func (j *judge) age(now time.Duration) {
	for k, p := range j.pools {
		for len(p.closed) > 0 && now-p.closed[0].closed.at.Time > donorHorizon {
			p.closed = p.closed[1:]
		}
		p.tidy()
		if len(p.idle) == 0 && len(p.closed) == 0 && now-p.seen > 2*donorHorizon {
			delete(j.pools, k)
		}
	}
}
