package analysis

import (
	"context"
	"errors"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"tcpwhy/analysis/internal/judge"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/capture/sockets"
	"tcpwhy/reassembly"
)

const (
	// segments handed to a worker at once: handing over costs more than the work on one
	batchItems = 512
	batchBytes = 256 << 10 // payload octets in a batch
	maxWorkers = 256       // more cost memory and hand less to each
	// segments between two settlements with the judge; bounds what events wait for it
	epochItems = 1 << 14
	// exchanges that workers have judged since, beyond which the judge reads, too: a segment of
	// HTTP/2 may hold more than a hundred, and each is larger than many segments
	epochJudged = 1 << 13
	// segments that a connection counts for beside its own: its events are larger than theirs
	connItems = 7
)

// op is what a worker is to do with an item.
type op uint8

const (
	opAdd    op = iota // apply the segment
	opClose            // the connection will get no more segments
	opSettle           // hand on what silence has settled
	opEpoch            // hand the events to the judge
	opEnd              // the same, but only because the capture ended
)

// item is one piece of work for one worker.
type item struct {
	op   op
	dir  reassembly.Dir
	conn *reassembly.Conn
	// how far the capture has come; of opSettle, the moment to settle up to; of opClose, when
	now time.Duration
	seg capture.Segment
}

// batch carries items and the octets their payloads point to. It is reused.
type batch struct {
	items   []item
	data    []byte
	secrets *reassembly.Secrets // known before the first of the items
}

// add appends the segment, with a copy of its payload.
func (b *batch) add(
	c *reassembly.Conn,
	dir reassembly.Dir,
	now time.Duration,
	seg *capture.Segment,
) {
	b.items = append(b.items, item{op: opAdd, dir: dir, conn: c, now: now, seg: *seg})
	if len(seg.Payload) == 0 {
		return
	}
	from := len(b.data)
	b.data = append(b.data, seg.Payload...)
	b.items[len(b.items)-1].seg.Payload = b.data[from:len(b.data):len(b.data)]
}

// full reports whether another segment should wait for the next batch. Data never outgrows its
// capacity by more than one payload, so that appending does not move octets that items point to: an
// item keeps the array it was cut from.
func (b *batch) full() bool {
	return len(b.items) >= batchItems || len(b.data) >= batchBytes
}

// pipeline is one reader, several workers, and one judge, each a goroutine. The judge reads what
// the workers tell of one epoch while they work on the next.
type pipeline struct {
	table   *reassembly.Table
	workers []*worker
	fill    []*batch // being filled, by worker
	spare   sync.Pool
	running sync.WaitGroup // the workers
	judge   *judge.Judge
	sockets *sockets.Watch // nil: nobody is asked about them
	keys    *KeyLog
	beside  *reassembly.Secrets // what is known of keys
	secrets *reassembly.Secrets // the same, and what the capture held
	logs    int                 // how many key logs of the capture are in secrets
	gaps    int                 // how many gaps of the capture the table knows of
	since   int                 // segments since the last epoch
	judged  atomic.Int64        // exchanges that workers have judged since, about
	// how far the capture has come: the latest time of a frame of the input of the latest segment,
	// up to that. Inputs are merged by it, so that it never decreases, and of no segment does it
	// depend on other inputs, or on what a filter leaves of its own.
	now    time.Duration
	epochs chan epoch    // for the judge
	over   chan struct{} // closed once the judge has read the last epoch
	span   Span
	until  time.Duration // where reading ends; 0: not known yet
	enough bool          // it ended there
	noted  *noted        // for a part; nil: nothing is
}

// epoch is what the judge is to read: what every worker tells next.
type epoch struct {
	until   time.Duration // what comes later waits for the next
	evicted uint64        // open connections given up so far
	views   uint64        // connections left out so far because they are others seen again
	quoted  uint64        // ICMP errors so far about connections that had not been seen
	names   reassembly.NamesTally
	quic    reassembly.QUICTally
	done    chan struct{} // closed when it has been read; nil: nobody waits
}

