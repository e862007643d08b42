package transfer

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

const (
	// leastQueue is from what delay on a queue is worth a word; a phone call bears 150 ms in all
	// (ITU-T G.114).
	leastQueue = 20 * time.Millisecond
	// leastFilling is how long a transfer must be bound by the path's rate to count as filling the
	// path.
	leastFilling = 50 * time.Millisecond
	// residualQueue is what active queue management leaves of a queue: its target (RFC 8289 §4.1: 5
	// ms).
	residualQueue = 5 * time.Millisecond
	// maxFillings and maxQueued are how many transfers that filled a client's path are remembered
	// to be shown, and how many of its exchanges that waited in a queue nobody is known to have
	// filled so far; maxQueuedAll is that of all clients, beyond which those that are older than
	// pairSilence go. maxBusy is how many stretches of time are; beyond it neighbours become one.
	maxFillings  = 64
	maxQueued    = 256
	maxQueuedAll = 1 << 14
	maxBusy      = 1024
)

// paths follows, by client, which transfers kept the path busy, and which exchanges of other
// connections waited behind them meanwhile.
type paths struct {
	// by the client's address alone: all its servers are behind the same access
	clients rule.PairTable[clientPath]
	held    int           // exchanges that wait, of all clients
	expired time.Duration // when the old ones of them were last forgotten
}

// clientPath is the path to and from one client.
type clientPath struct {
	ways [2]way    // by the direction of what filled it
	full []filling // what filled it, latest last
	late []queued  // exchanges that waited in a queue of which nothing else is known so far
}

// way is one direction of a path.
type way struct {
	busy []report.Interval // when it was full: apart, and in order
	// what a queue can have held up anything: no sender has more under way than a receive window
	deep time.Duration
}

// filling is a transfer that was bound by the path's rate, so that what passed the path meanwhile
// came behind it.
type filling struct {
	report.Interval
	conn, exchange int
	first, last    capture.Mark
	dir            reassembly.Dir
	rate           float64       // octets a second
	most           time.Duration // that the path needs for a receive window
	queue          time.Duration // by how much round trips on its own connection grew; 0: not known
	// the capture is next to its sender, where they show all of the queue
	shown bool
}

// queued is an exchange that waited in a queue.
type queued struct {
	report.Interval
	conn, exchange int
	pair           report.Pair
	took           time.Duration // the exchange; 0: what is known of it is not at hand
	host           string
	rtt            time.Duration
	delay          time.Duration
	think          time.Duration // the server, as far as the connection alone can tell
	began          time.Duration // its connection
	confidence     report.Confidence
	request, first capture.Mark
	upward         bool // it waited before it reached the server, or that cannot be told
	downward       bool // the same of its answer
	// by how much all round trips of its connection were longer: the queue was there when that
	// began; 0: not all
	throughout time.Duration
	text       string
}

// pathOf is where a client's paths are kept.
func pathOf(p report.Pair) report.Pair { return report.Pair{Client: p.Client} }

// fills is the transfer of the exchange that kept the path busy, if one did.
func fills(j *rule.Draft, of *rule.Conn) (f filling, ok bool) {
	for _, dir := range ledger.BothWays {
		m, facts := j.Message(dir), j.Facts(dir)
		if m == nil || facts == nil || facts.Rate <= 0 {
			continue
		}
		if s := j.Spent(dir, report.Serialize); s >= max(j.Flow.Rtt, leastFilling) &&
			s*2 >= facts.Measured {
			f = filling{
				Interval: report.Interval{From: m.Start.Time, To: m.End.Time},
				conn:     of.Id,
				exchange: j.Info.ID,
				first:    m.Start,
				last:     m.End,
				dir:      dir,
				rate:     facts.Rate,
				most:     math.MaxInt64,
				queue:    facts.Queue,
				shown:    nextTo(of, dir, j.Flow.Rtt),
			}
			if drains := float64(facts.Window) / facts.Rate; drains > 0 &&
				drains < time.Hour.Seconds() {
				f.most = time.Duration(drains * 1e9)
			}
			return f, true
		}
	}
	return f, false
}

// nextTo reports whether the capture was taken next to the side that sends in direction dir: nearly
// all of the round trip is between it and the other.
func nextTo(m *rule.Conn, dir reassembly.Dir, rtt time.Duration) bool {
	if dir == reassembly.FromServer {
		return rtt > 0 && m.Far*10 >= rtt*9
	}
	return rtt > 0 && m.Far*10 <= rtt
}

// judged takes note of an exchange that filled the path of its client, or waited in a queue.
func (p *paths) judged(d rule.Desk, m *rule.Conn, job *rule.Draft) {
	if f, ok := fills(job, m); ok {
		if c := p.of(m.Pair, job.Until); c != nil {
			p.filled(d, c, f)
		}
		return
	}
	q, ok := queuedBehind(d, m, job)
	if !ok {
		return
	}
	c := p.of(m.Pair, job.Until)
	if c == nil || c.tell(d, &q) {
		return
	}
	p.keep(c, q, job.Until)
}

