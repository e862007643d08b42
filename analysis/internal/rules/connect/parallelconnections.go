package connect

import (
	"cmp"
	"net/netip"
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
	// spareFactor is how many times as many as were ever used together may be open: a pool holds
	// what its last peak needed, which the capture may not show (reasoning).
	spareFactor = 2
	// unusedParts is of how many connections one must have been unused, so that a client which also
	// uses some is no note: half of them (reasoning).
	unusedParts = 2
	// lossSiblings is how many connections must lose segments within a round trip to count as
	// having done it to each other; lossWindow is what counts as one at least (reasoning).
	lossSiblings = 3
	lossWindow   = 10 * time.Millisecond
	keptLosses   = 64
	keptLossy    = 1 << 10
	keptSpans    = 256
)

const parallelConnectionsRule = "parallel-connections"

// ParallelConnections is the rule about clients that open more connections than they use.
var ParallelConnections = &rule.Detector{Rule: report.Rule{
	Name:  parallelConnectionsRule,
	Title: "more parallel connections than needed",
	Doc: `What happens
Parallel connections carry requests at the same time. Each costs a set-up, memory at both ends and a
slow start of its own; together they are more eager than one, and can overflow the bottleneck that
they share. Browsers open six per host; RFC 9112 section 9.4 gives no number but asks for
moderation.

How it is recognised
over-limit: more than six connections open to one service at a time, and more than twice as many as
ever had requests under way together. churn: ten connections and more, and more than half of all,
were set up and closed without any request, while others carried requests. unused: three and more
finished their TLS handshakes and were closed without a request, and had begun within 0.1 s of one
that carried some: a client of HTTP/2 that dials for each of its first requests, and needs but one.
self-inflicted-loss: with
more than six open, three and more lost segments within one round trip, and were in slow start; and
round trips through the path that they share were longer by a quarter, and by 5 ms, where that shows
also when segments were lost: its queue was full of what they had sent, and all losses of that time
are theirs.
Where missed-reuse explains the connections, this rule is silent.

How cost is counted
Connections that were not needed cost their hosts, not time. Losses cost what the rules about losses
and timers would have said, in their place: together no more than the responses took by the clock,
from the first octet of any of them to the last, without what the path needs for the octets of them
all.

When it is wrong
A pool may be kept for peaks that the capture does not show. Where a queue is shorter than a quarter
of a round trip, nothing tells its losses from others, and they stay packet loss; so do those of
up to six connections.`,
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
				},
				{Side: report.SideClient, Text: "use HTTP/2", Serial: true},
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
			Code:  unusedCause,
			Title: "TLS handshakes for connections that are not used",
			Side:  report.SideClient,
			Message: "The client opened several connections at once, finished their TLS " +
				"handshakes, and used one of them: the others cost both hosts work, and nobody " +
				"time.",
			Remedies: []report.Remedy{
				{
					Side: report.SideClient,
					Text: "send a first request alone, so that the others find its connection; or " +
						"limit how many are opened at once",
					Settings: []report.Setting{
						{Product: report.Go, Text: "Transport.MaxConnsPerHost = 1"},
						{Product: report.Curl, Text: "no --parallel-immediate"},
					},
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
				{Side: report.SideClient, Text: "use fewer connections"},
				{Side: report.SideClient, Text: "use HTTP/2 on one connection", Serial: true},
				{Side: report.SideServer, Text: "pace: net.core.default_qdisc=fq, BBR"},
			},
		},
	},
	References: []string{"RFC 9112 section 9.4", "RFC 9113 section 9.1"},
},
	Rests: rule.Connection,
	Across: &rule.Comparison{
		Start: func() rule.Across {
			return &connectionCounts{
				open: map[int]bool{}, lossyPairs: map[netip.Addr][]report.Pair{},
			}
		},
		Wants:   rule.Wants(rule.ExchangeBegan, rule.ExchangeOver, rule.ConnClosing, rule.ConnOver),
		AtLeast: unusedTogether + 1,
		Late:    true,
	},
	Vocabulary: words,
}

// connectionCounts follows how many connections each client holds to each service.
type connectionCounts struct {
	pairs rule.PairTable[connectionCount]
	open  map[int]bool // connections that count as open
	// by client, those that lost segments of which it is not settled what that cost
	lossyPairs map[netip.Addr][]report.Pair
}

// connectionCount is the connections of one client to one service.
type connectionCount struct {
	open, busy         int
	peakOpen, peakBusy int
	peak               capture.Mark // the request that came when most were open
	peakConn           int
	conns, unused      int
	spans              []report.Interval // of the latest connections that were never used
	unusedAt           capture.Mark      // the end of the latest of them
	unusedConn         int
	losses             []lossAt        // the latest
	recent             []lossyExchange // those of which it is not settled what their losses cost
	conn               *rule.Conn      // the latest
	tls                unusedTLS
}

