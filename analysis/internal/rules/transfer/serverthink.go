package transfer

import (
	"cmp"
	"hash/maphash"
	"maps"
	"math"
	"net/netip"
	"slices"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/template"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const (
	// maxEndpoints are followed at a time; where there are more, half of them are judged and
	// forgotten.
	maxEndpoints = 1024
	// leastThinks is how many exchanges it takes for one to be an outlier.
	leastThinks = 8
	// leastBehind is how many exchanges behind a large transfer it takes to say that all were held
	// up.
	leastBehind = 3
	// interrupts is from when on a wait interrupts a person, so that one is worth a word (Nielsen,
	// Usability Engineering, 1993).
	interrupts = time.Second
	// mostAsked is how many octets a request may carry for its answer to be compared with those of
	// other endpoints: with more, working on them is what takes the time.
	mostAsked = 64 << 10
)

const thinkRule = "server-think"

// ServerThink is the rule about what servers take before they answer.
var ServerThink = &rule.Detector{Rule: report.Rule{
	Name:  thinkRule,
	Title: "server took long",
	Doc: `What happens
Between the arrival of a request and the first octet of its response the server works, or waits for
something of its own. That is its business and no fault of the network; but it may be what makes an
exchange slow.

How it is recognised
The time from the last octet of the request to the first of the response, less the least round trip
between the capture point and the server, without retransmissions and waits for 100 Continue. It is
compared per endpoint of a service: method, host and path, in which numbers, identifiers and dates
are placeholders, without query, whoever the client is. Of streams of HTTP/2 that others went on
beside only that time is the server's for certain in which it sent nothing, or what was asked for
later: it is compared with the most that others may have taken, behind others' octets, too, and
graded low at most. Reported are exchanges that took far longer than usual at their endpoint: by
more than three times the usual deviation, and 100 ms, above the median of at least eight; not the
first ones alone, before an answer took no longer than usual: a program that has just started, or a
cold cache. slow-endpoint: the median of at least eight is 100 ms or more and four times that of the
exchanges with the service's other endpoints, of which there are eight, too, and the server's time
at the endpoint is a third of all time at the service. Silent are streams of events, requests that
ask to wait (wait or timeout in the query, poll in path or query), and endpoints whose clients ask
again as soon as they have an answer, if that took a second or varies as events do: long polls. So
are endpoints at which one event answers all: three times in four that several requests lay there,
half of all times and three times at least, all of them were answered right behind each other,
though they had come by and by, or clients asked anew in step after waits of 100 ms and more.
Requests of more than 64 KiB are work by their size. Away from the server and without timestamps (or
before their pace is known) a queue on the path cannot be told from the server: exchanges that
overlap a large transfer of the same client, and took no longer than such a queue may hold up, are
compared only with each other; and what the path carried between a request and its answer, if its
rate is known, the answer may have waited behind, but for no longer than the queue ever was. Where
the capture shows what a proxy asked servers behind it for, its waiting for them is theirs: of the
proxy only its own time counts.

standstill: for 100 ms and more the service answered nothing, on whatever connection, though three
requests and more lay there, acknowledged by its host, on connections on which it sent no octet;
then three quarters of all that lay there and more were answered within a fifth of that time. What
an answer then waited behind octets of other streams is not counted. A response in whose middle the
server paused until then, with nothing on its way and once only, stands for a request. Their
endpoints usually answer within a quarter of it. As one event ends many waits for it at once, such
as those of long polls, either answers usually take about as long each time, or the standstill is
far longer than all of them, and requests for several things lay there or they had come by and by;
or eight and more had come all the time. What waits for events, as above, is left out. Two suffice,
for different things, beside one that came before them and was answered with them, as what kept the
service from everything. If one of those answered had been asked for before all others, and nothing
shows that such ones usually take less, it is named.

few-at-a-time: if a service, or one of its endpoints, works on so many requests at a time (eight at
most), each waits until that many responses before it have been sent but one, and takes from then on
as long as one takes that nobody is before. So it was for three in four that waited, within a
quarter, of eight at least; one in ten at most came sooner than half of that, one waited for three
turns and more, and the median for 100 ms. Silent where turns are longer than what a request takes
alone: that is a rate that is limited, on purpose; and of requests that a proxy passed on in the
capture: what they waited for before that is pool-wait's.

How cost is counted
Against what the same endpoint can do: the tenth percentile; low counts from the median. For
slow-endpoint as if the server answered it as fast as the others (the median), which nobody
promises; low counts from the tenth percentile of its own. standstill: what requests waited more
than is usual at their endpoint, low without what they waited behind its end; the pause of a
response. few-at-a-time: what they waited for others; low nothing, as work that needs a processor
takes as long beside other work. No part of it counts as lost in the first line of the report.

When it is wrong
Where it is meant so: what an endpoint does may need the time; requests may differ in more than
their path; polls of many clients that ask once look like work; handlers that wait for the same
work, and share its result, look like polls. Where the capture does not show what is behind a proxy,
the proxy's waiting is its own. A service that waits for another one with all its requests looks as
if it stood still; events that it sent on a stream meanwhile are not looked at.`,
	Causes: []report.Cause{
		{Code: "", Side: report.SideServer,
			Message:  "The server took long before it answered.",
			Remedies: timeOfServer()},
		{
			Code:  standstill,
			Title: "server stood still", Side: report.SideServer,
			Message: "For a while the server answered nothing at all, though requests lay there, " +
				"and then all of them at once.",
			Remedies: standstillFixes(),
		},
		{
			Code:  fewAtATime,
			Title: "server works on few requests at a time", Side: report.SideServer,
			Message: "Requests waited for their turn: the server works on so many of them at a time " +
				"and no more, and takes as long for each as without the others.",
			Remedies: fewAtATimeFixes(),
		},
		{
			Code:  slowEndpoint,
			Title: "server takes longer at one endpoint than at others", Side: report.SideServer,
			Message: "The server takes far longer at one endpoint than at its others, and " +
				"clients wait for that more than for most else.",
			Remedies: timeOfServer(),
		},
	},
	References: []string{"RFC 9110 section 15.2"},
},
	Rests:      rule.Connection | rule.Messages,
	Beside:     true,
	When:       rule.Paused,
	Exchange:   runServed,
	Across:     pathAcross,
	Vocabulary: words,
}

