package connect

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
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

var ParallelConnections = &rule.Detector{
	Name:  "parallel-connections",
	Rests: rule.Connection,
	Title: "more parallel connections than needed",
	Doc: `What happens
Parallel connections carry requests at the same time. Each costs a set-up, memory at both ends and a
slow start of its own; together they are more eager than one, and can overflow the bottleneck that
they share. Browsers open six per host; RFC 9112 section 9.4 gives no number but asks for
moderation.

How it is recognised
over-limit: more than six connections open to one service at a time, and more than twice as many as
ever had requests under way together. churn: ten connections and more, and more than half of all,
were set up and closed without any request, while others carried requests. self-inflicted-loss: with
more than six open, three and more lost segments within one round trip, and were in slow start.
Where missed-reuse explains the connections, this rule is silent.

How cost is counted
Connections that were not needed cost their hosts, not time. Losses: the repairs at most; they are
counted where packet loss is.

When it is wrong
A pool may be kept for peaks that the capture does not show. Loss on several connections at once may
have another cause.`,
	Causes: []report.Cause{
		{
			Code:  "over-limit",
			Title: "more connections open than used",
			Side:  report.SideClient,
			Message: "The client keeps many more connections to this service open than it ever " +
				"uses together.",
			Remedies: []report.Remedy{
				{
					Side:     report.SideClient,
					Text:     "limit the pool",
					Settings: report.PoolLimits(),
					After:    "use HTTP/2",
				},
			},
		},
		{
			Code:  "churn",
			Title: "connections opened and closed without a request",
			Side:  report.SideClient,
			Message: "The client opens connections to this service and closes them without " +
				"having used them.",
			Remedies: []report.Remedy{
				{
					Side: report.SideClient,
					Text: "see who opens them: preconnects that are too eager, pools that " +
						"validate by connecting, health checks that only connect",
				},
			},
		},
		{
			Code:  "self-inflicted-loss",
			Title: "parallel connections overflow their bottleneck",
			Side:  report.SideClient,
			Message: "Several connections in slow start lost segments within the same round " +
				"trip: together they overflow the path.",
			Remedies: []report.Remedy{
				{Side: report.SideClient, Text: "use fewer connections, or HTTP/2 on one"},
				{Side: report.SideServer, Text: "pace: net.core.default_qdisc=fq, BBR"},
			},
		},
	},
	References: []string{"RFC 9112 section 9.4", "RFC 9113 section 9.1"},
	Across: &rule.Comparison{
		Start: func() rule.Across { return &crowds{open: map[int]bool{}} },
		Wants: rule.Wants(rule.ExchangeBegan, rule.ExchangeOver, rule.ExchangeJudged,
			rule.ConnClosing, rule.ConnOver),
	},
}

// crowds follows how many connections each client holds to each service.
type crowds struct {
	pairs rule.PairTable[crowd]
	open  map[int]bool // connections that count as open
}

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
	samples            []rule.Claim
	conn               *rule.Conn // the latest
}

// lossAt is a repair on one connection.
type lossAt struct {
	at   time.Duration
	conn int
}

func (r *crowds) Event(_ rule.Desk, c *rule.Conn, e *rule.Event) {
	switch e.Kind {
	case rule.ExchangeBegan:
		if k := r.pairs.Of(c.Pair, e.At); k != nil {
			r.began(k, c, e.Began())
		}
	case rule.ExchangeOver:
		if k := r.pairs.Has(c.Pair); k != nil {
			k.busy = max(0, k.busy-1)
		}
	case rule.ConnClosing:
		r.closed(c)
	case rule.ExchangeJudged:
		x := e.Judged()
		if k := r.pairs.Has(c.Pair); k != nil && k.peakOpen > ordinaryConnections &&
			(x.Index == 0 || x.Times[report.SlowStart] > 0) {
			k.lost(c, x)
		}
	case rule.ConnOver:
		r.closed(c) // without a close: it was forgotten
		r.over(c, e.Gone(), e.At)
	}
}

// closed takes note that a connection is open no longer.
func (r *crowds) closed(c *rule.Conn) {
	if k := r.pairs.Has(c.Pair); k != nil && r.open[c.Id] {
		k.open = max(0, k.open-1)
		delete(r.open, c.Id)
	}
}

// over takes note of a connection that was never used.
func (r *crowds) over(m *rule.Conn, data *rule.Gone, now time.Duration) {
	delete(r.open, m.Id)
	c := r.pairs.Of(data.Pair, now)
	if c == nil || !data.Established || data.MidStream {
		return
	}
	c.conns++
	if data.Info.Bytes[0] == 0 && data.Info.Bytes[1] == 0 && ledger.Seen(data.At) {
		c.unused++
		if c.spans = append(c.spans, report.Interval{From: data.Info.Start, To: data.At.Time}); len(
			c.spans) > keptSpans {
			c.spans = append(c.spans[:0], c.spans[1:]...)
		}
		c.unusedAt, c.unusedConn = data.At, m.Id
		if c.conn == nil {
			c.conn = m
		}
	}
}