// lossAt is a repair on one connection.
type lossAt struct {
	at   time.Duration
	conn int
}

// lossyExchange is an exchange that lost segments, while more connections were open than usual.
type lossyExchange struct {
	of       rule.Subject
	conn     int
	exchange int
	wait     ledger.Wait // the one that shows it
	together int         // connections that lost segments within a round trip of it
}

// Number makes pairs have the numbers that others have for them.
func (r *connectionCounts) Number(n *rule.PairNumbers) { r.pairs.By(n) }

// Event counts connections as they are opened, used and closed, and the losses on them.
func (r *connectionCounts) Event(_ rule.Desk, c *rule.Conn, e *rule.Told) {
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
	case rule.ConnOver:
		r.closed(c) // without a close: it was forgotten
		r.over(c, e.Gone(), e.At)
	}
}

// Claims takes note of the losses of the exchange in hand, before what it cost can be settled.
func (r *connectionCounts) Claims(_ rule.Desk, c *rule.Conn, x *rule.Judged) {
	k := r.pairs.Has(c.Pair)
	if k == nil || k.peakOpen <= ordinaryConnections || x.Info.Attempt != nil ||
		x.Index > 0 && x.Times[report.SlowStart] == 0 {
		return
	}
	if k.lost(c, x); len(k.recent) == 1 {
		r.lossyPairs[c.Pair.Client] = append(r.lossyPairs[c.Pair.Client], c.Pair)
	}
}

// closed takes note that a connection is open no longer.
func (r *connectionCounts) closed(c *rule.Conn) {
	if k := r.pairs.Has(c.Pair); k != nil && r.open[c.Id] {
		k.open = max(0, k.open-1)
		delete(r.open, c.Id)
	}
}

// over takes note of a connection that was never used.
func (r *connectionCounts) over(c *rule.Conn, e *rule.Gone, now time.Duration) {
	delete(r.open, c.Id)
	if !e.Established || e.MidStream {
		return
	}
	k := r.pairs.Of(e.Pair, now)
	if k == nil {
		return
	}
	k.conns++
	k.tls.over(c, e)
	if e.Info.Bytes[0] == 0 && e.Info.Bytes[1] == 0 && ledger.Seen(e.At) {
		k.unused++
		span := report.Interval{From: e.Info.Start, To: e.At.Time}
		k.spans = appendLatest(k.spans, span, keptSpans)
		k.unusedAt, k.unusedConn = e.At, c.Id
		if k.conn == nil {
			k.conn = c
		}
	}
}

// began takes note of a request.
func (r *connectionCounts) began(k *connectionCount, c *rule.Conn, e *rule.Began) {
	k.conn = c
	k.busy++
	k.tls.uses(e)
	if e.First {
		k.open++
		r.open[c.Id] = true
	}
	k.peakBusy = max(k.peakBusy, k.busy)
	if k.open > k.peakOpen && !e.Unasked { // a request shows it
		k.peakOpen, k.peak, k.peakConn = k.open, e.Start, c.Id
	}
}

// lost takes note of an exchange that lost segments, or had others sent again, and of how many
// connections lost some at the same time.
func (k *connectionCount) lost(c *rule.Conn, x *rule.Judged) {
	window := max(x.Flow.RTT, lossWindow)
	l := lossyExchange{of: c.Of(x), conn: c.Id, exchange: x.Info.ID}
	for _, w := range x.WaitsWith(report.FastRetx, report.RTO, report.TLP, report.LostRetx) {
		n := k.together(lossAt{w.From, c.Id}, window)
		k.losses = appendLatest(k.losses, lossAt{w.From, c.Id}, keptLosses)
		l.show(w, n)
	}
	for _, w := range x.WaitsWith(report.RecoveryCwnd, report.SpuriousRetx, report.Queue) {
		l.show(w, 0)
	}
	if ledger.Seen(l.wait.End) {
		k.recent = appendLatest(k.recent, l, keptLossy)
	}
}

// show takes w, which came together with losses of n connections, as what shows the exchange's, if
// it does so better.
func (l *lossyExchange) show(w ledger.Wait, n int) {
	if ledger.Seen(w.End) && (n > l.together || !ledger.Seen(l.wait.End)) {
		l.wait, l.together = w, n
	}
}

// Own takes over what losses cost that the connections of a client did to each other.
func (r *connectionCounts) Own(d rule.Desk, client netip.Addr) {
	for _, p := range r.lossyPairs[client] {
		if k := r.pairs.Has(p); k != nil {
			k.own(d)
		}
	}
	delete(r.lossyPairs, client)
}

