package analysis

import (
	"sync"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

// judge reads the events of all connections in the order of time, and draws up the report. What it
// keeps about a connection is small and goes when the connection can no longer matter.
type judge struct {
	opts   *Options
	hooks  Hooks
	rules  []*Detector
	cross  []crossRule
	conns  map[int]*member
	pools  map[poolKey]*pool
	groups map[groupKey]*group
	pairs  map[report.Pair]*pairTotals
	list   listing
	total  totals
	retry  retries
	crowd  crowded
	nextID int // of the next exchange
	trace  *report.Trace
	clock  wallClock
	jobs   sync.Pool // of *job, for the workers
	// standing is room for the claims of the exchange in hand.
	standing []claim
	// suspects are requests that may have met a forgotten connection.
	suspects suspects
	paths    paths
}

// totals are sums over everything, listed or not.
type totals struct {
	connections, exchanges int
	exchangeTime, lost     time.Duration
	times                  [report.LabelCount]time.Duration
	vantages               map[reassembly.Vantage]int
	caveats                map[string]uint64 // connections by caveat
	missing                int64             // octets that the capture lacks
	octets                 int64
	midStream, oneSided    uint64
	// clients and services, those that were forgotten as often as they came again
	pairs uint64
	views uint64 // connections that are others seen again
	cut   uint64 // exchanges that the end of the capture cut
}

// pairTotals is what all exchanges of one client with one service took.
type pairTotals struct {
	born      uint64 // how many there were before
	exchanges int
	time      time.Duration
	rtt       time.Duration // the least round trip that exchanges showed; 0: none
	seen      report.Products
}

func newJudge(opts *Options, rules []*Detector) *judge {
	j := &judge{opts: opts, rules: rules, conns: map[int]*member{}, pools: map[poolKey]*pool{},
		groups: map[groupKey]*group{}, pairs: map[report.Pair]*pairTotals{}, suspects: suspects{}}
	j.total.vantages = map[reassembly.Vantage]int{}
	j.total.caveats = map[string]uint64{}
	j.list.conns.limit, j.list.exchanges.limit = opts.MaxListed, opts.MaxListed
	for _, d := range rules {
		if d.cross != nil {
			j.cross = append(j.cross, d.cross())
		}
	}
	return j
}

// read takes in events that are in order.
func (j *judge) read(events []event) {
	for i := range events {
		j.event(&events[i])
	}
	if len(events) > 0 {
		j.age(events[len(events)-1].at)
	}
}

// event takes in one event.
func (j *judge) event(e *event) {
	m := j.conns[e.conn]
	if m == nil {
		m = &member{id: e.conn}
		m.ids = m.room[:0]
		j.conns[e.conn] = m
	}
	j.expireFailures(e.at)
	switch data := e.data.(type) {
	case *beganExchange:
		m.ids = append(m.ids, exchangeID{e.index, j.nextID})
		m.all = append(m.all, j.nextID)
		j.clock.began(data.pair.Client, j.nextID, data.need)
		j.nextID++
		j.totalsOf(data.pair).nearer(data.rtt)
		j.retried(m, data, e.index)
		j.suspected(m, data, e.index)
		j.began(m, data)
	case *overExchange:
		m.seen = data.products
		j.freed(m, data)
		if data.outcome != reassembly.Incomplete {
			j.cleared(m)
		}
		j.failed(m, data)
	case *closingConn:
		j.closing(m, data)
		if data.again {
			return
		}
	case *draft:
		j.judged(m, data)
	case *overConn:
		j.gone(m, data)
		j.cleared(m)
		delete(j.conns, e.conn)
	}
	for _, r := range j.cross {
		r.event(j, m, e)
	}
	if job, ok := e.data.(*draft); ok {
		j.recycle(job)
	}
}

// judged takes in an exchange's ledger and claims.
func (j *judge) judged(m *member, job *draft) {
	info := job.info
	info.ID = m.take(job.Index)
	j.total.exchanges++
	j.total.exchangeTime += info.Duration
	for l, t := range job.Times {
		j.total.times[l] += t
	}
	if info.Outcome == reassembly.Incomplete {
		j.total.cut++
	}
	waited := info.Duration
	if job.Streams() {
		waited = 0 // beside the hours of a stream every fault would seem small
	}
	j.pairTotal(m, waited, job.Flow.Rtt)
	m.ownSetup(job)
	claims := j.own(m, job)
	for i := range claims {
		claims[i].occ.Exchange = info.ID
		j.book(m, &claims[i], job)
	}
	j.total.lost += job.combined(claims)
	j.clock.judged(j, m.pair, job, claims)
	j.paths.judged(j, m, job, len(claims) > 0 && claims[0].rule == missedReuse.Name)
	j.list.exchanges.add(info.Duration, info.ID, info)
	j.list.drawn(job)
	j.tellExchange(m, info)
}

// own settles which claims stand: a response's slow start on a connection that need not have been
// opened is a cost of that. They are valid until the next call.
func (j *judge) own(m *member, job *draft) []claim {
	out := j.standing[:0]
	reuse, ok := j.reuseClaim(m, job)
	if ok {
		out = append(out, reuse)
	}
	for _, c := range job.claims {
		repair := c.rule == "retransmission-timeout" // of what was not lost by chance
		if c.rule == "" || ok && c.rule == slowStart.Name && c.cause == "" ||
			repair && (job.syn != nil && job.syn.dropped || m.lostWay(job)) ||
			!j.enabled(c.rule) {
			continue
		}
		out = append(out, c)
	}
	j.standing = out
	return out
}

// enabled reports whether the rule runs.
func (j *judge) enabled(rule string) bool {
	for _, d := range j.rules {
		if d.Name == rule {
			return true
		}
	}
	return false
}

// pairTotal adds an exchange to what its pair waited for.
func (j *judge) pairTotal(m *member, took, rtt time.Duration) {
	t := j.totalsOf(m.pair)
	t.seen.Add(m.seen)
	t.exchanges++
	t.time += took
	t.nearer(rtt)
}

// totalsOf are those of a pair, made if need be.
func (j *judge) totalsOf(p report.Pair) *pairTotals {
	t := j.pairs[p]
	if t == nil {
		j.trimPairs()
		t = &pairTotals{born: j.total.pairs}
		j.total.pairs++
		j.pairs[p] = t
	}
	return t
}

// nearer takes note of a round trip.
func (t *pairTotals) nearer(rtt time.Duration) {
	if rtt > 0 && (t.rtt == 0 || rtt < t.rtt) {
		t.rtt = rtt
	}
}

// gone takes in the end of a connection.
func (j *judge) gone(m *member, e *overConn) {
	m.pair, m.seen = e.pair, e.names.Products
	j.total.connections++
	j.total.vantages[e.info.Vantage]++
	j.total.octets += e.info.Bytes[0] + e.info.Bytes[1]
	for _, c := range e.info.Caveats {
		j.total.caveats[c]++
	}
	j.total.missing += e.missing
	if e.midStream {
		j.total.midStream++
	}
	answered := e.info.State != reassembly.Connecting && e.info.State != reassembly.Refused
	if answered && (e.info.Segments[0] == 0 || e.info.Segments[1] == 0) {
		j.total.oneSided++
	}
	for i := range e.claims {
		c := &e.claims[i]
		c.occ.Exchange = m.find(c.index)
		if j.enabled(c.rule) {
			j.bookClosed(m, c)
		}
	}
	if !e.ended && ledger.Seen(e.at) && m.closed == nil {
		j.closing(m, &closingConn{at: e.at, by: e.by, reset: e.reset})
	}
	if m.closed == nil {
		m.version++ // nobody follows it any more: it is no longer one of the idle connections
	}
	m.lent = nil // or each would hold what is known of the one before
	e.info.Exchanges = m.all
	if e.trace != nil {
		j.trace = e.trace
		j.trace.Conn = e.info
	}
	j.list.conns.add(e.info.Duration, e.info.ID, e.info)
}
