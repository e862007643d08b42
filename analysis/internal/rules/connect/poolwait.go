package connect

import (
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
)

const (
	// smallestPool and largestPool bound what counts as a limit of a pool: browsers 6, many clients
	// 2 to 10.
	smallestPool, largestPool = 2, 10
	// refillsEach is how often each connection must be taken again at once: fewer may be chance.
	refillsEach = 5
	// refillWithin is how soon after the response that is, at the client; or such a part of the
	// round trip, by which that varies (reasoning).
	refillWithin = 2 * time.Millisecond
	refillParts  = 10
	// sameTargets is how many requests there may be for each target: programs that measure ask for
	// the same again and again (reasoning).
	sameTargets = 2
	keptTargets = 256
)

const poolWaitRule = "pool-wait"

// PoolWait is the rule about requests that seem to wait for a connection inside their client.
var PoolWait = &rule.Detector{Rule: report.Rule{
	Name:  poolWaitRule,
	Title: "requests seem to wait for a free connection",
	Doc: `What happens
A client's pool allows only so many connections to one host. Further requests wait inside the client
until one is free, which no packet shows.

How it is recognised
Only suspected: two to ten connections are all busy, and as soon as a response is complete (2 ms, or
a tenth of the round trip, and the way to the client and back) the next request goes out on its
connection, five times on each and more, and the requests are for different things: programs that
measure repeat the same.

How cost is counted
Unknown: how long a request had been wanted is not visible. At least nothing, at most as long as the
exchanges before.

When it is wrong
A program that works through a list with as many workers looks the same, and is meant so.`,
	Causes: []report.Cause{
		{
			Side: report.SideClient,
			Message: "All of a small number of connections are busy, and each is taken again the " +
				"moment it is free: requests seem to wait for connections.",
			Remedies: []report.Remedy{
				{
					Side:     report.SideClient,
					Text:     "use HTTP/2, or raise the limit",
					Settings: report.PoolLimits(),
				},
				{
					Side:     report.SideServer,
					Text:     "offer HTTP/2",
					Settings: report.Http2Settings(),
					After:    "need fewer requests",
				},
			},
		},
	},
	References: []string{"RFC 9112 section 9.4"},
},
	Rests: rule.Content,
	Across: &rule.Comparison{
		Start:   func() rule.Across { return &poolWaits{conns: map[int]*pooled{}} },
		Wants:   rule.Wants(rule.ExchangeBegan, rule.ExchangeOver, rule.ConnClosing, rule.ConnOver),
		AtLeast: smallestPool,
	},
	Vocabulary: words,
}

// poolWaits looks for pools that are always full.
type poolWaits struct {
	pairs rule.PairTable[fullPool]
	conns map[int]*pooled // by connection
}

// pooled is what is kept of a connection.
type pooled struct {
	open    bool          // it counts as open in its pool
	beganAt time.Duration // when the latest exchange began
	took    time.Duration // how long that took
}

// fullPool is the connections of one client to one service.
type fullPool struct {
	open, busy int
	short      time.Duration        // since when not all were busy, valid while that is so
	refills    [largestPool + 1]int // by the number of connections
	wait       [largestPool + 1]time.Duration
	targets    map[string]bool
	samples    []rule.Claim
	conn       *rule.Conn // of the latest such request
}

// Event takes note of connections that become busy, and free.
func (r *poolWaits) Event(_ rule.Desk, c *rule.Conn, e *rule.Told) {
	switch e.Kind {
	case rule.ExchangeBegan:
		if p := r.pairs.Of(c.Pair, e.At); p != nil {
			p.began(c, r.of(c), e.Began())
		}
	case rule.ExchangeOver:
		data := e.Over()
		if p := r.pairs.Has(c.Pair); p != nil {
			if p.busy == p.open {
				p.short = data.End.Time
			}
			p.busy = max(0, p.busy-1)
		}
		if m := r.conns[c.Id]; m != nil {
			m.took = data.End.Time - m.beganAt
		}
	case rule.ConnClosing, rule.ConnOver:
		m := r.conns[c.Id]
		if p := r.pairs.Has(c.Pair); p != nil && m != nil && m.open {
			p.open, m.open = max(0, p.open-1), false
		}
		if e.Kind == rule.ConnOver {
			delete(r.conns, c.Id)
		}
	}
}

// of is what is kept of a connection, from now on if nothing was.
func (r *poolWaits) of(c *rule.Conn) *pooled {
	m := r.conns[c.Id]
	if m == nil {
		m = new(pooled)
		r.conns[c.Id] = m
	}
	return m
}

// began takes note of a request, and whether it took the last free connection the moment that
// became free.
func (p *fullPool) began(c *rule.Conn, m *pooled, e *rule.Began) {
	p.busy++
	if e.First {
		p.open++
		m.open = true
	}
	took := m.took
	m.beganAt = e.Start.Time
	if !p.refilled(c, e) {
		return
	}
	if p.targets == nil {
		p.targets = map[string]bool{}
	}
	if len(p.targets) < keptTargets {
		p.targets[e.Target] = true
	}
	p.refills[p.open]++
	p.wait[p.open] += took
	p.conn = c
	p.samples = keepSample(p.samples, poolSample(c, e.Start, took))
}

// refilled reports whether the request took its connection as soon as that was free, while all
// others were busy, or had been until then.
func (p *fullPool) refilled(c *rule.Conn, e *rule.Began) bool {
	if e.First || e.Turn || p.open < smallestPool || p.open > largestPool || c.Served == 0 {
		return false
	}
	start := e.Start.Time - e.Far // as if captured at the client, where it follows the response
	slack := max(refillWithin, c.Rtt/refillParts)
	free := c.IdleSince.Time
	full := p.busy == p.open || start-p.short <= slack
	return full && start-free <= slack && e.Start.Time >= free
}

// poolSample is one request that took a connection at once.
func poolSample(c *rule.Conn, next capture.Mark, took time.Duration) rule.Claim {
	last := c.IdleSince
	return rule.Claim{
		Rule:       poolWaitRule,
		Confidence: report.ConfidenceMedium,
		Most:       rule.AtMost(report.Info),
		Occ: rule.Occurrence{
			Connection: c.Id,
			Exchange:   -1,
			Start:      last.Time,
			End:        next.Time,
			Cost:       report.Cost{Low: 0, Expected: 0, High: max(took, 0)},
			Proof: []rule.Evidence{
				rule.Shows(last, report.SideServer, connectionFree),
				rule.Shows(next, report.SideClient, nextRequest, rule.Ns(next.Time-last.Time)),
			},
		},
	}
}

// Finish books the pools that were always full.
func (r *poolWaits) Finish(d rule.Desk) {
	if !d.Enabled(poolWaitRule) {
		return
	}
	r.pairs.Each(func(_ report.Pair, p *fullPool) {
		for size := smallestPool; size <= largestPool; size++ {
			n := p.refills[size]
			if n >= refillsEach*size && len(p.targets)*sameTargets >= min(n, keptTargets) {
				p.book(d, size)
				return
			}
		}
	})
}

// book books the pool as one of that size.
func (p *fullPool) book(d rule.Desk, size int) {
	n := p.refills[size]
	says := []rule.Said{rule.Say(takenAgain, int64(size), int64(n))}
	for i := range p.samples {
		p.samples[i].Says = says
	}
	total := report.Cost{Low: 0, Expected: 0, High: p.wait[size]}
	d.BookMany(p.conn.Subject(), p.samples, n, total)
}
