package transfer

import (
	"cmp"
	"slices"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

const (
	// residualQueue is what active queue management leaves of a queue: its target (RFC 8289 §4.1: 5
	// ms).
	residualQueue = 5 * time.Millisecond
	// maxFillings and maxQueued are how many transfers that filled a client's path are remembered
	// to be shown, and how many of its exchanges that waited in a queue nobody is known to have
	// filled so far; maxQueuedAll is that of all clients, beyond which those that are older than
	// pairSilence go. maxBusy is how many stretches of time are; beyond it neighbours become one.
	maxFillings  = 64
	maxQueued    = 256
	maxQueuedAll = 1 << 14
	maxBusy      = 1024
)

// paths follows, by client, which transfers kept the path busy, and which exchanges of other
// connections waited behind them meanwhile.
type paths struct {
	policed policedPaths // what passed no faster than the path let it
	// by the client's address alone: all its servers are behind the same access
	clients rule.PairTable[clientPath]
	held    int           // exchanges that wait, of all clients
	expired time.Duration // when the old ones of them were last forgotten
}

// clientPath is the path to and from one client.
type clientPath struct {
	ways [2]pathWay // by the direction of what filled it
	full []filling  // what filled it, latest last
	late []queued   // exchanges that waited in a queue of which nothing else is known so far
}

// pathWay is one direction of a path.
type pathWay struct {
	busy []report.Interval // when it was full: apart, and in order
	// what a queue can have held up anything: no sender has more under way than a receive window
	deep time.Duration
}

// pathOf is where a client's paths are kept.
func pathOf(p report.Pair) report.Pair { return report.Pair{Client: p.Client} }

// judged takes note of an exchange that filled the path of its client, or waited in a queue.
func (p *paths) judged(d rule.Desk, m *rule.Conn, job *rule.Judged) {
	if f, ok := fills(job, m); ok {
		if c := p.of(m.Pair, job.Until); c != nil {
			p.filled(d, c, f)
		}
		return
	}
	q, ok := queuedBehind(d, m, job)
	if !ok {
		return
	}
	c := p.of(m.Pair, job.Until)
	if c == nil || c.tell(d, &q) {
		return
	}
	p.keep(c, q, job.Until)
}

// of is the path of a pair's client, made if need be; nil if there are too many.
func (p *paths) of(of report.Pair, now time.Duration) *clientPath {
	if p.clients.Gone == nil {
		p.clients.Most = rule.MaxPaths
		p.clients.Gone = func(c *clientPath) { p.held -= len(c.late) }
	}
	return p.clients.Of(pathOf(of), now)
}

// keep remembers an exchange that waited in a queue until it is known who filled that.
func (p *paths) keep(c *clientPath, q queued, now time.Duration) {
	if len(c.late) == maxQueued {
		c.late = slices.Delete(c.late, 0, 1)
		p.held--
	}
	if p.held >= maxQueuedAll && now-p.expired >= rule.PairSilence {
		p.expire(now)
	}
	if p.held < maxQueuedAll {
		c.late = append(c.late, q)
		p.held++
	}
}

// expire forgets the exchanges that waited long ago.
func (p *paths) expire(now time.Duration) {
	p.expired = now
	for c := range p.clients.All() {
		n := len(c.late)
		c.late = slices.DeleteFunc(c.late,
			func(q queued) bool { return now-q.To > rule.PairSilence })
		p.held -= n - len(c.late)
	}
}

// filled takes note of what filled the path, and tells what waited behind it.
func (p *paths) filled(d rule.Desk, c *clientPath, f filling) {
	w := &c.ways[f.dir]
	w.deep = max(w.deep, f.most)
	if w.busy = report.Union(append(w.busy, f.Interval)); len(w.busy) > maxBusy {
		w.busy = coarser(w.busy)
	}
	if len(c.full) == maxFillings {
		c.full = slices.Delete(c.full, 0, 1)
	}
	c.full = append(c.full, f)
	n := len(c.late)
	c.late = slices.DeleteFunc(c.late, func(q queued) bool { return c.tell(d, &q) })
	p.held -= n - len(c.late)
}

// coarser makes one of every two neighbours.
func coarser(all []report.Interval) []report.Interval {
	out := all[:0]
	for i := 0; i < len(all); i += 2 {
		out = append(out, report.Interval{From: all[i].From, To: all[min(i+1, len(all)-1)].To})
	}
	return out
}

// mayHold reports whether a queue may have held up by so much what passed the client's path in
// direction dir in the stretch of time.
func (p *paths) mayHold(of report.Pair, dir reassembly.Dir, span report.Interval,
	delay time.Duration) bool {
	c := p.clients.Has(pathOf(of))
	if c == nil || delay > c.ways[dir].deep {
		return false
	}
	return c.ways[dir].full(span)
}

// full reports whether the way was full at any time in the stretch.
func (w *pathWay) full(span report.Interval) bool {
	i, _ := slices.BinarySearchFunc(w.busy, span.From,
		func(k report.Interval, from time.Duration) int { return cmp.Compare(k.To, from) })
	return i < len(w.busy) && w.busy[i].From < span.To
}

// behind is the transfer of another connection that filled the path while the exchange waited.
func (c *clientPath) behind(q *queued) *filling {
	about := report.Interval{From: q.began - q.rtt, To: q.began + q.rtt}
	if q.throughout > 0 && !c.ways[reassembly.FromClient].full(about) &&
		!c.ways[reassembly.FromServer].full(about) {
		return nil // it began while the path was free: its round trips are as long as its way
	}
	for i := len(c.full) - 1; i >= 0; i-- {
		f := &c.full[i]
		way := f.dir == reassembly.FromClient && q.upward ||
			f.dir == reassembly.FromServer && q.downward
		if f.shown && q.throughout > f.longest()+ledger.QueueShows {
			continue // no queue that it met was as long
		}
		if f.octets < largerTimes*q.octets[f.dir] {
			continue // it is as large itself
		}
		if way && f.conn != q.conn && f.From < q.To && q.From < f.To {
			return f
		}
	}
	return nil
}
