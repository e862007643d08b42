package analysis

import (
	"fmt"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
)

const (
	// smallestPool and largestPool bound what counts as a limit of a pool: browsers 6, many clients
	// 2 to 10.
	smallestPool, largestPool = 2, 10
	// refillsEach is how often each connection must be taken again at once: fewer may be chance.
	refillsEach = 5
	keptTargets = 256
)

var poolWait = &Detector{
	Name:  "pool-wait",
	Title: "requests seem to wait for a free connection",
	Doc: `What happens
A client's pool allows only so many connections to one host. Further requests wait inside the client until one is free, which
no packet shows.

How it is recognised
Only suspected: two to ten connections are all busy, and as soon as a response is complete (2 ms, or a tenth of the round trip, and the way to the client and back)
the next request goes out on its connection, five times on each and more, and the requests are for different things: programs
that measure repeat the same.

How cost is counted
Unknown: how long a request had been wanted is not visible. At least nothing, at most as long as the exchanges before.

When it is wrong
A program that works through a list with as many workers looks the same, and is meant so.`,
	Causes: []report.Cause{{Side: report.SideClient,
		Message: "All of a small number of connections are busy, and each is taken again the moment it is free: requests seem to wait " +
			"for connections.",
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
		}}},
	References: []string{"RFC 9112 section 9.4"},
	cross:      func() crossRule { return &poolWaits{} },
}

// poolWaits looks for pools that are always full.
type poolWaits struct{ pairs pairTable[fullPool] }

// fullPool is the connections of one client to one service.
type fullPool struct {
	open, busy int
	short      time.Duration        // since when not all were busy, valid while that is so
	refills    [largestPool + 1]int // by the number of connections
	wait       [largestPool + 1]time.Duration
	targets    map[string]bool
	samples    []claim
	member     *member
}

func (r *poolWaits) event(_ *judge, m *member, e *event) {
	switch data := e.data.(type) {
	case *beganExchange:
		if p := r.pairs.of(m.pair, e.at); p != nil {
			p.began(m, data)
		}
	case *overExchange:
		if p := r.pairs.has(m.pair); p != nil {
			if p.busy == p.open {
				p.short = data.end.Time
			}
			p.busy = max(0, p.busy-1)
		}
		m.took = data.end.Time - m.beganAt
	case *closingConn, *overConn:
		if p := r.pairs.has(m.pair); p != nil && m.inPool {
			p.open, m.inPool = max(0, p.open-1), false
		}
	}
}

// began takes note of a request, and whether it took the last free connection the moment that
// became free.
func (p *fullPool) began(m *member, e *beganExchange) {
	p.busy++
	start := e.start.Time - e.far // as if captured at the client, where it follows the response
	if e.first {
		p.open++
		m.inPool = true
	}
	last, took := m.idleSince, m.took
	slack := max(2*time.Millisecond, m.rtt/10)
	m.beganAt = e.start.Time
	if e.first || e.turn || p.open < smallestPool || p.open > largestPool || m.served == 0 ||
		p.busy != p.open &&
			start-p.short > slack || start-last.Time > slack || e.start.Time < last.Time {
		return
	}
	if p.targets == nil {
		p.targets = map[string]bool{}
	}
	if len(p.targets) < keptTargets {
		p.targets[e.target] = true
	}
	p.refills[p.open]++
	p.wait[p.open] += took
	p.member = m
	p.samples = keepSample(p.samples, poolSample(m, last, e.start, took))
}

// poolSample is one request that took a connection at once.
func poolSample(m *member, last, next capture.Mark, took time.Duration) claim {
	return claim{rule: "pool-wait", confidence: report.ConfidenceMedium, most: atMost(report.Info),
		occ: report.Occurrence{
			Connection: m.id,
			Exchange:   -1,
			Start:      last.Time,
			End:        next.Time,
			Cost:       report.Cost{Low: 0, Expected: 0, High: max(took, 0)},
			Evidence: []report.Evidence{
				at(last, "end of response", report.SideServer, "the connection is free"),
				at(
					next,
					"next request",
					report.SideClient,
					fmt.Sprintf("%s later", seconds(next.Time-last.Time)),
				),
			},
		}}
}

func (r *poolWaits) finish(j *judge) {
	if !j.enabled("pool-wait") {
		return
	}
	r.pairs.each(func(_ report.Pair, p *fullPool) {
		for k := smallestPool; k <= largestPool; k++ {
			n := p.refills[k]
			if n < refillsEach*k || len(p.targets)*2 < min(n, keptTargets) {
				continue
			}
			for i := range p.samples {
				p.samples[i].text = fmt.Sprintf(
					"%d connections, taken again at once %d times.",
					k,
					n,
				)
			}
			bookSamples(
				j,
				p.member,
				p.samples,
				n,
				report.Cost{Low: 0, Expected: 0, High: p.wait[k]},
			)
			return
		}
	})
}