// timeOfServer is where to look for what a server does before it answers.
func timeOfServer() []report.Remedy {
	return []report.Remedy{{
		Side: report.SideServer,
		Text: "look at what the server does in that time: its own timing log",
		Settings: []report.Setting{
			{Product: report.Nginx, Text: "$upstream_response_time and $request_time"},
			{Product: report.Apache, Text: "%D"},
			{Product: report.HAProxy, Text: "%TR/%Tw/%Tc/%Tr/%Ta"},
			{Product: report.Envoy, Text: "%DURATION% and x-envoy-upstream-service-time"},
			{Product: report.Tomcat, Text: "%D in AccessLogValve"},
			{Product: report.IIS, Text: "time-taken"},
			{Product: report.Gunicorn, Text: "%(D)s in --access-logformat"},
			{Product: report.Jetty, Text: "%D in CustomRequestLog"},
		},
		After: "then slow queries, cold caches, a full " +
			"worker pool, connections to upstreams opened anew",
	}}
}

// pathAcross follows paths, and what servers took to answer: a queue on the path looks like a
// server that takes long.
var pathAcross = &rule.Comparison{
	Start: func() rule.Across {
		return &serverTimes{at: map[endpoint]*endpointTimes{}, seed: maphash.MakeSeed()}
	},
	Wants: rule.Wants(rule.ExchangeJudged),
}

// serverTimes is the rule's state for one run.
type serverTimes struct {
	paths paths // what of the time may have been a queue
	at    map[endpoint]*endpointTimes
	asked rule.PairTable[latest] // what each client asked a service last
	seed  maphash.Seed           // of paths in it
	// when services answered at all, on all of their connections
	services services
	free     []*endpointTimes // of forgotten endpoints, to be used again
}

// Number makes pairs have the numbers that others have for them.
func (t *serverTimes) Number(n *rule.PairNumbers) {
	t.asked.By(n)
	t.paths.clients.By(n)
}

// Refer takes note of what a connection shows of an exchange that is judged next.
func (t *serverTimes) Refer(_ rule.Desk, r rule.Referred) { t.services.refer(&r) }