// newPipeline starts the workers.
func newPipeline(o *options, rules []*rule.Detector) *pipeline {
	n := o.workers
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	p := &pipeline{
		table:  reassembly.NewTable(o.limits.table()),
		judge:  judge.New(o.judged(), detectors(), rules),
		epochs: make(chan epoch, 1),
		over:   make(chan struct{}),
	}
	p.judge.Hooks, p.span, p.keys, p.sockets = o.hooks, o.span, o.keys, o.sockets
	if o.partial != nil {
		p.noted = &noted{talks: map[judge.Hosts]uint64{}}
	}
	if o.showNames {
		p.table.KeepNames()
	}
	p.spare.New = func() any {
		return &batch{
			items: make([]item, 0, batchItems),
			data:  make([]byte, 0, batchBytes+batchBytes/4),
		}
	}
	for range min(n, maxWorkers) {
		w := newWorker(rules, o.limits.tracker())
		w.trace, w.graphs, w.judged, w.panics = o.trace, o.graphs, &p.judged, o.panics
		w.sockets = o.sockets
		if o.keys != nil && o.keys.Grows() {
			w.tracker.AwaitSecrets()
		}
		p.workers = append(p.workers, w)
		p.fill = append(p.fill, p.spare.Get().(*batch))
		p.running.Go(func() { w.run(&p.spare) })
	}
	go p.judgeAll()
	return p
}

