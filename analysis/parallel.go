package analysis

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
)

const (
	// unusedConnections is how many connections without any request are worth a note; browsers open
	// some in advance.
	unusedConnections = 10
	// lossSiblings is how many connections must lose segments within a round trip to count as
	// having done it to each other.
	lossSiblings = 3
	keptLosses   = 64
	keptSpans    = 256
)

var parallelConnections = &Detector{
	Name:  "parallel-connections",
	Title: "more parallel connections than needed",
	Doc: `What happens
Parallel connections carry requests at the same time. Each costs a set-up, memory at both ends and a slow start of its own;
together they are more eager than one, and can overflow the bottleneck that they share. Browsers open six per host; RFC 9112
section 9.4 gives no number but asks for moderation.

How it is recognised
over-limit: more than six connections open to one service at a time, and more than twice as many as ever had requests under way
together. churn: ten connections and more, and more than half of all, were set up and closed without any request, while others
carried requests. self-inflicted-loss: with more than six open, three and more lost segments within one round trip, and were in
slow start. Where missed-reuse explains the connections, this rule is silent.

How cost is counted
Connections that were not needed cost their hosts, not time. Losses: the repairs at most; they are counted where packet loss is.

When it is wrong
A pool may be kept for peaks that the capture does not show. Loss on several connections at once may have another cause.`,
	Causes: []report.Cause{
		{Code: "over-limit", Title: "more connections open than used", Side: report.SideClient,
			Message: "The client keeps many more connections to this service open than it ever uses together.",
			Remedies: []report.Remedy{
				{
					Side:     report.SideClient,
					Text:     "limit the pool",
					Settings: report.PoolLimits(),
					After:    "use HTTP/2",
				},
			}},
		{
			Code:    "churn",
			Title:   "connections opened and closed without a request",
			Side:    report.SideClient,
			Message: "The client opens connections to this service and closes them without having used them.",
			Remedies: []report.Remedy{
				{
					Side: report.SideClient,
					Text: "see who opens them: preconnects that are too eager, pools that validate by connecting, " +
						"health checks that only connect",
				},
			},
		},
		{
			Code:    "self-inflicted-loss",
			Title:   "parallel connections overflow their bottleneck",
			Side:    report.SideClient,
			Message: "Several connections in slow start lost segments within the same round trip: together they overflow the path.",
			Remedies: []report.Remedy{
				{Side: report.SideClient, Text: "use fewer connections, or HTTP/2 on one"},
				{Side: report.SideServer, Text: "pace: net.core.default_qdisc=fq, BBR"},
			},
		},
	},
	References: []string{"RFC 9112 section 9.4", "RFC 9113 section 9.1"},
	cross:      func() crossRule { return &crowds{} },
}

// crowds follows how many connections each client holds to each service.
type crowds struct{ pairs pairTable[crowd] }

// crowd is the connections of one client to one service.
type crowd struct {
	open, busy         int
	peakOpen, peakBusy int
	peak               capture.Mark // the request that came when most were open
	peakConn           int
	conns, unused      int
	spans              []report.Interval // of the latest connections that were never used
	unusedAt           capture.Mark
	unusedConn         int
	losses             []lossAt
	lossy              int
	lossCost           time.Duration
	samples            []claim
	member             *member
}

// lossAt is a repair on one connection.
type lossAt struct {
	at   time.Duration
	conn int
}

func (r *crowds) event(_ *judge, m *member, e *event) {
	switch data := e.data.(type) {
	case *beganExchange:
		if c := r.pairs.of(m.pair, e.at); c != nil {
			c.began(m, data)
		}
	case *overExchange:
		if c := r.pairs.has(m.pair); c != nil {
			c.busy = max(0, c.busy-1)
		}
	case *closingConn:
		r.closed(m)
	case *draft:
		if c := r.pairs.has(m.pair); c != nil && c.peakOpen > ordinaryConnections && (data.Index == 0 || data.Times[report.SlowStart] > 0) {
			c.lost(m, data)
		}
	case *overConn:
		r.closed(m) // without a close: it was forgotten
		r.over(m, data, e.at)
	}
}

// closed takes note that a connection is open no longer.
func (r *crowds) closed(m *member) {
	if c := r.pairs.has(m.pair); c != nil && m.inCrowd {
		c.open, m.inCrowd = max(0, c.open-1), false
	}
}

// over takes note of a connection that was never used.
func (r *crowds) over(m *member, data *overConn, now time.Duration) {
	c := r.pairs.of(data.pair, now)
	if c == nil || !data.established || data.midStream {
		return
	}
	c.conns++
	if data.info.Bytes[0] == 0 && data.info.Bytes[1] == 0 && ledger.Seen(data.at) {
		c.unused++
		if c.spans = append(c.spans, report.Interval{From: data.info.Start, To: data.at.Time}); len(
			c.spans,
		) > keptSpans {
			c.spans = append(c.spans[:0], c.spans[1:]...)
		}
		c.unusedAt, c.unusedConn = data.at, m.id
		if c.member == nil {
			c.member = m
		}
	}
}

