package transfer

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// This file keeps when a service was asked and when it answered, on all of its connections: from
// that it shows whether the service as a whole did nothing for a while (standstill.go), or worked
// on so many requests at a time (fewatatime.go).

const (
	// maxServed is how many exchanges of a service are remembered. When there are as many, what
	// came before the middle of them is settled and forgotten.
	maxServed = 1024
	// maxServedAll is how many are of all services, some 20 MB. Beyond it those services are
	// settled and forgotten that have been silent the longest.
	maxServedAll = 1 << 17
)

// services are the exchanges of all services, in the time that those knew them in.
type services struct {
	all  map[netip.AddrPort]*service
	held int           // exchanges of all
	at   *servedWait   // what its connection shows of the exchange in hand; nil: nothing
	room servedWait    // of that
	told toldOfService // what findings say of exchanges, so that it is not said twice
	// at which of their endpoints clients wait for events
	events events
}

// service is one of them.
type service struct {
	addr   netip.AddrPort
	log    []served
	names  map[endpoint]*endpoint
	seen   time.Duration // the latest event
	past   time.Duration // all that it answered before has been settled
	still  int           // how often it was found standing still
	paused []pause       // within responses since then
}

// pause is one that a server made in the middle of a response, once in that response: nothing was
// on its way, and room was in all windows.
type pause struct {
	report.Interval
	proof          []rule.Evidence
	client         netip.Addr
	conn, exchange int
}

// servedWait is what the connection of an exchange shows of the wait for its response.
type servedWait struct {
	exchange int
	acked    time.Duration // when the server's host acknowledged the request; 0: not before it answered
	// the longest time within the wait in which the server sent no octet on the connection
	report.Interval
	paused report.Interval // the server, in its response; empty: not
	proof  []rule.Evidence // of that
}

// served is one exchange. Moments are those at which the server had the request, or sent the
// response, as far as the least round trip of its connection tells.
type served struct {
	asked, answered time.Duration
	end             time.Duration // of the response
	// when it had its answer ready, which then waited behind octets of other streams
	freed          time.Duration
	own            time.Duration // of its wait, what no octets of other streams filled
	mixed          bool          // they may have filled more of it than is known
	acked          time.Duration // 0: not before the response, or it came soon
	quiet          report.Interval
	rtt            time.Duration
	request, first capture.Mark
	of             *endpoint
	client         netip.Addr
	conn, exchange int
	apart          bool // others of its connection go on beside it: HTTP/2
	aside          bool // its time says nothing of the server: see shows
}

// took is how long the server took to answer.
func (x *served) took() time.Duration { return x.answered - x.asked }

// runServed shows what a connection tells of a wait for a response, and of a pause in it: they are
// compared with those on other connections of the service.
func runServed(p *rule.Pass) {
	x := p.Exchange
	if x.Turn || x.Request == nil || x.Response == nil {
		return
	}
	c := rule.Claim{Rule: thinkRule, Referred: true, Confidence: report.ConfidenceMedium}
	waited := x.Response.Start.Time-x.Request.End.Time >= outlierLeast
	if waited {
		quietOf(p, &c)
	}
	before, end, paused := pauseOf(p)
	if paused {
		c.Num[pausedFrom], c.Num[pausedTo] = int64(before.Time), int64(end.Time)
		c.Occ.Proof = []rule.Evidence{
			rule.Shows(before, report.SideServer, lastSign),
			rule.Shows(end, report.SideServer, firstSign, rule.Ns(end.Time-before.Time)),
		}
	}
	if waited || paused {
		p.Report(c)
	}
}

// quietOf shows in a claim when the request in hand was acknowledged, and the longest time in its
// wait in which the server sent no octet.
func quietOf(p *rule.Pass, c *rule.Claim) {
	x := p.Exchange
	acked, ok := ledger.AckedAt(p.Conn, x.Request, x.Response.Start)
	if ok && acked.Time < x.Response.Start.Time {
		c.Num[wasAcked] = int64(acked.Time)
	}
	from, longest := x.Request.End.Time, report.Interval{}
	for r := range ledger.Segments(p.Conn, x.Request.End.Time, x.Response.Start.Time) {
		if r.Dir != reassembly.FromServer || r.Len == 0 {
			continue
		}
		if r.Time-from > longest.To-longest.From {
			longest = report.Interval{From: from, To: r.Time}
		}
		from = r.Time
	}
	c.Num[quietFrom], c.Num[quietTo] = int64(longest.From), int64(longest.To)
}