// Event takes note of an exchange.
func (t *serverTimes) Event(d rule.Desk, m *rule.Conn, e *rule.Told) {
	job := e.Judged()
	t.paths.judged(d, m, job)
	if !d.Enabled(thinkRule) {
		return
	}
	x := job.Info
	of := endpoint{m.Pair.Server, x.Host, x.Method, template.Of(x.Target)}
	t.services.judged(d, m, job, of, e.At)
	if !shows(job) {
		return
	}
	l := t.of(d, of)
	l.seen = e.At
	if x.Request.BodyBytes > mostAsked {
		l.bulk++
	}
	l.time, l.think = l.time+x.Duration, l.think+job.Times[report.Think]
	t.follow(l, m.Pair, job, e.At)
	all, _ := d.Pair(m.Pair)
	l.add(serverTime{
		client:   m.Pair.Client,
		conn:     m.Id,
		exchange: d.Exchange(m.Id, int(e.Index)),
		took:     job.Times[report.Think],
		hidden:   hiddenBeside(job),
		beside:   job.Shared,
		request:  x.Request.End,
		first:    x.Response.Start,
		octets:   octetsOf(job),
		away:     !reaches(m.Far, nearEnd, job.Flow.RTT),
		stamped:  job.Flow.Stamped && !farther(job, all.Rtt),
	})
}

// hiddenBeside is how much longer than it shows the server may have taken for an exchange that
// others went on beside: nobody knows what their octets, or a queue, hid.
func hiddenBeside(job *rule.Judged) (sum time.Duration) {
	if job.Shared {
		for _, l := range []report.Label{
			report.H2Mux, report.H2HOL, report.H2Window, report.Queue, report.Unknown,
		} {
			sum += job.Times[l]
		}
	}
	return sum
}

// shows reports whether an exchange shows how long the server took, and was not meant to wait.
func shows(job *rule.Judged) bool {
	x, said := job.Info, job.MessageFacts[reassembly.FromServer]
	return !x.Turn && x.Target != "" && x.Request != nil && x.Response != nil &&
		x.Outcome != exchange.Aborted && // its client may have left before the server was done
		!job.MessageFacts[reassembly.FromClient].Has(exchange.HasGap) &&
		job.Times[report.Think100] == 0 && !said.Has(exchange.EventStream) &&
		(!said.Has(exchange.HasGap) || x.Status != 0) && // its first octet may not be the first
		!job.Streams && !asksToWait(x.Target)
}

// of is what is known of an endpoint, made if need be.
func (t *serverTimes) of(d rule.Desk, k endpoint) *endpointTimes {
	l := t.at[k]
	if l == nil {
		if len(t.at) >= maxEndpoints {
			t.forget(d)
		}
		l = t.list(k)
		t.at[k] = l
	}
	return l
}

// Claims says what of the time of the exchange in hand, and of those beside it, was the path's.
func (t *serverTimes) Claims(d rule.Desk, m *rule.Conn, x *rule.Judged) {
	t.paths.policed.judged(d, m, x)
}

// Settle says what of the time of a client's exchanges was the path's.
func (t *serverTimes) Settle(d rule.Desk, client netip.Addr) { t.paths.policed.settle(d, client) }

// list is the empty list of an endpoint.
func (t *serverTimes) list(k endpoint) *endpointTimes {
	n := len(t.free)
	if n == 0 {
		return &endpointTimes{of: k}
	}
	l := t.free[n-1]
	t.free = t.free[:n-1]
	*l = endpointTimes{of: k, sample: l.sample[:0], slow: l.slow[:0], early: l.early[:0]}
	return l
}

// Finish reports what stands out.
func (t *serverTimes) Finish(d rule.Desk) {
	t.paths.policed.finish(d)
	t.services.finish(d)
	byEndpoint := func(a, b *endpointTimes) int { return a.of.compare(b.of) }
	t.settle(d, slices.SortedFunc(maps.Values(t.at), byEndpoint))
}

// forget judges and forgets half of the endpoints: first those with too few exchanges to judge,
// which paths with a number in them make without end, and of either kind what has been silent the
// longest.
func (t *serverTimes) forget(d rule.Desk) {
	lists := slices.SortedFunc(maps.Values(t.at), func(a, b *endpointTimes) int {
		if c := min(a.n, leastThinks)/leastThinks - min(b.n, leastThinks)/leastThinks; c != 0 {
			return c
		}
		if c := cmp.Compare(a.seen, b.seen); c != 0 {
			return c
		}
		return a.of.compare(b.of)
	})
	lists = lists[:len(lists)/2]
	t.settle(d, lists)
	for _, l := range lists {
		delete(t.at, l.of)
	}
	t.free = append(t.free, lists...)
}