// began takes note of a request.
func (c *crowd) began(m *member, e *beganExchange) {
	c.member = m
	c.busy++
	if e.first {
		c.open++
		m.inCrowd = true
	}
	c.peakBusy = max(c.peakBusy, c.busy)
	if c.open > c.peakOpen {
		c.peakOpen, c.peak, c.peakConn = c.open, e.start, m.id
	}
}

// lost takes note of the repairs of an exchange, and counts those that came together with those of
// other connections.
func (c *crowd) lost(m *member, job *draft) {
	window := max(job.Flow.Rtt, 10*time.Millisecond)
	for _, s := range job.With(report.FastRetx, report.RTO, report.TLP, report.LostRetx) {
		siblings := map[int]bool{m.id: true}
		for _, l := range c.losses {
			if l.at >= s.From-window && l.at <= s.From+window {
				siblings[l.conn] = true
			}
		}
		c.losses = append(c.losses, lossAt{s.From, m.id})
		if len(c.losses) > keptLosses {
			c.losses = append(c.losses[:0], c.losses[1:]...)
		}
		if len(siblings) < lossSiblings || !ledger.Seen(s.End) {
			continue
		}
		c.lossy++
		c.lossCost += s.Length()
		o := report.Occurrence{
			Connection: m.id,
			Exchange:   job.info.ID,
			Start:      s.From,
			End:        s.To,
			Cost:       report.Cost{Low: 0, Expected: 0, High: s.Length()},
			Evidence: []report.Evidence{
				at(
					s.End,
					"repair",
					sideOf(s.Dir),
					fmt.Sprintf("%d connections lost segments within a round trip", len(siblings)),
				),
			},
		}
		c.samples = keepSample(
			c.samples,
			claim{rule: "parallel-connections", cause: "self-inflicted-loss",
				confidence: report.ConfidenceMedium, most: atMost(report.Low), occ: o},
		)
	}
}

// overlapping is how many of the spans there were at the same time, at most.
func overlapping(spans []report.Interval) int {
	type edge struct {
		at   time.Duration
		step int
	}
	var edges []edge
	for _, s := range spans {
		edges = append(edges, edge{s.From, 1}, edge{s.To, -1})
	}
	slices.SortFunc(
		edges,
		func(a, b edge) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.step, b.step)) },
	)
	n, most := 0, 0
	for _, e := range edges {
		n += e.step
		most = max(most, n)
	}
	return most
}

func (r *crowds) finish(j *judge) {
	if !j.enabled("parallel-connections") {
		return
	}
	r.pairs.each(func(p report.Pair, c *crowd) {
		if c.member == nil || j.hasFinding("missed-reuse", p) {
			return
		}
		spare := overlapping(c.spans)
		c.peakOpen += spare
		base := claim{
			rule:       "parallel-connections",
			confidence: report.ConfidenceHigh,
			most:       atMost(report.Info),
		}
		if c.peakOpen > ordinaryConnections && c.peakOpen > 2*c.peakBusy {
			cl := base
			cl.cause, cl.text = "over-limit", fmt.Sprintf(
				"%d were open, and at most %d had a request under way.",
				c.peakOpen,
				c.peakBusy,
			)
			cl.occ = report.Occurrence{
				Connection: c.peakConn,
				Exchange:   -1,
				Start:      c.peak.Time,
				End:        c.peak.Time,
				Evidence: []report.Evidence{
					at(
						c.peak,
						"request",
						report.SideClient,
						fmt.Sprintf("%d connections are open", c.peakOpen),
					)},
			}
			j.book(c.member, &cl, nil)
		}
		if c.unused-spare >= unusedConnections && c.unused*2 > c.conns && j.pairs[p] != nil {
			cl := base
			cl.cause, cl.text = "churn", fmt.Sprintf("%d of %d connections.", c.unused, c.conns)
			cl.occ = report.Occurrence{
				Connection: c.unusedConn,
				Exchange:   -1,
				Start:      c.unusedAt.Time,
				End:        c.unusedAt.Time,
				Evidence: []report.Evidence{
					at(
						c.unusedAt,
						"close",
						report.SideUnknown,
						"without ever having carried a request",
					)},
			}
			j.book(c.member, &cl, nil)
		}
		if c.lossy >= lossSiblings {
			bookSamples(
				j,
				c.member,
				c.samples,
				c.lossy,
				report.Cost{Low: 0, Expected: 0, High: c.lossCost},
			)
		}
	})
}

// hasFinding reports whether the rule has found anything between the pair.
func (j *judge) hasFinding(rule string, p report.Pair) bool {
	d := Find(rule)
	for i := range d.Causes {
		if j.groups[groupKey{rule, d.Causes[i].Code, p}] != nil {
			return true
		}
	}
	return false
}