// The numbers of a claim that is referred.
const (
	wasAcked = iota
	quietFrom
	quietTo
	pausedFrom
	pausedTo
)

// refer takes note of what a connection shows of the exchange that comes next.
func (s *services) refer(r *rule.Referred) {
	s.room = servedWait{
		exchange: r.Occ.Exchange,
		acked:    time.Duration(r.Num[wasAcked]),
		Interval: report.Interval{
			From: time.Duration(r.Num[quietFrom]), To: time.Duration(r.Num[quietTo]),
		},
		paused: report.Interval{
			From: time.Duration(r.Num[pausedFrom]), To: time.Duration(r.Num[pausedTo]),
		},
		proof: r.Occ.Proof,
	}
	s.at = &s.room
}

// judged takes in an exchange that was answered.
func (s *services) judged(d rule.Desk, m *rule.Conn, job *rule.Judged, k endpoint,
	now time.Duration) {
	w := s.at
	s.at = nil
	x := job.Info
	if x.Turn || x.Request == nil || x.Response == nil ||
		x.Response.Start.Time < x.Request.End.Time {
		return
	}
	leg := min(max(0, job.Flow.RTT-m.Far), x.Response.Start.Time-x.Request.End.Time)
	to := leg / 2
	v := served{
		asked:    x.Request.End.Time + to,
		answered: x.Response.Start.Time - (leg - to),
		end:      x.Response.End.Time - (leg - to),
		request:  x.Request.End,
		first:    x.Response.Start,
		client:   m.Pair.Client,
		conn:     m.Id,
		exchange: d.Exchange(m.Id, job.Index),
		rtt:      job.Flow.RTT,
		apart:    m.Multiplexed,
		aside:    !shows(job),
	}
	v.freed, v.own = v.answered, min(v.took(), job.Times[report.Think])
	v.mixed = job.Times[report.H2Mux] > ledger.QueueShows
	if w != nil && w.exchange == v.exchange {
		v.quiet = report.Interval{
			From: max(v.asked, w.From-(leg-to)), To: min(v.answered, w.To-(leg-to)),
		}
		if w.acked > 0 {
			v.acked = max(v.asked, w.acked-(leg-to))
		}
		v.free(job.Times[report.H2Mux])
	}
	of := s.add(d, v, k, now)
	of.pause(w, &v, leg-to)
}

// pause takes note of a pause in the response of an exchange.
func (s *service) pause(w *servedWait, x *served, back time.Duration) {
	if w == nil || w.exchange != x.exchange || w.paused.To == 0 {
		return
	}
	s.paused = append(s.paused, pause{
		Interval: report.Interval{From: w.paused.From - back, To: w.paused.To - back},
		proof:    w.proof,
		client:   x.client, conn: x.conn, exchange: x.exchange,
	})
}

// free says when the answer was ready, of which so much of the wait was behind other streams: after
// a silence all that has piled up goes out at once, and others may be before it.
func (x *served) free(behind time.Duration) {
	if x.quiet.To-x.quiet.From >= outlierLeast && x.answered-x.quiet.To <= behind {
		x.freed = max(x.asked, x.quiet.To)
	}
}

// add adds an exchange to its service.
func (s *services) add(d rule.Desk, v served, k endpoint,
	now time.Duration) *service {
	of := s.all[k.server]
	if of == nil {
		of = &service{addr: k.server, names: map[endpoint]*endpoint{}}
		if s.all == nil {
			s.all, s.events = map[netip.AddrPort]*service{}, events{}
		}
		s.all[k.server] = of
	}
	if v.of = of.names[k]; v.of == nil {
		v.of = &k
		of.names[k] = v.of
	}
	of.log, of.seen = append(of.log, v), now
	s.held++
	if len(of.log) >= maxServed {
		s.held -= len(of.log)
		of.sort()
		of.settle(d, s, of.log[len(of.log)/2].answered)
		of.forget()
		s.held += len(of.log)
	}
	if s.held > maxServedAll {
		s.forget(d)
	}
	return of
}

