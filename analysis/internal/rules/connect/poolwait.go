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
	// refillsLeast is how many requests must have been seen to wait: one may have waited for
	// something else.
	refillsLeast = 5
	// refillWithin is how soon after the response that is, at the client; or such a part of the
	// round trip, by which that varies (reasoning).
	refillWithin = 2 * time.Millisecond
	refillParts  = 10
	// keptArrivals is how many requests that came in to a host are remembered.
	keptArrivals = 64
)

const poolWaitRule = "pool-wait"

// PoolWait is the rule about requests that wait for a connection inside a proxy.
var PoolWait = &rule.Detector{Rule: report.Rule{
	Name:  poolWaitRule,
	Title: "requests wait in a proxy for a free connection",
	Doc: `What happens
A client's pool allows only so many connections to one host. Further requests wait inside the client
until one is free, which no packet of its own shows: a program that works through a list with as many
workers looks the same. Of a proxy the packets show it, where the capture has both of its sides.

How it is recognised
A GET or HEAD came in to the host that is the client here, and the same (method and target) went out
from it later, on one of two to ten connections that had all been busy since it came, as soon as that
had its response (2 ms, or a tenth of the round trip, and the way to the client and back); five times
and more.

How cost is counted
Expected and high: from the moment at which the request had come in, or all connections were busy, to
that at which one was free. Low: nothing, as a server that is asked more at once may answer later.

When it is wrong
A proxy with as many workers as connections waits for a worker. Silent: proxies that change targets,
requests with a body, captures of one side only.`,
	Causes: []report.Cause{
		{
			Side: report.SideClient,
			Message: "All of a small number of connections to this service were busy, and requests " +
				"that had come in to the proxy went on as soon as one of them was free.",
			Remedies: []report.Remedy{
				{
					Side:     report.SideClient,
					Text:     "raise the limit",
					Settings: report.PoolLimits(),
				},
				{
					Side: report.SideServer,
					Text: "answer sooner: each request occupies a connection",
				},
			},
		},
	},
	References: []string{"RFC 9112 section 9.4"},
},
	Rests: rule.Content | rule.Messages,
	Across: &rule.Comparison{
		Start:   func() rule.Across { return &poolWaits{conns: map[int]*pooled{}} },
		Wants:   rule.Wants(rule.ExchangeBegan, rule.ExchangeOver, rule.ConnClosing, rule.ConnOver),
		AtLeast: smallestPool,
		Late:    true,
	},
	Vocabulary: words,
}

// poolWaits looks for pools that are full while requests wait.
type poolWaits struct {
	pairs rule.PairTable[fullPool]
	hosts rule.PairTable[cameIn] // by the host to which requests came
	went  wentOn                 // of the request in hand
	conns map[int]*pooled        // by connection
}

// pooled is what is kept of a connection.
type pooled struct{ open bool } // it counts as open in its pool

// fullPool is the connections of one client to one service.
type fullPool struct {
	open, busy int
	short      time.Duration // since when not all were busy, valid while that is so
	full       time.Duration // since when all are, but for moments; valid while that is so
	waited     int
	wait       time.Duration
	samples    []rule.Claim
	conn       *rule.Conn // of the latest such request
}

// cameIn are requests that came in to a host and have not gone on, the earliest first.
type cameIn struct{ all []cameInRequest }

type cameInRequest struct {
	method, target string
	at             capture.Mark
	conn           int
}

// wentOn is the request that had come in, and goes on with the one in hand.
type wentOn struct {
	cameInRequest
	known bool
}

// add takes note of a request of which is known what it asks for; the earliest gives way.
func (c *cameIn) add(e *rule.Began, conn int) {
	if e.Target == "" {
		return
	}
	if len(c.all) == keptArrivals {
		c.all = append(c.all[:0], c.all[1:]...)
	}
	c.all = append(c.all, cameInRequest{e.Method, e.Target, e.Start, conn})
}

