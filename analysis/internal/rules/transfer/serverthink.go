package transfer

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

const (
	// followed at a time; where there are more, half of them are judged and forgotten
	maxEndpoints = 1024
	maxThinks    = 256 // exchanges remembered of each, evenly spread over all
	maxSlow      = 32  // of the others, the slowest
	leastThinks  = 8   // exchanges without which nothing is an outlier
	// exchanges behind a large transfer, without which nothing tells that all were held up
	leastBehind = 3
	// slowThink is what a person notices as a break (Nielsen, Usability Engineering, 1993: one
	// second).
	slowThink = time.Second
)

const thinkRule = "server-think"

var ServerThink = &rule.Detector{
	Name:  thinkRule,
	Rests: rule.Connection,
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
	Across:     pathAcross,
}

// endpoint is what requests have in common that should take the same time. pathAcross follows
// paths, and what servers took to answer: a queue on the path looks like a server that takes long.
var pathAcross = &rule.Comparison{
	Start: func() rule.Across { return &thinks{at: map[endpoint]*thinkList{}} },
	Wants: rule.Wants(rule.ExchangeJudged),
}

type endpoint struct {
	pair   report.Pair
	method string
	path   string
}

// thinkList is the exchanges of an endpoint.
type thinkList struct {
	of     endpoint
	sample []thought // one of 2^every
	slow   []thought // the slowest of the others, slowest first
	every  uint8
	n      int           // exchanges in all
	seen   time.Duration // the latest event
}

// thought is how long the server took for one exchange.
type thought struct {
	conn, exchange int
	think          time.Duration
	request, first capture.Mark
	away           bool // not captured at the server: a queue on the path may be part of it
	stamped        bool // timestamps tell what of it was a queue for the answer
}

// thinks is the rule's state for one run.
type thinks struct {
	paths paths // what of the time may have been a queue
	at    map[endpoint]*thinkList
	free  []*thinkList // of forgotten endpoints, to be used again
}

// Event takes note of an exchange.
func (t *thinks) Event(d rule.Desk, m *rule.Conn, e *rule.Event) {
	job := e.Judged()
	t.paths.judged(d, m, job)
	if !d.Enabled(thinkRule) || job.Parsed.Turn || job.Parsed.Request == nil ||
		job.Parsed.Response == nil || job.Times[report.Think100] > 0 ||
		job.Parsed.Response.Facts.Has(reassembly.EventStream) ||
		job.Parsed.Response.Facts.Has(reassembly.HasGap) && job.Parsed.Status == 0 {
		return // meant to wait, or its first octet may not be the first
	}
	path, _, _ := strings.Cut(job.Parsed.Target, "?")
	k := endpoint{m.Pair, job.Parsed.Method, path}
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
	l.add(
		thought{
			m.Id, d.Exchange(m.Id, e.Index), job.Times[report.Think], job.Parsed.Request.End,
			job.Parsed.Response.Start, m.Far*10 < job.Flow.Rtt*9,
			job.Flow.Stamped && !farther(&job.Exchange, all.Rtt),
		},
	)
}

// list is the empty list of an endpoint.
func (t *thinks) list(k endpoint) *thinkList {
	n := len(t.free)
	if n == 0 {
		return &thinkList{of: k}
	}
	l := t.free[n-1]
	t.free = t.free[:n-1]
	*l = thinkList{of: k, sample: l.sample[:0], slow: l.slow[:0]}
	return l
}

// add takes note of an exchange.
func (l *thinkList) add(x thought) {
	l.n++
	switch {
	case (l.n-1)&(1<<l.every-1) != 0:
		l.aside(x)
		return
	case len(l.sample) == maxThinks:
		l.thin()
	}
	l.sample = append(l.sample, x)
}

// thin leaves every other exchange in the sample.
func (l *thinkList) thin() {
	for i := range l.sample {
		if i%2 == 0 {
			l.sample[i/2] = l.sample[i]
		} else {
			l.aside(l.sample[i])
		}
	}
	l.sample, l.every = l.sample[:len(l.sample)/2], l.every+1
}

// aside keeps an exchange that is not in the sample if it is among the slowest of those.
func (l *thinkList) aside(x thought) {
	i := len(l.slow)
	for i > 0 && l.slow[i-1].think < x.think {
		i--
	}
	if i < maxSlow {
		l.slow = slices.Insert(l.slow[:min(len(l.slow), maxSlow-1)], i, x)
	}
}

// Finish reports what stands out.
func (t *thinks) Finish(d rule.Desk) {
	t.settle(
		d,
		slices.SortedFunc(maps.Values(t.at),
			func(a, b *thinkList) int { return a.of.compare(b.of) }),
	)
}

// compare orders endpoints.
func (k endpoint) compare(o endpoint) int {
	return cmp.Or(k.pair.Client.Compare(o.pair.Client), k.pair.Server.Compare(o.pair.Server),
		cmp.Compare(k.method, o.method), cmp.Compare(k.path, o.path))
}

