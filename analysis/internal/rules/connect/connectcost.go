package connect

import (
	"slices"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

const (
	// ordinaryConnections is how many connections a browser opens to one host: that many are no
	// finding.
	ordinaryConnections = 6
	// connectShare is which part of all time set-ups must take, in percent: less is the price of
	// opening a connection now and then.
	connectShare = 10
	// keptSamples is how many occurrences a rule keeps of a pair until the end.
	keptSamples = 10
	// maxFirst is how many connections of a pair are followed at a time until their first exchange
	// has been judged.
	maxFirst = 1024
	// keptEnds is how many ends of exchanges are remembered of a pair.
	keptEnds = 64
)

const connectCostRule = "connect-cost"

// ConnectCost is the rule about what connections cost that had to be opened.
var ConnectCost = &rule.Detector{Rule: report.Rule{
	Name:  connectCostRule,
	Title: "setting up connections takes much of the time",
	Doc: `What happens
Each connection costs a round trip for TCP and one or two for TLS before the first request. Where
many are needed at the same time, no connection that lay idle could have served instead, but one
that carries several requests at once could. Connections one after the other are not meant: what
ended them is missed-reuse, or a fault.

How it is recognised
More than six connections between the same client and service whose first request waited for the
set-up, while a request on another of them was under way, and more than six at some moment, although
no other connection could have been used (that would be missed-reuse), and none of these requests
repeats one that had failed, and set-ups are 10 % or more of all time of the exchanges.

How cost is counted
Low: nothing. Expected: the TCP handshakes. High: the whole set-up, TLS included. Repeated SYNs are
not counted here.

When it is wrong
It names a cost, not a fault: the connections may all be needed.`,
	Causes: []report.Cause{
		{
			Side: report.SideClient,
			Message: "Much of the time between this client and service goes into setting up " +
				"connections that were needed at the same time.",
			Remedies: []report.Remedy{
				{
					Side:     report.SideServer,
					Text:     "offer HTTP/2, where one connection carries all requests",
					Settings: report.Http2Settings(),
					HTTPOnly: true,
					Serial:   true,
					After: "TLS 1.3 and session tickets; TCP Fast Open (net.ipv4.tcp_fastopen=3 " +
						"on Linux)",
				},
				{
					Side: report.SideClient,
					Text: "open connections before they are needed (preconnect), or fewer of them",
				},
			},
		},
	},
	References: []string{"RFC 9113 section 9.1", "RFC 7413", "RFC 9112 section 9.4"},
},
	Rests: rule.Connection,
	Across: &rule.Comparison{
		Start:   func() rule.Across { return &setups{} },
		Wants:   rule.Wants(rule.ExchangeBegan, rule.ExchangeOver, rule.ExchangeJudged),
		AtLeast: ordinaryConnections + 1,
		Late:    true,
	},
	Vocabulary: words,
}

// setups adds up what critical set-ups cost that no reuse would have spared.
type setups struct{ pairs rule.PairTable[setupSum] }

// setupSum is that of one client and service.
type setupSum struct {
	n         int
	handshake time.Duration
	all       time.Duration
	samples   []rule.Claim
	conn      *rule.Conn // the latest
	busy      int        // exchanges under way
	peak      int        // the most at a time
	// when exchanges were over, the latest
	ended []time.Duration
	first []openSetup // connections whose SYN was seen and whose first exchange has not been judged
}

// openSetup is a connection, and whether another exchange was under way before its first was
// judged.
type openSetup struct {
	conn   int
	beside bool
}

// Number makes pairs have the numbers that others have for them.
func (r *setups) Number(n *rule.PairNumbers) { r.pairs.By(n) }

// Event takes note of exchanges at the same time, and adds the set-ups that such a one waited for.
func (r *setups) Event(d rule.Desk, c *rule.Conn, e *rule.Told) {
	s := r.pairs.Of(c.Pair, e.At)
	if s == nil {
		return
	}
	switch e.Kind {
	case rule.ExchangeBegan:
		s.began(c, e.Began())
	case rule.ExchangeOver:
		s.busy = max(0, s.busy-1)
		s.ended = appendLatest(s.ended, e.Over().End.Time, keptEnds)
	case rule.ExchangeJudged:
		s.judged(d, c, e.Judged())
	}
}

// began takes note of an exchange that begins, perhaps beside others: those that are under way, and
// those that were when its connection was needed. Seen at the server they may be over by then.
func (s *setupSum) began(c *rule.Conn, e *rule.Began) {
	others := s.busy
	for _, at := range s.ended {
		if at > e.Need {
			others++
		}
	}
	if others > 0 {
		for i := range s.first {
			s.first[i].beside = true
		}
	}
	if e.First && !e.LacksSYN && len(s.first) < maxFirst {
		s.first = append(s.first, openSetup{c.Id, others > 0})
	}
	s.busy++
	s.peak = max(s.peak, others+1)
}

// judged adds the set-up that the exchange waited for.
func (s *setupSum) judged(d rule.Desk, c *rule.Conn, x *rule.Judged) {
	at := slices.IndexFunc(s.first, func(f openSetup) bool { return f.conn == c.Id })
	together := at >= 0 && s.first[at].beside
	if x.Index == 0 && at >= 0 {
		s.first = slices.Delete(s.first, at, at+1)
	}
	if !together || x.Index != 0 || !x.Critical || c.Repeats || d.Standing().Has(rule.ColdSetup) {
		return
	}
	handshake := x.Times[report.TCPHandshake]
	all := setUpTime(x)
	if all <= 0 {
		return
	}
	s.n++
	s.handshake += handshake
	s.all += all
	s.conn = c
	s.samples = keepSample(s.samples, rule.Claim{
		Rule:       connectCostRule,
		Confidence: report.ConfidenceHigh,
		Most:       rule.AtMost(report.Info),
		Occ: rule.Occurrence{
			Connection: c.Id,
			Exchange:   x.Info.ID,
			Start:      x.ConnStart.Time,
			End:        x.ConnStart.Time + all,
			Cost:       report.Cost{Low: 0, Expected: handshake, High: all},
			Proof: []rule.Evidence{
				rule.Shows(x.ConnStart, report.SideClient, asksForConnection),
				rule.Shows(x.FirstOctet(), report.SideClient, hadToWait),
			},
		},
	})
}

// setUpTime is what it took to set up the connection of the exchange, with TLS.
func setUpTime(x *rule.Judged) time.Duration {
	t := &x.Times
	return t[report.TCPHandshake] + t[report.TLSRTT] + t[report.TLSServer] + t[report.TLSClient] +
		x.Flights
}

// keepSample keeps the costliest samples.
func keepSample(list []rule.Claim, c rule.Claim) []rule.Claim {
	i, _ := slices.BinarySearchFunc(list, c, func(a, b rule.Claim) int {
		return rule.CompareOccurrences(a.Occ, b.Occ)
	})
	if i >= keptSamples {
		return list
	}
	list = slices.Insert(list, i, c)
	return list[:min(len(list), keptSamples)]
}

// Finish books the pairs whose set-ups took much of the time.
func (r *setups) Finish(d rule.Desk) {
	if !d.Enabled(connectCostRule) {
		return
	}
	r.pairs.Each(func(p report.Pair, s *setupSum) {
		total, known := d.Pair(p)
		if min(s.n, s.peak) <= ordinaryConnections || !known ||
			s.all*100 < total.Time*connectShare {
			return
		}
		cost := report.Cost{Low: 0, Expected: s.handshake, High: s.all}
		d.BookMany(s.conn.Subject(), s.samples, s.n, cost)
	})
}