// began takes note of a request.
func (r *crowds) began(c *crowd, m *rule.Conn, e *rule.Began) {
	c.conn = m
	c.busy++
	if e.First {
		c.open++
		r.open[m.Id] = true
	}
	c.peakBusy = max(c.peakBusy, c.busy)
	if c.open > c.peakOpen {
		c.peakOpen, c.peak, c.peakConn = c.open, e.Start, m.Id
	}
}

// lost takes note of the repairs of an exchange, and counts those that came together with those of
// other connections.
func (c *crowd) lost(m *rule.Conn, job *rule.Draft) {
	window := max(job.Flow.Rtt, 10*time.Millisecond)
	for _, s := range job.With(report.FastRetx, report.RTO, report.TLP, report.LostRetx) {
		siblings := map[int]bool{m.Id: true}
		for _, l := range c.losses {
			if l.at >= s.From-window && l.at <= s.From+window {
				siblings[l.conn] = true
			}
		}
		c.losses = append(c.losses, lossAt{s.From, m.Id})
		if len(c.losses) > keptLosses {
			c.losses = append(c.losses[:0], c.losses[1:]...)
		}
		if len(siblings) < lossSiblings || !ledger.Seen(s.End) {
			continue
		}
		c.lossy++
		c.lossCost += s.Length()
		o := rule.Occurrence{
			Connection: m.Id,
			Exchange:   job.Info.ID,
			Start:      s.From,
			End:        s.To,
			Cost:       report.Cost{Low: 0, Expected: 0, High: s.Length()},
			Evidence: []report.Evidence{
				rule.At(s.End, "repair", rule.SideOf(s.Dir),
					fmt.Sprintf("%d connections lost segments within a round trip", len(siblings))),
			},
		}
		c.samples = keepSample(
			c.samples,
			rule.Claim{
				Rule:       "parallel-connections",
				Cause:      "self-inflicted-loss",
				Confidence: report.ConfidenceMedium,
				Most:       rule.AtMost(report.Low),
				Occ:        o,
			},
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
	slices.SortFunc(edges,
		func(a, b edge) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.step, b.step)) })
	n, most := 0, 0
	for _, e := range edges {
		n += e.step
		most = max(most, n)
	}
	return most
}

func (r *crowds) Finish(d rule.Desk) {
	if !d.Enabled("parallel-connections") {
		return
	}
	r.pairs.Each(func(p report.Pair, c *crowd) {
		if c.conn == nil || d.PairHas(rule.ColdSetup, p) {
			return
		}
		spare := overlapping(c.spans)
		c.peakOpen += spare
		base := rule.Claim{
			Rule:       "parallel-connections",
			Confidence: report.ConfidenceHigh,
			Most:       rule.AtMost(report.Info),
		}
		if c.peakOpen > ordinaryConnections && c.peakOpen > 2*c.peakBusy {
			cl := base
			cl.Cause, cl.Text = "over-limit", fmt.Sprintf(
				"%d were open, and at most %d had a request under way.", c.peakOpen, c.peakBusy)
			cl.Occ = rule.Occurrence{
				Connection: c.peakConn,
				Exchange:   -1,
				Start:      c.peak.Time,
				End:        c.peak.Time,
				Evidence: []report.Evidence{
					rule.At(c.peak, "request", report.SideClient,
						fmt.Sprintf("%d connections are open", c.peakOpen))},
			}
			d.Book(c.conn.Subject(), &cl)
		}
		if c.unused-spare >= unusedConnections && c.unused*2 > c.conns && knownPair(d, p) {
			cl := base
			cl.Cause, cl.Text = "churn", fmt.Sprintf("%d of %d connections.", c.unused, c.conns)
			cl.Occ = rule.Occurrence{
				Connection: c.unusedConn,
				Exchange:   -1,
				Start:      c.unusedAt.Time,
				End:        c.unusedAt.Time,
				Evidence: []report.Evidence{
					rule.At(c.unusedAt, "close", report.SideUnknown,
						"without ever having carried a request")},
			}
			d.Book(c.conn.Subject(), &cl)
		}
		if c.lossy >= lossSiblings {
			d.BookMany(c.conn.Subject(), c.samples, c.lossy,
				report.Cost{Low: 0, Expected: 0, High: c.lossCost})
		}
	})
}

// knownPair reports whether an exchange between the pair has been judged.
func knownPair(d rule.Desk, p report.Pair) bool {
	_, known := d.Pair(p)
	return known
}
