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
)

var ConnectCost = &rule.Detector{
	Name:  "connect-cost",
	Rests: rule.Connection,
	Title: "setting up connections takes much of the time",
	Doc: `What happens
Each connection costs a round trip for TCP and one or two for TLS before the first request. Where
many are needed at the same time, no connection that lay idle could have served instead, but one
that carries several requests at once could.

How it is recognised
More than six connections between the same client and service whose first request waited for the
set-up, although no other connection could have been used (that would be missed-reuse), and none of
these requests repeats one that had failed, and set-ups are 10 % or more of all time of the
exchanges.

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
	Across: &rule.Comparison{
		Start: func() rule.Across { return &setups{} },
		Wants: rule.Wants(rule.ExchangeJudged),
	},
}

// setups adds up what critical set-ups cost that no reuse would have spared.
type setups struct{ pairs rule.PairTable[setupSum] }

type setupSum struct {
	n         int
	handshake time.Duration
	all       time.Duration
	samples   []rule.Claim
	conn      *rule.Conn // the latest
}

func (r *setups) Event(d rule.Desk, c *rule.Conn, e *rule.Event) {
	job := e.Judged()
	if job.Index != 0 || !job.Critical || c.Repeats || d.Standing().Has(rule.ColdSetup) {
		return
	}
	t := &job.Times
	hs, tls := t[report.TCPHandshake], t[report.TLSRTT]+t[report.TLSServer]+t[report.TLSClient]
	s := r.pairs.Of(c.Pair, e.At)
	if s == nil || hs+tls <= 0 {
		return
	}
	s.n++
	s.handshake += hs
	s.all += hs + tls
	s.conn = c
	cl := rule.Claim{
		Rule:       "connect-cost",
		Confidence: report.ConfidenceHigh,
		Most:       rule.AtMost(report.Info),
	}
	cl.Occ = rule.Occurrence{
		Connection: c.Id,
		Exchange:   job.Info.ID,
		Start:      job.From,
		End:        job.From + hs + tls,
		Cost:       report.Cost{Low: 0, Expected: hs, High: hs + tls},
		Evidence: []report.Evidence{
			rule.At(job.ConnStart, "SYN", report.SideClient, "asks for the connection"),
			rule.At(job.Parsed.Start(), "first request", report.SideClient, "had to wait for it"),
		},
	}
	s.samples = keepSample(s.samples, cl)
}

// keepSample keeps the costliest samples.
func keepSample(list []rule.Claim, c rule.Claim) []rule.Claim {
	i, _ := slices.BinarySearchFunc(list, c,
		func(a, b rule.Claim) int { return rule.CompareOccurrences(a.Occ, b.Occ) })
	if i >= keptSamples {
		return list
	}
	list = slices.Insert(list, i, c)
	return list[:min(len(list), keptSamples)]
}

func (r *setups) Finish(d rule.Desk) {
	if !d.Enabled("connect-cost") {
		return
	}
	r.pairs.Each(func(p report.Pair, s *setupSum) {
		total, known := d.Pair(p)
		if s.n <= ordinaryConnections || !known || s.all*100 < total.Time*connectShare {
			return
		}
		d.BookMany(s.conn.Subject(), s.samples, s.n,
			report.Cost{Low: 0, Expected: s.handshake, High: s.all})
	})
}
