package transfer

import (
	"slices"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// nearServer is how many percent of a round trip lie between the capture and the client where
// that is nearer to the server.
const nearServer = 50

// queued is an exchange that waited in a queue.
type queued struct {
	report.Interval
	conn, exchange int
	pair           report.Pair
	took           time.Duration // the exchange; 0: what is known of it is not at hand
	octets         [2]int64      // of its messages, by direction, as far as they are large; 0: not known
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
	// what its answer shows of that
	answer rule.Evidence
}

// queuedBehind is what the exchange waited in a queue that it did not fill itself: its answer came
// later than the timestamps in it say, or its connection was set up while round trips were longer
// than others between the pair.
func queuedBehind(d rule.Desk, m *rule.Conn, job *rule.Judged) (q queued, ok bool) {
	x := job.Info
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
		rtt:      job.Flow.RTT,
		think:    job.Times[report.Think],
		began:    m.Start.Time,
		request:  x.Request.End,
		first:    x.Response.Start,
		downward: true,
		octets:   octetsOf(job),
	}
	if q.delay = lateAnswer(job); q.delay >= ledger.QueueShows {
		q.confidence = report.ConfidenceHigh
		q.answer = rule.Shows(q.first, report.SideServer, lateByStamp, rule.Ns(q.delay))
		return q, true
	}
	all, _ := d.Pair(m.Pair)
	if !farther(job, all.Rtt) || reaches(m.Far, nearServer, job.Flow.RTT) {
		// next to the server, a client's address may stand for many at unlike distances
		return q, false
	}
	return q, q.throughoutLong(d, job, all.Rtt)
}

// octetsOf are those of an exchange's messages, as far as they are large.
func octetsOf(j *rule.Judged) (all [2]int64) {
	for _, dir := range ledger.BothWays {
		if f := j.FlowOf(dir); f != nil {
			all[dir] = f.Bytes
		}
	}
	return all
}

// throughoutLong fills in what the exchange waited if all round trips of its connection were longer
// than the least between the pair; false if that is not worth a word.
func (q *queued) throughoutLong(d rule.Desk, job *rule.Judged, least time.Duration) bool {
	longer := job.Flow.RTT - least
	q.delay = min(longer, job.Times[report.RoundTrip])
	if job.Critical && !d.Standing().Has(rule.ColdSetup) {
		q.delay += min(longer, job.Times[report.TCPHandshake])
		q.From = job.From
	}
	q.confidence, q.upward, q.throughout = report.ConfidenceMedium, true, longer
	q.answer = rule.Shows(q.first, report.SideServer, longTrips,
		rule.Ns(job.Flow.RTT), rule.Ns(least))
	return q.delay >= ledger.QueueShows
}

// farther reports whether round trips on the exchange's connection were never near the least
// between the two.
func farther(j *rule.Judged, least time.Duration) bool {
	return least > 0 && j.Flow.RTT-least >= max(least, ledger.QueueShows)
}

// lateAnswer is by how much the first octet of the response was held up on its way.
func lateAnswer(j *rule.Judged) (late time.Duration) {
	if j.Times[report.Queue] < ledger.QueueShows {
		return 0
	}
	for i := range j.Waits {
		s := &j.Waits[i]
		if s.Label == report.Queue && s.Dir == reassembly.FromServer && !ledger.Seen(s.Again) &&
			s.To <= j.Info.Response.Start.Time {
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
	claim := queueClaim(q, f)
	of := rule.Subject{Pair: q.pair}
	if q.took > 0 {
		of.Known, of.Host, of.Took, of.Rtt = true, q.host, q.took, q.rtt
	}
	d.Book(of, &claim)
	if of.Known && claim.Confidence > report.ConfidenceLow {
		d.Lose(claim.Occ.Start, claim.Occ.Cost.Expected)
	}
	return true
}

// queueClaim is the claim of an exchange that waited behind a transfer.
func queueClaim(q *queued, f *filling) rule.Claim {
	c := rule.Claim{Rule: bandwidthRule, Cause: "bufferbloat", Confidence: q.confidence}
	c.Occ = rule.Occurrence{
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
		c.Occ.Cost.High += q.think
	}
	if q.confidence == report.ConfidenceLow {
		c.Most, c.Occ.Cost.Low = rule.AtMost(report.Low), 0
	}
	sender := rule.SideOf(f.dir)
	c.Occ.Proof = []rule.Evidence{
		rule.Shows(f.first, sender, fillsPath, int64(f.exchange), int64(f.conn), int64(f.rate)),
		rule.Shows(q.request, report.SideClient, lastOctet), q.answer,
		rule.Shows(f.last, sender, emptiesPath),
	}
	slices.SortStableFunc(c.Occ.Proof, byTime)
	return c
}

// suspect books an answer that came later than usual while a transfer filled the path, and no
// timestamps tell why. Where the transfer's own round trips grew as much, it is more than a
// suspicion.
func (p *paths) suspect(d rule.Desk, of report.Pair, x *serverTime, usual time.Duration) {
	c := p.clients.Has(pathOf(of))
	if c == nil {
		return
	}
	q := queued{
		Interval:   report.Interval{From: x.request.Time, To: x.first.Time},
		conn:       x.conn,
		exchange:   x.exchange,
		pair:       of,
		delay:      x.took - usual,
		confidence: report.ConfidenceLow,
		request:    x.request,
		first:      x.first,
		octets:     x.octets,
		upward:     true,
		downward:   !x.stamped,
		answer: rule.Shows(x.first, report.SideServer, laterThanUsual,
			rule.Ns(x.took), rule.Ns(usual)),
	}
	if f := c.behind(&q); f != nil && f.queue > 0 && q.delay <= f.longest() {
		q.confidence = report.ConfidenceMedium
	}
	c.tell(d, &q)
}
