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

// follower is one reader and several workers, each a goroutine, and one more that takes what the
// workers tell of one epoch while they work on the next.
type follower struct {
	table   *reassembly.Table
	workers []*worker
	fill    []*batch // being filled, by worker
	spare   sync.Pool
	running sync.WaitGroup  // the workers
	sockets sockets.Witness // nil: nobody is asked about them
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
	epochs chan epoch    // that are to be taken
	over   chan struct{} // closed once the last one has been
	span   Span
	begins func(from time.Duration) // is told from when on it is counted, before all else
	ticked func(liveSource)         // is told that time has passed; nil: nobody is
	until  time.Duration            // where reading ends; 0: not known yet
	enough bool                     // it ended there
	waits  bool                     // reading waits until an epoch has been taken
	begun  *[]judge.Begun           // the connections, in their order; nil: they are not noted
}

// epoch is what is to be taken: what every worker tells next.
type epoch struct {
	until   time.Duration // what comes later waits for the next
	counted counted
	done    chan struct{} // closed when it has been taken; nil: nobody waits
}

// newFollower starts the workers. What they tell is appended to events, which take is told of after
// each epoch.
func newFollower(
	o *options, rules []*rule.Detector, events *rule.Batch, take func(e *epoch),
) *follower {
	n := o.workers
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	p := &follower{
		table:  reassembly.NewTable(o.limits.table()),
		epochs: make(chan epoch, 1),
		over:   make(chan struct{}),
	}
	p.span, p.keys, p.sockets = o.span, o.keys, o.sockets
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
	go p.gather(events, take)
	return p
}

// read hands the whole source to the workers. The error is that of the source, nil at its end, or
// that of the context.
func (p *follower) read(ctx context.Context, src capture.Source) error {
	defer p.finish()
	var seg capture.Segment
	for n := 0; ; n++ {
		if n%batchItems == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		err := src.Next(&seg)
		if err == capture.ErrTick {
			p.passed(src)
			n = -1 // ticks are seldom: the context is looked at after each
			continue
		}
		if errors.Is(err, io.EOF) {
			// where nothing was handed out any more, the capture went on, too
			p.interrupted(src.Stats().Gaps)
			p.now = max(p.now, src.Stats().End)
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
func (p *follower) ended(st *capture.Stats, seg *capture.Segment) bool {
	if p.until == 0 {
		var from time.Duration
		from, p.until = p.span.within(st)
		if p.begins != nil {
			p.begins(from)
		}
	}
	return seg.Time > p.until
}

// learn takes what has become known of secrets before the segment in hand: by key logs that the
// capture held, and by those beside it. Every worker knows of them from the same segment on,
// however many there are: what was assigned before goes first.
func (p *follower) learn(logs [][]byte) {
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
func (p *follower) interrupted(gaps []capture.Gap) {
	for ; p.gaps < len(gaps); p.gaps++ {
		p.table.Gap(gaps[p.gaps].From, gaps[p.gaps].To)
	}
}

// take assigns one segment to its connection and so to its worker.
func (p *follower) take(seg *capture.Segment) {
	p.now = max(p.now, seg.Time, seg.Latest)
	if seg.Kind == capture.Datagram {
		p.table.Datagram(seg)
		return
	}
	c, dir, fresh := p.table.Assign(seg, p.now)
	p.closeOver()
	if p.begun != nil && p.table.Connections() > len(*p.begun) {
		*p.begun = append(*p.begun, judge.Begun{Latest: p.now, First: seg.Frame})
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
func (p *follower) closeOver() {
	for c, at, captureEnd := p.table.Over(); c != nil; c, at, captureEnd = p.table.Over() {
		it := item{op: opClose, conn: c, now: at}
		if captureEnd {
			it.op, it.now = opEnd, at+endGrace
		}
		p.send(c, it)
	}
}

// send adds an item without a segment to the batch of the worker that owns c.
func (p *follower) send(c *reassembly.Conn, it item) {
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
func (p *follower) flush(w int) {
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
func (p *follower) epoch(until time.Duration) {
	p.settle(until)
	for w := range p.workers {
		p.fill[w].items = append(p.fill[w].items, item{op: opEpoch})
		p.flush(w)
	}
	p.since = 0
	p.judged.Store(0)
	e := epoch{until: until, counted: counted{
		p.table.Evicted(), p.table.Views(), p.table.Quoted(), p.table.Names(p.now), p.table.QUIC(),
	}}
	if p.waits {
		e.done = make(chan struct{}) // hooks are told between segments
	}
	p.epochs <- e
	if e.done != nil {
		<-e.done
	}
}

// gather appends what workers tell of epoch after epoch.
func (p *follower) gather(events *rule.Batch, take func(e *epoch)) {
	defer close(p.over)
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
		take(&e)
		if e.done != nil {
			close(e.done)
		}
	}
}

// finish closes every connection, and ends the workers and who takes what they tell.
func (p *follower) finish() {
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
	p.running.Wait()
}