// of is the path of a pair's client, made if need be; nil if there are too many.
func (p *paths) of(of report.Pair, now time.Duration) *clientPath {
	if p.clients.Gone == nil {
		p.clients.Gone = func(c *clientPath) { p.held -= len(c.late) }
	}
	return p.clients.Of(pathOf(of), now)
}

// keep remembers an exchange that waited in a queue until it is known who filled that.
func (p *paths) keep(c *clientPath, q queued, now time.Duration) {
	if len(c.late) == maxQueued {
		c.late = slices.Delete(c.late, 0, 1)
		p.held--
	}
	if p.held >= maxQueuedAll && now-p.expired >= rule.PairSilence {
		p.expire(now)
	}
	if p.held < maxQueuedAll {
		c.late = append(c.late, q)
		p.held++
	}
}

// expire forgets the exchanges that waited long ago.
func (p *paths) expire(now time.Duration) {
	p.expired = now
	for _, e := range p.clients.Entries {
		n := len(e.Value.late)
		e.Value.late = slices.DeleteFunc(e.Value.late,
			func(q queued) bool { return now-q.To > rule.PairSilence })
		p.held -= n - len(e.Value.late)
	}
}

// filled takes note of what filled the path, and tells what waited behind it.
func (p *paths) filled(d rule.Desk, c *clientPath, f filling) {
	w := &c.ways[f.dir]
	w.deep = max(w.deep, f.most)
	if w.busy = report.Union(append(w.busy, f.Interval)); len(w.busy) > maxBusy {
		w.busy = coarser(w.busy)
	}
	if len(c.full) == maxFillings {
		c.full = slices.Delete(c.full, 0, 1)
	}
	c.full = append(c.full, f)
	n := len(c.late)
	c.late = slices.DeleteFunc(c.late, func(q queued) bool { return c.tell(d, &q) })
	p.held -= n - len(c.late)
}

// coarser makes one of every two neighbours.
func coarser(all []report.Interval) []report.Interval {
	out := all[:0]
	for i := 0; i < len(all); i += 2 {
		out = append(out, report.Interval{From: all[i].From, To: all[min(i+1, len(all)-1)].To})
	}
	return out
}

// mayHold reports whether a queue may have held up by so much what passed the client's path in
// direction dir in the stretch of time.
func (p *paths) mayHold(of report.Pair, dir reassembly.Dir, span report.Interval,
	delay time.Duration) bool {
	c := p.clients.Has(pathOf(of))
	if c == nil || delay > c.ways[dir].deep {
		return false
	}
	return c.ways[dir].full(span)
}

// full reports whether the way was full at any time in the stretch.
func (w *way) full(span report.Interval) bool {
	i, _ := slices.BinarySearchFunc(w.busy, span.From,
		func(k report.Interval, from time.Duration) int { return cmp.Compare(k.To, from) })
	return i < len(w.busy) && w.busy[i].From < span.To
}

// behind is the transfer of another connection that filled the path while the exchange waited.
func (c *clientPath) behind(q *queued) *filling {
	about := report.Interval{From: q.began - q.rtt, To: q.began + q.rtt}
	if q.throughout > 0 && !c.ways[reassembly.FromClient].full(about) &&
		!c.ways[reassembly.FromServer].full(about) {
		return nil // it began while the path was free: its round trips are as long as its way
	}
	for i := len(c.full) - 1; i >= 0; i-- {
		f := &c.full[i]
		way := f.dir == reassembly.FromClient && q.upward ||
			f.dir == reassembly.FromServer && q.downward
		if f.shown && q.throughout > f.queue+f.queue/4+leastQueue {
			continue // no queue that it met was as long
		}
		if way && f.conn != q.conn && f.From < q.To && q.From < f.To {
			return f
		}
	}
	return nil
}

