package analysis

import (
	"sync"
	"sync/atomic"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/capture/sockets"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// maxSpare is how many states of finished connections a worker keeps for new ones.
const maxSpare = 1024

// worker follows the connections that belong to it: it is the Sink of its Tracker. It keeps no
// connection in view of another; what must be compared goes to the judge as events.
type worker struct {
	in      chan *batch
	out     chan *rule.Batch
	back    chan *rule.Batch // handed over and read: room for more
	tracker *reassembly.Tracker
	rules   looks
	events  *rule.Batch
	now     time.Duration          // of the item in hand
	tick    time.Duration          // of the clock that stamped its segment; 0: not known, or none
	spare   []*tracked             // of connections that are over
	drafts  []*rule.Draft          // of exchanges that were delivered, for others
	pass    rule.Pass              // of the rules at work
	trace   *report.TraceOf        // what is to be traced; nil: nothing
	graphs  map[int]report.GraphOf // connections that are to be shown, by number
	panics  bool                   // of this program are not caught
	sockets sockets.Witness        // nil: nobody is asked about them
	judged  *atomic.Int64          // exchanges that all workers have judged since the last epoch; nil: not asked
}

// looks are the rules, by what they look at.
type looks struct{ exchange, certain, period, closed []*rule.Detector }

// looksOf sorts rules by what they look at.
func looksOf(rules []*rule.Detector) (l looks) {
	for _, r := range rules {
		add := func(all *[]*rule.Detector, does bool) {
			if does {
				*all = append(*all, r)
			}
		}
		add(&l.exchange, r.Exchange != nil)
		add(&l.certain, r.Certain != nil)
		add(&l.period, r.Period != nil)
		add(&l.closed, r.Closed != nil)
	}
	return l
}

// newWorker makes a worker; run must be started.
func newWorker(rules []*rule.Detector, limits reassembly.TrackerLimits) *worker {
	w := &worker{
		in:     make(chan *batch, 4),
		out:    make(chan *rule.Batch, 1),
		back:   make(chan *rule.Batch, 2),
		rules:  looksOf(rules),
		events: &rule.Batch{},
	}
	w.tracker = reassembly.NewTracker(w, limits)
	return w
}

// run works off batches until there are no more.
func (w *worker) run(spare *sync.Pool) {
	for b := range w.in {
		w.tracker.SetSecrets(b.secrets)
		w.work(b.items)
		b.items, b.data, b.secrets = b.items[:0], b.data[:0], nil
		spare.Put(b)
	}
}

// do works off one item.
func (w *worker) do(it *item) {
	w.now, w.tick = it.now, time.Duration(it.seg.Tick)
	if isFenced(it.conn) {
		return
	}
	switch it.op {
	case opAdd:
		if s, ok := it.conn.User.(*tracked); ok {
			s.Stamped(w.tick)
		}
		w.tracker.Add(it.conn, it.dir, &it.seg)
		w.directed(it.conn)
		if it.seg.Flags&(capture.FIN|capture.RST) != 0 {
			w.closing(it.conn)
		}
	case opClose:
		w.tracker.SettleOne(it.conn, it.now)
		w.tracker.Close(it.conn, false)
	case opEnd:
		w.tracker.Close(it.conn, true)
	case opSettle:
		w.tracker.Settle(it.now)
	case opEpoch:
		w.out <- w.events
		select {
		case w.events = <-w.back:
		default:
			w.events = &rule.Batch{}
		}
	}
}

// closing tells the judge, once, that the connection will carry no further request, and what its
// end shows that was not known then.
func (w *worker) closing(c *reassembly.Conn) {
	s := w.state(c)
	if !ledger.Seen(c.FirstCloseAt) {
		return
	}
	if !s.told {
		s.told = true
		w.events.TellClosing(w.event(c, 0), s.closing())
	} else if !s.lackTold && !ledger.Whole(c) {
		s.lackTold = true
		w.tellEnd(c, rule.ConnLacks)
	}
	if !s.harmTold && ledger.ResetHarmed(c) {
		s.harmTold = true
		w.tellEnd(c, rule.ConnHarmed)
	}
}

// directed tells the judge what a server of HTTP/2 says of the use of its connection, when that
// changes.
func (w *worker) directed(c *reassembly.Conn) {
	if c.HTTP2 == nil {
		return
	}
	s := w.state(c)
	if d := rule.DirectedBy(c); d != s.directed {
		s.directed = d
		w.events.TellDirected(w.event(c, 0), d)
	}
}

// tellEnd tells the judge something of the end of c that has no numbers.
func (w *worker) tellEnd(c *reassembly.Conn, k rule.EventKind) {
	e := w.event(c, 0)
	e.Kind = k
	w.events.Tell(e)
}

// event is an event of c. Its moment is when it became known, in the time of the capture, which no
// batch or epoch changes.
func (w *worker) event(c *reassembly.Conn, index int) rule.Event {
	at := w.now
	if m := w.tracker.Moment(); m >= 0 {
		at = m
	}
	// A connection's events stay in order where its clock is behind that of others.
	told := &w.state(c).toldAt
	at = max(at, *told)
	*told = at
	return rule.Event{At: at, Conn: uint32(c.ID), Index: uint32(index)}
}

// draft is an empty draft.
func (w *worker) draft() *rule.Draft {
	n := len(w.drafts)
	if n == 0 {
		return &rule.Draft{}
	}
	d := w.drafts[n-1]
	w.drafts = w.drafts[:n-1]
	return d
}

// count counts an exchange that was judged.
func (w *worker) count() {
	if w.judged != nil {
		w.judged.Add(1)
	}
}

// state is the worker's state about c, made at the first call.
func (w *worker) state(c *reassembly.Conn) *tracked {
	if s, ok := c.User.(*tracked); ok {
		return s
	}
	var s *tracked
	if n := len(w.spare); n > 0 {
		s, w.spare = w.spare[n-1], w.spare[:n-1]
	} else {
		s = new(tracked)
	}
	s.begin(c)
	s.Stamped(w.tick)
	if w.trace != nil && w.trace.Connection == c.ID {
		s.StartTrace(*w.trace)
	}
	if of, wanted := w.graphs[c.ID]; wanted {
		s.StartGraph(of)
	}
	c.User = s
	return s
}

// Began tells the judge that a request is on its way. Of an attempt it is told when that is over.
func (w *worker) Began(c *reassembly.Conn, x *exchange.Exchange) {
	s := w.state(c)
	d := w.draft()
	s.drafts = append(s.drafts, d)
	s.Open(&d.Exchange, x)
	if x.Attempt != nil {
		return
	}
	w.events.TellBegan(w.event(c, x.Index), s.began(d))
}

// Over tells the judge that the connection has become free again, or never will.
func (w *worker) Over(c *reassembly.Conn, x *exchange.Exchange) {
	s := w.state(c)
	s.Over(&s.draft(x).Exchange)
	if x.Attempt != nil {
		return
	}
	if w.sockets != nil {
		w.sockets.Sample(c.Client, c.Server)
	}
	w.events.TellOver(w.event(c, x.Index), s.overEvent(x))
}

// look is what rules see of a connection, and of an exchange if d is not nil, until the next call.
func (w *worker) look(c *reassembly.Conn, s *tracked, d *rule.Draft) *rule.Pass {
	w.pass = rule.Pass{State: &s.Followed, Conn: c, Draft: d}
	if d != nil {
		w.pass.Exchange = d.Parsed
	}
	return &w.pass
}

// Exchange draws up the ledger of x and lets the rules look at it.
func (w *worker) Exchange(c *reassembly.Conn, x *exchange.Exchange) {
	s := w.state(c)
	d := s.draft(x)
	s.DrawUp(&d.Exchange)
	shown := rule.SignsOf(&s.Followed, d)
	s.Shown |= shown
	p := w.look(c, s, d)
	for _, r := range w.rules.exchange {
		if r.Speaks(shown) && r.LooksAt(d) {
			p.Words = r.Vocabulary
			r.Exchange(p)
		}
	}
	s.Settle(&d.Exchange)
	w.periods(c, s)
	w.deliver(c, s, false)
}

// Release draws up the ledger as far as records are about to go.
func (w *worker) Release(c *reassembly.Conn, n int) {
	s := w.state(c)
	s.DrawUpTo(n)
	w.periods(c, s)
	s.Connection.Release(n)
}

// periods lets the rules look at the busy periods that are over, while their records are there.
func (w *worker) periods(c *reassembly.Conn, s *tracked) {
	for _, b := range s.Periods() {
		d := &rule.Draft{Exchange: b.Exchange}
		p := w.look(c, s, d)
		for _, r := range w.rules.period {
			if d.Alone() {
				p.Words = r.Vocabulary
				r.Period(p)
			}
		}
		if len(d.Claims) > 0 {
			judged := s.period(d, b.Carried)
			w.events.TellPeriod(w.event(c, d.Index), &judged)
		}
	}
}

// Closed finishes the connection's own ledger and lets the rules look at the connection as a whole.
func (w *worker) Closed(c *reassembly.Conn, ended bool) {
	s := w.state(c)
	s.Close()
	w.periods(c, s)
	shown := rule.SignsOfEnd(&s.Followed)
	p := w.look(c, s, nil)
	for _, d := range w.rules.closed {
		if d.Speaks(shown) {
			p.Words = d.Vocabulary
			d.Closed(p)
		}
	}
	w.deliver(c, s, true)
	e := s.overConn(ended)
	if w.sockets != nil {
		own(e.Info, c, w.sockets.Take(c.Client, c.Server))
		e.Attested = s.Attest(&e.Info.Ends)
	}
	w.events.TellGone(w.event(c, 0), e)
	c.User = nil
	if len(w.spare) < maxSpare {
		w.spare = append(w.spare, s)
	}
}

// deliver hands exchanges whose labels are certain to the judge: all of them once the connection is
// over.
func (w *worker) deliver(c *reassembly.Conn, s *tracked, all bool) {
	for _, d := range s.deliverable(all) {
		p := w.look(c, s, d)
		for _, r := range w.rules.certain {
			if r.LooksAt(d) {
				p.Words = r.Vocabulary
				r.Certain(p)
			}
		}
		s.fill(d)
		judged := s.judged(d)
		if e := w.event(c, d.Index); d.Parsed.Attempt != nil {
			w.events.TellAttempt(e, s.began(d), &judged)
		} else {
			w.events.TellJudged(e, &judged)
			w.count()
		}
		if !d.Traced && len(w.drafts) < maxSpare { // the trace looks at its ledger until the end
			d.Empty()
			w.drafts = append(w.drafts, d)
		}
	}
}
