package analysis

import (
	"fmt"
	"net/netip"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

const (
	// retryWithin is how soon after a failure the same request counts as its repetition: clients
	// that repeat at all do it at once.
	retryWithin = time.Second
	// awaitRetry is how long a failure waits for its repetition: the connection that this waits for
	// may need two SYNs more.
	awaitRetry = 3 * retryWithin
	// maxFailures is how many failures wait for a repetition; beyond it the oldest wait no longer.
	maxFailures = 4096
)

// retryKey is what a request and its repetition have in common.
type retryKey struct {
	client         netip.Addr
	host           string
	method, target string
}

// failure is an exchange that did not end well, and the request that repeated it.
type failure struct {
	key   retryKey // no method: a repetition would not be recognised
	host  string
	start capture.Mark
	at    time.Duration // when it was over
	took  time.Duration
	retry *beganExchange
	conn  int           // of the retry
	index int           // of the retry within its connection
	owned time.Duration // of the time until the retry: other findings have it
}

// newFailure is what the judge needs to find the retry of x, which just ended.
func (s *followed) newFailure(x *reassembly.Exchange) *failure {
	f := &failure{
		start: x.Start(),
		at:    s.Conn.End.Time,
		host:  x.Host,
		took:  max(0, s.Conn.End.Time-x.Start().Time),
	}
	if s.Conn.TLS != nil {
		f.host = s.Conn.TLS.SNI
	}
	if x.Method != "" && !x.Turn {
		f.key = retryKey{s.Conn.Client.Addr(), f.host, x.Method, x.Target}
	}
	return f
}

// failedClaim is a claim about a failure, whose cost is known when its repetition has been seen or
// is no longer expected.
type failedClaim struct {
	m *member
	c claim
}

// retries links failures to the requests that repeat them.
type retries struct {
	open    map[retryKey][]*failure // not yet repeated, oldest first
	queue   []*failure              // the same in order of time
	waiting []failedClaim           // in order of arrival
}

// failed opens the time in which a repetition of the failure is recognised.
func (j *judge) failed(m *member, e *overExchange) {
	f := e.failure
	if f == nil {
		return
	}
	if f.key.method == "" {
		return
	}
	r := &j.retry
	if r.open == nil {
		r.open = map[retryKey][]*failure{}
	}
	r.open[f.key] = append(r.open[f.key], f)
	r.queue = append(r.queue, f)
	if len(r.queue) > maxFailures {
		r.close()
	}
}

// close ends the wait of the oldest failure.
func (r *retries) close() {
	f := r.queue[0]
	r.queue = r.queue[1:]
	list := r.open[f.key]
	for i, g := range list {
		if g == f {
			list = append(list[:i], list[i+1:]...)
			break
		}
	}
	if len(list) == 0 {
		delete(r.open, f.key)
		return
	}
	r.open[f.key] = list
}

// retried links a request to the oldest failure that it may repeat.
func (j *judge) retried(m *member, e *beganExchange, index int) {
	if e.turn || e.method == "" || len(j.retry.open) == 0 {
		return
	}
	k := e.key()
	for i, f := range j.retry.open[k] {
		if f.start.Time < e.start.Time && e.need-f.at <= retryWithin {
			f.retry, f.conn, f.index = e, m.id, index
			m.retries = f
			list := j.retry.open[k]
			j.retry.open[k] = append(list[:i:i], list[i+1:]...)
			return
		}
	}
}

// ownSetup takes note of what other findings say that the set-up of a repetition's connection lost:
// those milliseconds are not the failure's, too.
func (m *member) ownSetup(job *draft) {
	f := m.retries
	if f == nil || f.index != job.Index || f.conn != m.id {
		return
	}
	m.retries = nil
	if job.syn != nil && !job.syn.dropped {
		f.owned += job.Times[report.SYNRetx] + job.Times[report.SYNACKRetx]
	}
	for i := range job.claims {
		if job.claims[i].cause == "tuple-reuse" {
			f.owned += job.claims[i].occ.Cost.Expected
		}
	}
}

// bookClosed books a claim about a connection that is over; one about a failure waits until its
// repetition may have been seen.
func (j *judge) bookClosed(m *member, c *claim) {
	if c.failure == nil {
		j.book(m, c, nil)
		return
	}
	if c.elsewhere {
		if !m.givenUp(c.index) {
			return
		}
		s := m.suspect
		c.confidence = report.ConfidenceHigh // the server and the way to it were there
		c.failure.retry, c.failure.conn, c.failure.index = s.repeated, s.conn, s.again
	}
	j.retry.waiting = append(j.retry.waiting, failedClaim{m, *c})
	if len(j.retry.waiting) > maxFailures {
		j.bookFailure(&j.retry.waiting[0])
		j.retry.waiting = j.retry.waiting[1:]
	}
}

// expireFailures books the claims about failures that are repeated within retryWithin or not at
// all.
func (j *judge) expireFailures(now time.Duration) {
	r := &j.retry
	for len(r.queue) > 0 && now-r.queue[0].at > awaitRetry {
		r.close()
	}
	for len(r.waiting) > 0 && now-r.waiting[0].c.failure.at > awaitRetry {
		j.bookFailure(&r.waiting[0])
		r.waiting = r.waiting[1:]
	}
}

// finishFailures books what is left at the end.
func (j *judge) finishFailures() {
	for i := range j.retry.waiting {
		j.bookFailure(&j.retry.waiting[i])
	}
	j.retry.waiting = nil
}

// lose adds to the time that was lost, of which there is never more than exchanges took.
func (j *judge) lose(d time.Duration) {
	j.total.lost = min(j.total.lost+d, j.total.exchangeTime)
}

// wallOfFailure adds what a failure cost by the clock on the wall: several at the same time are
// waited for at once. Failures come in the order in which they were over, so that the union, taken
// from its end, errs on the low side.
func (j *judge) wallOfFailure(m *member, c *claim) {
	key := groupKey{c.rule, c.cause, m.pair}
	g := j.groups[key]
	if g == nil {
		return
	}
	from, to := c.occ.Start, c.occ.Start+c.occ.Cost.Expected
	j.addWall(key, max(0, to-max(from, g.failedUntil)), c.occ.Cost.Expected)
	g.failedUntil = max(g.failedUntil, to)
}

// bookFailure books a claim about a failure. Had the first attempt gone well, its response would
// have come earlier by the time from the first attempt to the second.
func (j *judge) bookFailure(w *failedClaim) {
	c, f := &w.c, w.c.failure
	if e := f.retry; e != nil {
		full := max(0, e.start.Time-f.start.Time-f.owned)
		c.occ.Cost = report.Cost{
			Low:      min(c.occ.Cost.Expected, full),
			Expected: full,
			High:     max(full, c.occ.Cost.High),
		}
		c.occ.End, c.occ.Elsewhere = max(
			c.occ.End,
			e.start.Time,
		), c.occ.Elsewhere ||
			f.conn != c.occ.Connection
		c.occ.Evidence = append(c.occ.Evidence, at(
			e.start,
			"retry",
			report.SideClient,
			fmt.Sprintf(
				"the same request again, on connection %d, %s after the first",
				f.conn,
				seconds(e.start.Time-f.start.Time),
			),
		))
		if !c.unsafe && c.repaired {
			c.correctness = false // nothing was lost but time
		}
	}
	view := &draft{info: &report.ExchangeInfo{Host: f.host, Duration: f.took}}
	view.Flow.Rtt = w.m.rtt
	j.book(w.m, c, view)
	j.wallOfFailure(w.m, c)
	// of exchanges: the failed one, and what its repetition waited for a connection
	within := f.took
	if f.retry != nil {
		within += max(0, f.retry.start.Time-f.retry.need)
	}
	j.lose(min(c.occ.Cost.Expected, within))
}