// forget settles and forgets the half of all services that has been silent for longer.
func (s *services) forget(d rule.Desk) {
	all := slices.SortedFunc(maps.Values(s.all), func(a, b *service) int {
		return cmp.Or(cmp.Compare(a.seen, b.seen), a.addr.Compare(b.addr))
	})
	for _, of := range all[:(len(all)+1)/2] {
		of.sort()
		of.settle(d, s, report.EndOfTime)
		s.held -= len(of.log)
		delete(s.all, of.addr)
	}
}

// finish settles what is left.
func (s *services) finish(d rule.Desk) {
	byAddress := func(a, b *service) int { return a.addr.Compare(b.addr) }
	for _, of := range slices.SortedFunc(maps.Values(s.all), byAddress) {
		of.sort()
		of.settle(d, s, report.EndOfTime)
	}
}

// sort puts what was answered first first.
func (s *service) sort() {
	slices.SortFunc(s.log, func(a, b served) int {
		return cmp.Or(cmp.Compare(a.answered, b.answered), cmp.Compare(a.asked, b.asked),
			cmp.Compare(a.exchange, b.exchange))
	})
}

// sortFreed puts those first whose answers were ready first.
func (s *service) sortFreed() {
	slices.SortStableFunc(s.log, func(a, b served) int { return cmp.Compare(a.freed, b.freed) })
}

// settle tells what the exchanges show that were answered before the given moment.
func (s *service) settle(d rule.Desk, all *services, until time.Duration) {
	s.inOrder()
	s.sortFreed()
	all.events.takeAside(s.log, report.Interval{From: s.past, To: until})
	still := s.standstills(d, until)
	s.sort()
	s.still += len(still)
	for i := range still {
		still[i].book(d, s, &all.told)
	}
	s.fewAtATime(d, &all.told, until)
	s.past = until
}

// forget forgets what was answered before the moment up to which all has been settled.
func (s *service) forget() {
	s.log = slices.DeleteFunc(s.log, func(x served) bool { return x.answered < s.past })
	s.paused = slices.DeleteFunc(s.paused, func(p pause) bool { return p.To < s.past })
	clear(s.names)
	for i := range s.log {
		s.names[*s.log[i].of] = s.log[i].of
	}
}

// inOrder takes for asked for no sooner than the response before it had ended what HTTP/1 answers
// one after the other on a connection: it had to wait for that.
func (s *service) inOrder() {
	latest := map[int]time.Duration{} // by connection
	for i := range s.log {
		x := &s.log[i]
		if x.apart {
			continue
		}
		if x.asked < latest[x.conn] {
			x.aside = true
		}
		latest[x.conn] = max(latest[x.conn], x.end)
	}
}

// pair is the client and the service of an exchange.
func (s *service) pair(x *served) report.Pair {
	return report.Pair{Client: x.client, Server: s.addr}
}

// toldOfService are exchanges that findings about whole services explain.
type toldOfService struct{ exchanges map[int]bool }

// maxToldOf is how many are remembered; of more each may stand out at its endpoint once more.
const maxToldOf = 1 << 16

// add adds one.
func (t *toldOfService) add(exchange int) {
	if t.exchanges == nil {
		t.exchanges = map[int]bool{}
	}
	if len(t.exchanges) < maxToldOf {
		t.exchanges[exchange] = true
	}
}

// without are the endpoint's exchanges but for those.
func (t *toldOfService) without(all []serverTime) []serverTime {
	if len(t.exchanges) == 0 {
		return all
	}
	return slices.DeleteFunc(all, func(x serverTime) bool { return t.exchanges[x.exchange] })
}

// without takes the exchanges out of an endpoint of which findings about its whole service tell.
func (l *endpointTimes) without(told *toldOfService) {
	n := len(l.sample) + len(l.slow)
	l.sample, l.slow = told.without(l.sample), told.without(l.slow)
	l.early = told.without(l.early)
	l.n -= n - len(l.sample) - len(l.slow)
}
