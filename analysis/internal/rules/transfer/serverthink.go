package transfer

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"tcpwhy/analysis/internal/rule"
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
	// slowThink is what a person notices as a break (Nielsen, Usability Engineering, 1993: one
	// second).
	slowThink = time.Second
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
between the capture point and the server, without retransmissions and waits for 100 Continue. Per
endpoint (method and path without query) the distribution is drawn up. Reported are exchanges that
took far longer than usual there: by more than three times the usual deviation, and 100 ms, above
the median of at least eight; and, where none did, endpoints whose median is a second or more. Away
from the server and without timestamps a queue on the path cannot be told from the server: exchanges
that overlap a large transfer of the same client, and took no longer than such a queue may hold up,
are compared only with each other.

How cost is counted
Against what the same endpoint can do: the tenth percentile. Low counts from the median. Fewer than
eight exchanges do not show what it can do, so that no time is claimed. No part of it counts as lost
in the first line of the report.

When it is wrong
Where it is meant so: long polling, server-sent events (which are not counted), requests that differ
in more than their path. Seen from the client, a proxy's waiting is the server's.`,
	Causes: []report.Cause{{Code: "", Side: report.SideServer,
		Message: "The server took long before it answered.",
		Remedies: []report.Remedy{
			{
				Side: report.SideServer,
				Text: "look at what the server does in that time: its own timing log",
				Settings: []report.Setting{
					{Product: report.Nginx, Text: "$upstream_response_time and $request_time"},
					{Product: report.Apache, Text: "%D"},
					{Product: report.HAProxy, Text: "%TR/%Tw/%Tc/%Tr/%Ta"},
					{
						Product: report.Envoy,
						Text:    "%DURATION% and x-envoy-upstream-service-time",
					},
					{Product: report.Tomcat, Text: "%D in AccessLogValve"},
					{Product: report.IIS, Text: "time-taken"},
					{Product: report.Gunicorn, Text: "%(D)s in --access-logformat"},
					{Product: report.Jetty, Text: "%D in CustomRequestLog"},
				},
				After: "then slow queries, cold caches, a full " +
					"worker pool, connections to upstreams opened anew",
			},
		}}},
	References: []string{"RFC 9110 section 15.2"},
},
	Rests:      rule.Connection | rule.Messages,
	Across:     pathAcross,
	Vocabulary: words,
}

// pathAcross follows paths, and what servers took to answer: a queue on the path looks like a
// server that takes long.
var pathAcross = &rule.Comparison{
	Start: func() rule.Across { return &serverTimes{at: map[endpoint]*endpointTimes{}} },
	Wants: rule.Wants(rule.ExchangeJudged),
}

// serverTimes is the rule's state for one run.
type serverTimes struct {
	paths   paths        // what of the time may have been a queue
	policed policedPaths // what passed no faster than the path let it
	at      map[endpoint]*endpointTimes
	free    []*endpointTimes // of forgotten endpoints, to be used again
}

// Event takes note of an exchange.
func (t *serverTimes) Event(d rule.Desk, m *rule.Conn, e *rule.Told) {
	job := e.Judged()
	t.paths.judged(d, m, job)
	x, said := job.Info, job.MessageFacts[reassembly.FromServer]
	if !d.Enabled(thinkRule) || x.Turn || x.Request == nil || x.Response == nil ||
		job.Times[report.Think100] > 0 || said.Has(exchange.EventStream) ||
		said.Has(exchange.HasGap) && x.Status == 0 {
		return // meant to wait, or its first octet may not be the first
	}
	path, _, _ := strings.Cut(x.Target, "?")
	k := endpoint{m.Pair, x.Method, path}
	l := t.at[k]
	if l == nil {
		if len(t.at) >= maxEndpoints {
			t.forget(d)
		}
		l = t.list(k)
		t.at[k] = l
	}
	l.seen = e.At
	all, _ := d.Pair(m.Pair)
	l.add(serverTime{
		conn:     m.Id,
		exchange: d.Exchange(m.Id, int(e.Index)),
		took:     job.Times[report.Think],
		request:  x.Request.End,
		first:    x.Response.Start,
		away:     !reaches(m.Far, nearEnd, job.Flow.RTT),
		stamped:  job.Flow.Stamped && !farther(job, all.Rtt),
	})
}

// Claims says what of the time of the exchange in hand, and of those beside it, was the path's.
func (t *serverTimes) Claims(d rule.Desk, m *rule.Conn, x *rule.Judged) {
	t.policed.judged(d, m, x)
}

// Settle says what of the time of a client's exchanges was the path's.
func (t *serverTimes) Settle(d rule.Desk, client netip.Addr) { t.policed.settle(d, client) }

// list is the empty list of an endpoint.
func (t *serverTimes) list(k endpoint) *endpointTimes {
	n := len(t.free)
	if n == 0 {
		return &endpointTimes{of: k}
	}
	l := t.free[n-1]
	t.free = t.free[:n-1]
	*l = endpointTimes{of: k, sample: l.sample[:0], slow: l.slow[:0]}
	return l
}

// Finish reports what stands out.
func (t *serverTimes) Finish(d rule.Desk) {
	t.policed.finish(d)
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
	// seldom needed, and every endpoint is looked at
	uneven := sync.OnceValue(func() map[report.Pair]bool { return t.uneven(&t.paths) })
	slow := func(x serverTime) bool { return x.took >= slowThink }
	for _, l := range lists {
		l.apart(&t.paths, func(part endpointTimes) bool {
			if part.n >= leastThinks || slices.ContainsFunc(part.sample, slow) {
				part.judge(d, func() bool { return uneven()[l.of.pair] })
			}
			return false
		})
		l.suspect(d, &t.paths)
	}
}

// uneven are the clients and services between which any exchange stands out.
func (t *serverTimes) uneven(p *paths) map[report.Pair]bool {
	found := map[report.Pair]bool{}
	for k, l := range t.at {
		if !found[k.pair] && l.apart(p, endpointTimes.uneven) {
			found[k.pair] = true
		}
	}
	return found
}

// suspect tells of answers that a queue seems to have held up: a queue holds up all that pass, so
// most of them were far later than those that came while the path was free.
func (l *endpointTimes) suspect(d rule.Desk, p *paths) {
	free, behind := l.split(p)
	if free.n < leastThinks || len(free.sample) == 0 || len(behind.sample) < leastBehind {
		return
	}
	usual, deviation, _ := spread(free.times())
	limit := usual + max(outlying*deviation, leastQueue)
	if typical, _, _ := spread(behind.times()); typical <= limit {
		return
	}
	_, _, most := behind.spread()
	for _, x := range slices.Concat(behind.sample, behind.slow) {
		if x.took > limit && x.took <= most {
			p.suspect(d, l.of.pair, &x, usual)
		}
	}
}

// judge looks at one endpoint. An endpoint that always takes long may be meant to: where some
// exchanges between the same two stand out, those alone are told, so that their severity is that of
// their own cost.
func (l *endpointTimes) judge(d rule.Desk, uneven func() bool) {
	if len(l.sample) == 0 {
		return
	}
	typical, best, limit := l.spread()
	for _, x := range slices.Concat(l.sample, l.slow) {
		outlier := x.took > limit
		if !outlier && (typical < slowThink || x.took < slowThink || uneven()) {
			continue
		}
		c := l.claim(&x, typical, best)
		if outlier {
			c.Most = rule.AtMost(report.Medium)
		}
		d.Book(rule.Subject{Pair: l.of.pair}, &c)
	}
}

// claim is that of one exchange, where others took as long as typical and best.
func (l *endpointTimes) claim(x *serverTime, typical, best time.Duration) rule.Claim {
	c := rule.Claim{
		Rule:       thinkRule,
		Confidence: report.ConfidenceMedium,
		Index:      -1,
		Most:       rule.AtMost(report.Info),
	}
	answer := rule.Shows(x.first, report.SideServer, tookLong, rule.Ns(x.took))
	if l.n >= leastThinks {
		c.Occ.Cost = report.Cost{
			Low:      max(0, x.took-typical),
			Expected: max(0, x.took-best),
			High:     max(0, x.took-best),
		}
		answer = rule.Shows(x.first, report.SideServer, tookLonger,
			rule.Ns(x.took), rule.Ns(typical), int64(l.n))
	}
	c.Occ.Connection, c.Occ.Exchange = x.conn, x.exchange
	c.Occ.Start, c.Occ.End = x.request.Time, x.first.Time
	c.Occ.Proof = []rule.Evidence{rule.Shows(x.request, report.SideClient, lastOctet), answer}
	return c
}