// settle reports what stands out among the given endpoints.
func (t *serverTimes) settle(d rule.Desk, lists []*endpointTimes) {
	t.own(d)
	for _, l := range lists {
		l.without(&t.services.told)
		l.events = t.services.events.at(l.of)
	}
	services := t.byService()
	for _, l := range lists {
		l.suspect(d, &t.paths)
		if l.polls() {
			continue // it takes as long as there is nothing to say
		}
		l.apart(&t.paths, func(part *endpointTimes) { part.judge(d, &t.paths.policed) })
		services[l.of.server].judge(d, l, &t.paths)
	}
}

// suspect tells of answers that a queue seems to have held up: a queue holds up all that pass, so
// most of them were far later than those that came while the path was free.
func (l *endpointTimes) suspect(d rule.Desk, p *paths) {
	free, behind := l.split(p)
	if free.n < leastThinks || len(free.sample) == 0 || len(behind.sample) < leastBehind {
		return
	}
	usual, deviation, _ := spread(free.most())
	limit := usual + max(outlying*deviation, ledger.QueueShows)
	if typical, _, _ := spread(behind.times()); typical <= limit {
		return
	}
	_, _, most := behind.spread()
	for _, x := range slices.Concat(behind.sample, behind.slow) {
		if x.took > limit && x.took <= most {
			p.suspect(d, l.pair(&x), &x, usual)
		}
	}
}

// judge tells what stands out of an endpoint, whatever else the path carried meanwhile.
func (l *endpointTimes) judge(d rule.Desk, paths *policedPaths) {
	if l.n < leastThinks || len(l.sample) == 0 {
		return
	}
	typical, best, limit := l.spread()
	warm := l.warmSince(limit)
	for _, x := range slices.Concat(l.sample, l.slow) {
		if x.took-l.held(&x, paths) <= limit || x.request.Time < warm {
			continue
		}
		c := l.claim(&x, typical, best)
		d.Book(rule.Subject{Pair: l.pair(&x)}, &c)
	}
}

// held is for how long the answer may have waited behind others on a full path.
func (l *endpointTimes) held(x *serverTime, paths *policedPaths) time.Duration {
	if !x.away || x.stamped {
		return 0
	}
	between := report.Interval{From: x.request.Time, To: x.first.Time}
	return paths.before(hosts{x.client, l.of.server.Addr(), reassembly.FromServer}, between)
}

// warmSince is when the first answer came that took no longer than usual. Until then caches may
// have been cold, or the program just started: that does not come back. Where it does, there is
// nothing to wait for, and it is 0.
func (l *endpointTimes) warmSince(limit time.Duration) time.Duration {
	since := time.Duration(math.MaxInt64)
	for _, x := range slices.Concat(l.early, l.sample) {
		if x.took <= limit {
			since = min(since, x.first.Time)
		}
	}
	for _, x := range slices.Concat(l.sample, l.slow) {
		if x.took > limit && x.request.Time >= since {
			return 0
		}
	}
	return since
}

// claim is that of one exchange, where others took as long as typical and best.
func (l *endpointTimes) claim(x *serverTime, typical, best time.Duration) rule.Claim {
	c := l.took(x, rule.Shows(x.first, report.SideServer, tookLonger,
		rule.Ns(x.took), rule.Ns(typical), int64(l.n)))
	c.Confidence, c.Most = report.ConfidenceMedium, rule.AtMost(report.Medium)
	if x.beside { // where the capture lacks frames, what the server sent meanwhile may be missing
		c.Most = rule.AtMost(report.Low)
	}
	if x.took < interrupts {
		c.Alone = rule.AtMost(report.Info) // whatever it was, nobody need have noticed it
	}
	c.Occ.Cost = report.Cost{
		Low: x.took - typical, Expected: x.took - best, High: x.took + x.hidden - best,
	}
	return c
}

// took is a claim about what the server took for an exchange, with what its answer shows.
func (l *endpointTimes) took(x *serverTime, answer rule.Evidence) rule.Claim {
	return rule.Claim{
		Rule:  thinkRule,
		Index: -1,
		Occ: rule.Occurrence{
			Connection: x.conn,
			Exchange:   x.exchange,
			Start:      x.request.Time,
			End:        x.first.Time,
			Proof: []rule.Evidence{
				rule.Shows(x.request, report.SideClient, lastOctet), answer,
			},
		},
	}
}