// forget judges and forgets half of the endpoints: first those with too few exchanges to judge,
// which paths with a number in them make without end, and of either kind what has been silent the
// longest.
func (t *thinks) forget(d rule.Desk) {
	lists := slices.SortedFunc(maps.Values(t.at), func(a, b *thinkList) int {
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
func (t *thinks) settle(d rule.Desk, lists []*thinkList) {
	// seldom needed, and every endpoint is looked at
	uneven := sync.OnceValue(func() map[report.Pair]bool { return t.uneven(&t.paths) })
	for _, l := range lists {
		l.apart(&t.paths, func(part thinkList) bool {
			if part.n >= leastThinks ||
				slices.ContainsFunc(part.sample,
					func(x thought) bool { return x.think >= slowThink }) {
				part.judge(d, func() bool { return uneven()[l.of.pair] })
			}
			return false
		})
		l.suspect(d, &t.paths)
	}
}

// uneven are the clients and services between which any exchange stands out.
func (t *thinks) uneven(p *paths) map[report.Pair]bool {
	found := map[report.Pair]bool{}
	for k, l := range t.at {
		if !found[k.pair] && l.apart(p, thinkList.uneven) {
			found[k.pair] = true
		}
	}
	return found
}

// apart calls f for the exchanges that a queue may have held up, and for the others, until it says
// true: only within each the server's time compares.
func (l *thinkList) apart(p *paths, f func(thinkList) bool) bool {
	free, behind := l.split(p)
	return f(free) || behind.n > 0 && f(behind)
}

// split are the exchanges that no queue held up, and those that one may have.
func (l *thinkList) split(p *paths) (free, behind thinkList) {
	held := func(x thought) bool {
		span := report.Interval{From: x.request.Time, To: x.first.Time}
		return x.away && (p.mayHold(l.of.pair, reassembly.FromClient, span, x.think) ||
			!x.stamped && p.mayHold(l.of.pair, reassembly.FromServer, span, x.think))
	}
	free = *l
	if !slices.ContainsFunc(l.sample, held) && !slices.ContainsFunc(l.slow, held) {
		return free, thinkList{}
	}
	free.sample, behind.sample = divide(l.sample, held)
	free.slow, behind.slow = divide(l.slow, held)
	behind.of, behind.every = l.of, l.every
	behind.n = max(len(behind.sample)<<l.every, 1)
	free.n = max(l.n-behind.n, len(free.sample))
	return free, behind
}

// divide are those of which second is not true, and those of which it is.
func divide(all []thought, second func(thought) bool) (a, b []thought) {
	for _, x := range all {
		if second(x) {
			b = append(b, x)
		} else {
			a = append(a, x)
		}
	}
	return a, b
}

// suspect tells of answers that a queue seems to have held up: a queue holds up all that pass, so
// most of them were far later than those that came while the path was free.
func (l *thinkList) suspect(d rule.Desk, p *paths) {
	free, behind := l.split(p)
	if free.n < leastThinks || len(free.sample) == 0 || len(behind.sample) < leastBehind {
		return
	}
	usual, deviation, _ := spread(free.times())
	limit := usual + max(3*deviation, leastQueue)
	if typical, _, _ := spread(behind.times()); typical <= limit {
		return
	}
	_, _, most := behind.spread()
	for _, x := range slices.Concat(behind.sample, behind.slow) {
		if x.think > limit && x.think <= most {
			p.suspect(d, l.of.pair, &x, usual)
		}
	}
}

// times are those that the server took, in the sample.
func (l *thinkList) times() []time.Duration {
	times := make([]time.Duration, len(l.sample))
	for i := range l.sample {
		times[i] = l.sample[i].think
	}
	return times
}

// spread is that of the endpoint's times, and the limit beyond which one stands out.
func (l *thinkList) spread() (typical, best, limit time.Duration) {
	typical, deviation, best := spread(l.times())
	limit = typical + max(3*deviation, 100*time.Millisecond)
	if l.n < leastThinks {
		limit = math.MaxInt64
	}
	return typical, best, limit
}

// uneven reports whether any exchange stands out.
func (l thinkList) uneven() bool {
	if l.n < leastThinks || len(l.sample) == 0 {
		return false
	}
	_, _, limit := l.spread()
	stands := func(x thought) bool { return x.think > limit }
	return slices.ContainsFunc(l.sample, stands) || slices.ContainsFunc(l.slow, stands)
}

// judge looks at one endpoint. An endpoint that always takes long may be meant to: where some
// exchanges between the same two stand out, those alone are told, so that their severity is that of
// their own cost.
func (l *thinkList) judge(d rule.Desk, uneven func() bool) {
	if len(l.sample) == 0 {
		return
	}
	typical, best, limit := l.spread()
	for _, x := range slices.Concat(l.sample, l.slow) {
		outlier := x.think > limit
		if !outlier && (typical < slowThink || x.think < slowThink || uneven()) {
			continue
		}
		c := rule.Claim{
			Rule:       thinkRule,
			Confidence: report.ConfidenceMedium,
			Index:      -1,
			Most:       rule.AtMost(report.Info),
		}
		if outlier {
			c.Most = rule.AtMost(report.Medium)
		}
		c.Occ = rule.Occurrence{
			Connection: x.conn,
			Exchange:   x.exchange,
			Start:      x.request.Time,
			End:        x.first.Time,
		}
		text := fmt.Sprintf("its first octet; the server took %s", rule.Millis(x.think))
		if l.n >= leastThinks {
			c.Occ.Cost = report.Cost{
				Low:      max(0, x.think-typical),
				Expected: max(0, x.think-best),
				High:     max(0, x.think-best),
			}
			text += fmt.Sprintf(", usually %s (%d exchanges)", rule.Millis(typical), l.n)
		}
		c.Occ.Evidence = []report.Evidence{
			rule.At(x.request, "request", report.SideClient, "its last octet"),
			rule.At(x.first, "response", report.SideServer, text),
		}
		d.Book(rule.Subject{Pair: l.of.pair}, &c)
	}
}

// spread is the median, the median distance from it, scaled to a standard deviation, and the tenth
// percentile.
func spread(times []time.Duration) (typical, deviation, best time.Duration) {
	sorted := slices.Clone(times)
	slices.Sort(sorted)
	typical, best = sorted[len(sorted)/2], sorted[len(sorted)/10]
	for i, v := range sorted {
		sorted[i] = max(v-typical, typical-v)
	}
	slices.Sort(sorted)
	return typical, sorted[len(sorted)/2] * 148 / 100, best
}
