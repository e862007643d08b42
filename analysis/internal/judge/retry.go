package judge

import (
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

const (
	// retryWithin is how soon after a failure the same request counts as its repetition: clients
	// that repeat at all do it at once.
	retryWithin = time.Second
	// awaitRetry is how long a failure waits for its repetition: the connection that this waits for
	// may need two SYNs more.
	awaitRetry = 3 * retryWithin
	// refusedWithin is how soon after its refusal the same request counts as the repetition of one
	// that the server never processed: clients wait longer each time. Go begins at once, then waits
	// a second, two, and so on, each a tenth longer at most (golang.org/x/net/http2, Transport).
	refusedWithin = awaitRetry
	// maxFailures is how many failures wait for a repetition; beyond it the oldest wait no longer.
	maxFailures = 4096
	// maxStreamFailures is how many of them one connection of several streams may have that are
	// linked to repetitions.
	maxStreamFailures = 256
)

// failure is such an exchange, and the request that repeated it.
type failure struct {
	rule.Failure
	*rule.Repetition               // nil: none was seen
	owned            time.Duration // of the time until the retry: other findings have it
	exchange         int           // its number
	stream           bool          // it ended when somebody wanted it to, and counts as no failure
}

// failedClaim is a claim about a failure, whose cost is known when its repetition has been seen or
// is no longer expected.
type failedClaim struct {
	s rule.Subject
	c rule.Claim
	f *failure
}

// retries links failures to the requests that repeat them.
type retries struct {
	open    map[rule.RetryKey][]*failure // not yet repeated, oldest first
	queue   rule.Agenda[*failure]        // the same, and some that were repeated
	waiting rule.Agenda[*failedClaim]    // until the repetition may have been seen
	// failures of which a comparison is to settle what they were, by connection, and since when
	referred map[int]*failure
	order    rule.Agenda[int]
	paces    paces // of those that may repeat one
}

// keepReferred keeps the failure of a claim that a comparison is to settle.
func (r *retries) keepReferred(c *rule.Claim, f *failure) {
	if c.Failure == nil || f == nil {
		return
	}
	if r.referred == nil {
		r.referred = map[int]*failure{}
	}
	r.referred[c.Occ.Connection] = f
	r.order.Add(f.At, c.Occ.Connection)
	if r.order.Len() > maxFailures {
		if oldest, ok := r.order.Next(); ok {
			delete(r.referred, oldest)
		}
	}
}

// takeReferred is the failure of a claim that a comparison has settled, with its repetition if one
// was seen.
func (r *retries) takeReferred(c *rule.Claim) *failure {
	if f := r.referred[c.Occ.Connection]; f != nil {
		delete(r.referred, c.Occ.Connection)
		return f
	}
	return &failure{Failure: *c.Failure}
}

// failed opens the time in which a repetition of the failure is recognised.
func (j *Judge) failed(m *member, e *rule.Over, index int) {
	if e.Failure == nil {
		return
	}
	f := &failure{Failure: *e.Failure, exchange: m.find(index)}
	m.fail(f, e.Multiplexed, index)
	if f.Key.Method == "" {
		return
	}
	r := &j.retry
	if r.open == nil {
		r.open = map[rule.RetryKey][]*failure{}
	}
	r.open[f.Key] = append(r.open[f.Key], f)
	if p := r.paces.of(m.Pair, &f.Key, f.At); p != nil && p.latest == f.Failure.Start.Time {
		p.failed = true
	}
	r.queue.Add(f.At+awaitRetry, f)
	if r.queue.Len() > maxFailures {
		if oldest, ok := r.queue.Next(); ok {
			r.close(oldest)
		}
	}
}

// fail keeps a failure of the connection; where each exchange may fail by itself, by its index.
func (m *member) fail(f *failure, multiplexed bool, index int) {
	if !multiplexed {
		m.failure = f
		return
	}
	if m.streams == nil {
		m.streams = map[int]*failure{}
	}
	if len(m.streams) < maxStreamFailures {
		m.streams[index] = f
	}
}

// streamed takes note that a failed exchange was a stream, which ends when somebody wants it to.
func (m *member) streamed(number, index int) {
	f := m.failure
	if s := m.streams[index]; s != nil {
		f = s
	}
	if f != nil && f.exchange == number {
		f.stream = true
	}
}

// failureOf is the failure that a claim is about, whose repetition may have been seen.
func (m *member) failureOf(c *rule.Claim) *failure {
	if f := m.streams[c.Index]; f != nil {
		return f
	}
	if m.failure == nil && c.Failure != nil {
		return &failure{Failure: *c.Failure}
	}
	return m.failure
}

// close ends the wait of a failure.
func (r *retries) close(f *failure) {
	list := r.open[f.Key]
	for i, g := range list {
		if g == f {
			list = append(list[:i], list[i+1:]...)
			break
		}
	}
	if len(list) == 0 {
		delete(r.open, f.Key)
		return
	}
	r.open[f.Key] = list
}

// retried links a request to the oldest failure that it may repeat.
func (j *Judge) retried(m *member, e *rule.Began, index int) {
	if e.Turn || e.Method == "" {
		return
	}
	k := e.Key()
	pace := j.retry.paces.of(e.Pair, &k, e.Start.Time)
	pace.follows(&m.asked, e, m.Id)
	defer pace.began(e.Start.Time)
	for i, f := range j.retry.open[k] {
		if f.Failure.Start.Time < e.Start.Time && (f.linked(e, pace) || f.reopened(e, m.opened)) {
			f.Repetition = &rule.Repetition{Start: e.Start, Need: e.Need, Conn: m.Id, Index: index}
			m.retries = f
			j.proxied.repeats[j.nextID] = f
			list := j.retry.open[k]
			j.retry.open[k] = append(list[:i:i], list[i+1:]...)
			return
		}
	}
}

// linked reports whether anything links a request to the failure but what it asks for: its
// connection was opened for it, after the failed request had left, and not when the client would
// have asked anyway; or it came at once. On a connection that has long been in use the client may
// ask for the same again and again. One that the server has not processed is repeated on whatever
// connection there is, unless the client asks for it at a pace of its own. Nothing links that of a
// client that asks for it all the time.
func (f *failure) linked(e *rule.Began, pace *paced) bool {
	after := e.Need - f.At
	if pace.always() {
		return false
	}
	if f.Refused && after <= refusedWithin {
		return !pace.keeps(e.Start.Time-f.Failure.Start.Time) || after <= repeatsAtOnce+e.Far
	}
	if after > retryWithin {
		return false
	}
	opened := e.First && e.Handshake && e.ConnStart.Time >= f.Failure.Start.Time
	return opened && !pace.keeps(e.Start.Time-f.Failure.Start.Time) ||
		after <= repeatsAtOnce+e.Far
}

// reopened reports whether the client opened the connection of a request for the failure, which the
// server has not processed: as soon as it knew of that, when it had nothing else to ask, so that
// what left before anything could be answered there waited for it, whatever the pace of requests
// was. opened is when the connection's first request left.
func (f *failure) reopened(e *rule.Began, opened time.Duration) bool {
	since := e.ConnStart.Time - f.At
	return f.Refused && e.Handshake && since >= 0 && since <= repeatsAtOnce+e.Far &&
		e.Need-f.At <= refusedWithin && (e.First || e.Start.Time-opened < e.Rtt)
}

// ownSetup takes note of what other findings say that the set-up of a repetition's connection lost:
// those milliseconds are not the failure's, too.
func (m *member) ownSetup(job *rule.Judged) {
	f := m.retries
	if f == nil || f.Index != job.Index || f.Repetition.Conn != m.Id {
		return
	}
	m.retries = nil
	if job.Kinds().Has(rule.LateHandshake) {
		f.owned += job.Times[report.SYNRetx] + job.Times[report.SYNACKRetx]
	}
	for i := range job.Claims {
		if job.Claims[i].Kind.Has(rule.UsedPorts) {
			f.owned += job.Claims[i].Occ.Cost.Expected
		}
	}
}

// await keeps a claim about a failure until its repetition may have been seen.
func (j *Judge) await(s rule.Subject, c *rule.Claim, f *failure) {
	j.retry.waiting.Add(f.At+awaitRetry, &failedClaim{s, *c, f})
	if j.retry.waiting.Len() > maxFailures {
		if oldest, ok := j.retry.waiting.Next(); ok {
			j.bookFailure(oldest)
		}
	}
}

// expireFailures books the claims about failures that are repeated within retryWithin or not at
// all.
func (j *Judge) expireFailures(now time.Duration) {
	r := &j.retry
	for f, ok := r.queue.Due(now); ok; f, ok = r.queue.Due(now) {
		r.close(f)
	}
	for w, ok := r.waiting.Due(now); ok; w, ok = r.waiting.Due(now) {
		j.bookFailure(w)
	}
}

// finishFailures books what is left at the end.
func (j *Judge) finishFailures() {
	for w, ok := j.retry.waiting.Next(); ok; w, ok = j.retry.waiting.Next() {
		j.bookFailure(w)
	}
}

// wallOfFailure adds what a failure cost by the clock on the wall: several at the same time are
// waited for at once. Failures come in the order in which they were over, so that the union, taken
// from its end, errs on the low side.
func (j *Judge) wallOfFailure(s *rule.Subject, c *rule.Claim) {
	k := rule.Key{Rule: c.Rule, Cause: c.Cause, Pair: s.Pair}
	g := j.groups[k]
	if g == nil {
		return
	}
	from, to := c.Occ.Start, c.Occ.Start+c.Occ.Cost.Expected
	j.addWall(k, max(0, to-max(from, g.failedUntil)), c.Occ.Cost.Expected)
	g.failedUntil = max(g.failedUntil, to)
}

// bookFailure books a claim about a failure. Had the first attempt gone well, its response would
// have come earlier by the time from the first attempt to the second.
func (j *Judge) bookFailure(w *failedClaim) {
	c, f := &w.c, w.f
	if j.followed(c) {
		return
	}
	e := f.Repetition
	if e != nil && j.forAnother(c.Occ.Exchange, e.Start.Time) {
		e = nil
	}
	if e != nil {
		full := max(0, e.Start.Time-f.Failure.Start.Time-f.owned)
		c.Occ.Cost = report.Cost{
			Low:      min(c.Occ.Cost.Expected, full),
			Expected: full,
			High:     max(full, c.Occ.Cost.High),
		}
		c.Occ.End = max(c.Occ.End, e.Start.Time)
		c.Occ.Elsewhere = c.Occ.Elsewhere || e.Conn != c.Occ.Connection
		c.Occ.Proof = append(c.Occ.Proof, rule.Shows(e.Start, report.SideClient, sameRequest,
			int64(e.Conn), rule.Ns(e.Start.Time-f.Failure.Start.Time)))
		if !c.Unsafe && c.Repaired {
			c.Correctness = false // nothing was lost but time
		}
	}
	w.s.Known, w.s.Host, w.s.Took = true, f.Host, f.Took
	c.Repeated = e
	j.clock.claimed.room(c, within(&w.s, c))
	j.add(w.s, c)
	j.wallOfFailure(&w.s, c)
	went := j.showLoss(&w.s, c)
	if !isDoubtful(*c) {
		j.Total.shared.lost.at.add(went)
		j.Lose(c.Occ.Start, min(c.Occ.Cost.Expected, within(&w.s, c)))
	}
}