// own takes over what the losses cost of the exchanges that are settled, if some came together and
// found a full queue.
func (k *connectionCount) own(d rule.Desk) {
	if d.Enabled(parallelConnectionsRule) && slices.ContainsFunc(k.recent,
		func(l lossyExchange) bool { return l.together >= lossSiblings }) {
		for i := range k.recent {
			l := &k.recent[i]
			page, known := d.Page(l.of.Pair.Client, l.exchange)
			if known && page.Full {
				c := l.claim(&page)
				d.Take(rule.LostSegment, l.of, &c)
			}
		}
	}
	k.recent = k.recent[:0]
}

// claim is that of the exchange's losses.
func (l *lossyExchange) claim(page *rule.Page) rule.Claim {
	shows := rule.Shows(l.wait.End, rule.SideOf(l.wait.Dir), lostTogether, int64(l.together))
	if l.together < lossSiblings {
		shows = rule.Shows(l.wait.End, rule.SideOf(l.wait.Dir), lostMeanwhile)
	}
	says := rule.Say(queueWasFull, rule.Ns(page.Queue), int64(page.Rate))
	if page.Rate <= 0 {
		says = rule.Say(queueGrewFull, rule.Ns(page.Queue))
	}
	return rule.Claim{
		Rule:       parallelConnectionsRule,
		Cause:      "self-inflicted-loss",
		Confidence: report.ConfidenceMedium,
		Least:      report.Low,
		Most:       rule.AtMost(report.Low),
		Says:       []rule.Said{says},
		Occ: rule.Occurrence{
			Connection: l.conn,
			Exchange:   l.exchange,
			Start:      l.wait.From,
			End:        l.wait.To,
			Proof:      []rule.Evidence{shows},
		},
	}
}

// together is how many connections lost segments as near in time as the window, that of the new
// loss among them.
func (k *connectionCount) together(loss lossAt, window time.Duration) int {
	conns := map[int]bool{loss.conn: true}
	for _, l := range k.losses {
		if l.at >= loss.at-window && l.at <= loss.at+window {
			conns[l.conn] = true
		}
	}
	return len(conns)
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
	slices.SortFunc(edges, func(a, b edge) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.step, b.step))
	})
	n, most := 0, 0
	for _, e := range edges {
		n += e.step
		most = max(most, n)
	}
	return most
}

// Finish books what the counts show.
func (r *connectionCounts) Finish(d rule.Desk) {
	if !d.Enabled(parallelConnectionsRule) {
		return
	}
	r.pairs.Each(func(p report.Pair, k *connectionCount) {
		if k.conn == nil || d.PairHas(rule.ColdSetup, p) {
			return
		}
		k.bookUnused(d)
		spare := overlapping(k.spans)
		k.bookOverLimit(d, k.peakOpen+spare)
		if k.unused-spare >= unusedConnections && k.unused*unusedParts > k.conns &&
			knownPair(d, p) {
			k.bookChurn(d)
		}
	})
}

// bookOverLimit books that so many connections were open, if those are many more than were used.
func (k *connectionCount) bookOverLimit(d rule.Desk, open int) {
	if open <= ordinaryConnections || open <= spareFactor*k.peakBusy {
		return
	}
	proof := rule.Shows(k.peak, report.SideClient, openTogether, int64(open))
	k.book(d, "over-limit", k.peakConn, proof,
		rule.Say(openAndBusy, int64(open), int64(k.peakBusy)))
}

// bookChurn books connections that were never used.
func (k *connectionCount) bookChurn(d rule.Desk) {
	proof := rule.Shows(k.unusedAt, report.SideUnknown, closedUnused)
	k.book(d, "churn", k.unusedConn, proof, rule.Say(unusedOf, int64(k.unused), int64(k.conns)))
}

// book books what one frame of a connection shows of all.
func (k *connectionCount) book(d rule.Desk, cause string, conn int, proof rule.Evidence,
	said rule.Said) {
	at := proof.Mark.Time
	d.Book(k.conn.Subject(), &rule.Claim{
		Rule:       parallelConnectionsRule,
		Cause:      cause,
		Confidence: report.ConfidenceHigh,
		Most:       rule.AtMost(report.Info),
		Says:       []rule.Said{said},
		Occ: rule.Occurrence{
			Connection: conn,
			Exchange:   -1,
			Start:      at,
			End:        at,
			Proof:      []rule.Evidence{proof},
		},
	})
}

// knownPair reports whether an exchange between the pair has been judged.
func knownPair(d rule.Desk, p report.Pair) bool {
	_, known := d.Pair(p)
	return known
}