// take gives the earliest of the same request, for the last time; false if there is none.
func (c *cameIn) take(e *rule.Began) (cameInRequest, bool) {
	for i, r := range c.all {
		if r.method == e.Method && r.target == e.Target {
			c.all = append(c.all[:i], c.all[i+1:]...)
			return r, true
		}
	}
	return cameInRequest{}, false
}

// Number makes pairs have the numbers that others have for them.
func (r *poolWaits) Number(n *rule.PairNumbers) {
	r.pairs.By(n)
	r.hosts.By(n)
}

// Hear takes note of requests that come in to a host, and go on.
func (r *poolWaits) Hear(_ rule.Desk, c *rule.Conn, t *rule.Told) {
	r.went = wentOn{}
	if t.Kind != rule.ExchangeBegan {
		return
	}
	e := t.Began()
	if e.Multiplexed || e.Turn || e.Method != "GET" && e.Method != "HEAD" {
		return
	}
	if h := r.hosts.Has(rule.Alone(c.Pair.Client)); h != nil {
		r.went.cameInRequest, r.went.known = h.take(e)
	}
	if h := r.hosts.Of(rule.Alone(c.Pair.Server.Addr()), t.At); h != nil {
		h.add(e, c.Id)
	}
}

// Event takes note of connections that become busy, and free.
func (r *poolWaits) Event(_ rule.Desk, c *rule.Conn, e *rule.Told) {
	switch e.Kind {
	case rule.ExchangeBegan:
		if b := e.Began(); !b.Multiplexed { // a stream needs no connection of its own
			r.began(c, b, e.At)
		}
	case rule.ExchangeOver:
		data := e.Over()
		if p := r.pairs.Has(c.Pair); p != nil && !data.Multiplexed {
			if p.busy == p.open {
				p.short = data.End.Time
			}
			p.busy = max(0, p.busy-1)
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

// began takes note of a request, of whether it took the last free connection the moment that became
// free, and of whether it had come in to its client before.
func (r *poolWaits) began(c *rule.Conn, e *rule.Began, now time.Duration) {
	p := r.pairs.Of(c.Pair, now)
	if p == nil {
		return
	}
	p.busy++
	if e.First {
		p.open++
		r.of(c).open = true
	}
	free := c.IdleSince.Time
	if refilled := p.refilled(c, e); refilled && r.went.known {
		p.take(c, e.Start, r.went.cameInRequest, free-max(r.went.at.Time, p.full))
	} else if !refilled && p.busy == p.open {
		p.full = e.Start.Time
	}
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

// take takes in a request that had waited so long for the connection that it took.
func (p *fullPool) take(c *rule.Conn, next capture.Mark, came cameInRequest, wait time.Duration) {
	if wait < rule.Noticeable {
		return
	}
	p.waited++
	p.wait += wait
	p.conn = c
	last := c.IdleSince
	p.samples = keepSample(p.samples, rule.Claim{
		Rule:       poolWaitRule,
		Confidence: report.ConfidenceMedium,
		Most:       rule.AtMost(report.Low),
		Occ: rule.Occurrence{
			Connection: c.Id,
			Exchange:   -1,
			Start:      last.Time - wait,
			End:        next.Time,
			Cost:       report.Cost{Low: 0, Expected: wait, High: wait},
			Elsewhere:  true,
			Proof: []rule.Evidence{
				rule.Shows(came.at, report.SideClient, cameInBefore, int64(came.conn)),
				rule.Shows(last, report.SideServer, connectionFree),
				rule.Shows(next, report.SideClient, nextRequest, rule.Ns(next.Time-last.Time)),
			},
		},
	})
}

// Finish books the pools for which requests waited.
func (r *poolWaits) Finish(d rule.Desk) {
	if !d.Enabled(poolWaitRule) {
		return
	}
	r.pairs.Each(func(_ report.Pair, p *fullPool) {
		if p.waited < refillsLeast {
			return
		}
		total := report.Cost{Low: 0, Expected: p.wait, High: p.wait}
		d.BookMany(p.conn.Subject(), p.samples, p.waited, total)
	})
}