// read hands the whole source to the workers. The error is that of the source, nil at its end, or
// that of the context.
func (p *pipeline) read(ctx context.Context, src capture.Source) error {
	defer p.finish()
	var seg capture.Segment
	for n := 0; ; n++ {
		if n%batchItems == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		err := src.Next(&seg)
		if err == capture.ErrTick {
			p.tick(src)
			n = -1 // ticks are seldom: the context is looked at after each
			continue
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		st := src.Stats()
		if p.ended(st, &seg) {
			p.enough = true
			return nil
		}
		p.learn(st.Secrets)
		p.interrupted(st.Gaps)
		p.take(&seg)
	}
}

// ended reports whether a segment lies behind the part that is to be read. With the first one, it
// is known where that is.
func (p *pipeline) ended(st *capture.Stats, seg *capture.Segment) bool {
	if p.until == 0 {
		p.judge.From, p.until = p.span.within(st)
	}
	return seg.Time > p.until
}

// learn takes what has become known of secrets before the segment in hand: by key logs that the
// capture held, and by those beside it. Every worker knows of them from the same segment on,
// however many there are: what was assigned before goes first.
func (p *pipeline) learn(logs [][]byte) {
	var beside *reassembly.Secrets
	if p.keys != nil {
		beside = p.keys.Secrets()
	}
	if len(logs) == p.logs && beside == p.beside {
		return
	}
	if beside != p.beside {
		p.beside, p.secrets, p.logs = beside, beside, 0
	}
	for _, log := range logs[p.logs:] {
		p.secrets = p.secrets.With(log)
	}
	p.logs = len(logs)
	for w, b := range p.fill {
		if len(b.items) > 0 {
			p.flush(w)
		}
		p.fill[w].secrets = p.secrets
	}
}

// interrupted tells the table of stretches in which the whole capture had nothing, before the
// segment in hand: what a filter leaves of it does not tell.
func (p *pipeline) interrupted(gaps []capture.Gap) {
	for ; p.gaps < len(gaps); p.gaps++ {
		p.table.Gap(gaps[p.gaps].From, gaps[p.gaps].To)
	}
}

// take assigns one segment to its connection and so to its worker.
func (p *pipeline) take(seg *capture.Segment) {
	p.now = max(p.now, seg.Time, seg.Latest)
	if seg.Kind == capture.Datagram {
		p.table.Datagram(seg)
		return
	}
	c, dir, fresh := p.table.Assign(seg, p.now)
	p.closeOver()
	if p.noted != nil && p.table.Connections() > len(p.noted.begun) {
		p.noted.begun = append(p.noted.begun, judge.Begun{Latest: p.now, First: seg.Frame})
	}
	if c == nil || c.View {
		return
	}
	w := c.ID % len(p.workers)
	p.fill[w].add(c, dir, p.now, seg)
	if p.fill[w].full() {
		p.flush(w)
	}
	if c := p.table.Finished(); c != nil {
		p.send(c, item{op: opClose, conn: c, now: p.now})
	}
	if fresh {
		p.since += connItems
		if p.sockets != nil {
			p.sockets.Opened(c.Client, c.Server)
		}
	}
	if p.since++; p.since >= epochItems || p.judged.Load() >= epochJudged {
		p.epoch(p.now)
	}
}

// closeOver tells workers of connections that are over.
func (p *pipeline) closeOver() {
	for c, at, captureEnd := p.table.Over(); c != nil; c, at, captureEnd = p.table.Over() {
		it := item{op: opClose, conn: c, now: at}
		if captureEnd {
			it.op, it.now = opEnd, at+endGrace
		}
		p.send(c, it)
	}
}

// send adds an item without a segment to the batch of the worker that owns c.
func (p *pipeline) send(c *reassembly.Conn, it item) {
	if c.View {
		return
	}
	w := c.ID % len(p.workers)
	p.fill[w].items = append(p.fill[w].items, it)
	if p.fill[w].full() {
		p.flush(w)
	}
}

// flush hands a worker the batch that was filled for it.
func (p *pipeline) flush(w int) {
	p.workers[w].in <- p.fill[w]
	p.fill[w] = p.spare.Get().(*batch)
	p.fill[w].secrets = p.secrets
}

// epoch makes every worker hand its events to the judge. It comes after a fixed number of segments,
// so that the judge sees the same events together however many workers there are.
//
// Events after the given moment wait for the next epoch: what others do before them may still be to
// come. So the judge sees the same order wherever the epochs end, and a live capture gives the
// report that its frames give from a file.
func (p *pipeline) epoch(until time.Duration) {
	p.settle(until)
	for w := range p.workers {
		p.fill[w].items = append(p.fill[w].items, item{op: opEpoch})
		p.flush(w)
	}
	p.since = 0
	p.judged.Store(0)
	e := epoch{until: until, evicted: p.table.Evicted(), views: p.table.Views(),
		quoted: p.table.Quoted(), names: p.table.Names(p.now),
		quic: p.table.QUIC()}
	if p.judge.Hooks.Any() {
		e.done = make(chan struct{}) // hooks are told between segments
	}
	p.epochs <- e
	if e.done != nil {
		<-e.done
	}
}

// judgeAll lets the judge read epoch after epoch, each in the order of time.
func (p *pipeline) judgeAll() {
	defer close(p.over)
	// of the epoch in hand and what waits for the next, and room for that; used again
	events, room := &rule.Batch{}, &rule.Batch{}
	for e := range p.epochs {
		for _, w := range p.workers {
			told := <-w.out
			events.Append(told)
			told.Empty()
			select {
			case w.back <- told:
			default:
			}
		}
		p.judge.Crowd.Evicted, p.judge.Total.Views = e.evicted, e.views
		p.judge.Total.Quoted, p.judge.Total.Names = e.quoted, e.names
		p.judge.Total.QUIC = e.quic
		events.Sort()
		n := events.Due(e.until)
		if p.noted != nil {
			p.noted.read(events, n)
		}
		p.judge.Read(events, n)
		p.judge.Advance(e.until)
		events.Rest(n, room)
		if e.done != nil {
			close(e.done)
		}
	}
}

// finish closes every connection, and ends the workers and the judge.
func (p *pipeline) finish() {
	if p.sockets != nil {
		p.sockets.Finish()
	}
	p.settle(report.EndOfTime)
	p.table.Finish(p.now)
	p.closeOver()
	p.epoch(report.EndOfTime)
	for _, w := range p.workers {
		close(w.in)
	}
	close(p.epochs)
	<-p.over
	p.judge.Total.Keys = p.secrets.Tally()
	p.running.Wait()
}