// queuedBehind is what the exchange waited in a queue that it did not fill itself: its answer came
// later than the timestamps in it say, or its connection was set up while round trips were longer
// than others between the pair.
func queuedBehind(d rule.Desk, m *rule.Conn, job *rule.Draft) (q queued, ok bool) {
	x := job.Parsed
	if x.Request == nil || x.Response == nil || x.Response.Start.Time < x.Request.End.Time {
		return q, false
	}
	q = queued{
		Interval: report.Interval{From: x.Request.End.Time, To: x.Response.Start.Time},
		conn:     m.Id,
		pair:     m.Pair,
		exchange: job.Info.ID,
		took:     job.Info.Duration,
		host:     job.Info.Host,
		rtt:      job.Flow.Rtt,
		think:    job.Times[report.Think],
		began:    m.Start.Time,
		request:  x.Request.End,
		first:    x.Response.Start,
		downward: true,
	}
	if q.delay = lateAnswer(&job.Exchange); q.delay >= leastQueue {
		q.confidence, q.text = report.ConfidenceHigh, fmt.Sprintf(
			"under way %s longer than the quickest, by its timestamp", rule.Millis(q.delay))
		return q, true
	}
	all, _ := d.Pair(m.Pair)
	least := all.Rtt
	longer := job.Flow.Rtt - least
	if !farther(&job.Exchange, least) || m.Far*2 >= job.Flow.Rtt {
		// next to the server, a client's address may stand for many at unlike distances
		return q, false
	}
	q.delay = min(longer, job.Times[report.RoundTrip])
	if job.Critical && !d.Standing().Has(rule.ColdSetup) {
		q.delay += min(longer, job.Times[report.TCPHandshake])
		q.From = job.From
	}
	q.confidence, q.upward, q.throughout = report.ConfidenceMedium, true, longer
	q.text = fmt.Sprintf("round trips of %s on this connection, where others had %s",
		rule.Millis(job.Flow.Rtt), rule.Millis(least))
	return q, q.delay >= leastQueue
}

// farther reports whether round trips on the exchange's connection were never near the least
// between the two.
func farther(j *ledger.Exchange, least time.Duration) bool {
	return least > 0 && j.Flow.Rtt-least >= max(least, leastQueue)
}

// lateAnswer is by how much the first octet of the response was held up on its way.
func lateAnswer(j *ledger.Exchange) (late time.Duration) {
	if j.Times[report.Queue] < leastQueue {
		return 0
	}
	for i := range j.Waits {
		s := &j.Waits[i]
		if s.Label == report.Queue && s.Dir == reassembly.FromServer && !ledger.Seen(s.Again) &&
			s.To <= j.Parsed.Response.Start.Time {
			late += s.Length()
		}
	}
	return late
}

// tell books what the exchange waited, if it is known who filled the queue.
func (c *clientPath) tell(d rule.Desk, q *queued) bool {
	f := c.behind(q)
	if f == nil {
		return false
	}
	if !d.Enabled(bandwidthRule) {
		return true
	}
	cl := rule.Claim{Rule: bandwidthRule, Cause: "bufferbloat", Confidence: q.confidence}
	cl.Occ = rule.Occurrence{
		Connection: q.conn,
		Exchange:   q.exchange,
		Elsewhere:  true,
		Start:      q.request.Time,
		End:        q.first.Time,
		Cost: report.Cost{
			Low:      max(0, q.delay-2*residualQueue),
			Expected: max(0, q.delay-residualQueue),
			High:     q.delay,
		},
	}
	// nothing on its connection came without the queue, to compare with
	if f.From <= q.began && q.began <= f.To {
		cl.Occ.Cost.High += q.think
	}
	if q.confidence == report.ConfidenceLow {
		cl.Most, cl.Occ.Cost.Low = rule.AtMost(report.Low), 0
	}
	cl.Occ.Evidence = []report.Evidence{
		rule.At(
			f.first,
			"large message",
			rule.SideOf(f.dir),
			fmt.Sprintf("exchange %d on connection %d fills the path: %.1f Mbit/s", f.exchange,
				f.conn, f.rate*8/1e6),
		),
		rule.At(q.request, "request", report.SideClient,
			"its last octet"), rule.At(q.first, "response", report.SideServer, q.text),
		rule.At(f.last, "large message", rule.SideOf(f.dir), "ends")}
	slices.SortStableFunc(cl.Occ.Evidence,
		func(a, b report.Evidence) int { return cmp.Compare(a.Mark.Time, b.Mark.Time) })
	of := rule.Subject{Pair: q.pair}
	if q.took > 0 {
		of.Known, of.Host, of.Took, of.Rtt = true, q.host, q.took, q.rtt
	}
	d.Book(of, &cl)
	if of.Known {
		d.Lose(cl.Occ.Cost.Expected)
	}
	return true
}

// suspect books an answer that came later than usual while a transfer filled the path, and no
// timestamps tell why. Where the transfer's own round trips grew as much, it is more than a
// suspicion.
func (p *paths) suspect(d rule.Desk, of report.Pair, x *thought, usual time.Duration) {
	c := p.clients.Has(pathOf(of))
	if c == nil {
		return
	}
	q := queued{
		Interval:   report.Interval{From: x.request.Time, To: x.first.Time},
		conn:       x.conn,
		exchange:   x.exchange,
		pair:       of,
		delay:      x.think - usual,
		confidence: report.ConfidenceLow,
		request:    x.request,
		first:      x.first,
		upward:     true,
		downward:   !x.stamped,
		text: fmt.Sprintf("after %s, where %s are "+
			"usual", rule.Millis(x.think), rule.Millis(usual)),
	}
	if f := c.behind(&q); f != nil && f.queue > 0 && q.delay <= f.queue+f.queue/4 {
		q.confidence = report.ConfidenceMedium
	}
	c.tell(d, &q)
}
