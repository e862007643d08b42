package analysis

import (
	"slices"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// maxUndecided is how many exchanges of one connection may wait until it is certain whether its
// Nagle holds are real: evidence for or against is nearly always complete after a handful.
const maxUndecided = 32

// job is the ledger of one exchange.
type job struct {
	index   int // of the exchange within its connection
	x       *reassembly.Exchange
	from    time.Duration // T0: the moment at which the client needed the connection
	until   time.Duration // T1; valid once over
	over    bool
	settled bool
	behind  report.Interval // waiting for the response before, on a pipelined connection
	// the longest that the server took for one of the responses before, itself
	slowest  time.Duration
	times    [report.LabelCount]time.Duration
	holds    []hold        // that may be Nagle's, not yet certain
	held     []held        // that were Nagle's, the first maxHolds
	lone     []held        // that the connection alone could not prove
	slices   []slice       // the longest waits, for rules that look at single ones
	shortest time.Duration // the least length of those to come; 0: any
	rounds   []round
	line     pieceLine // its time in order, coarsely
	critical bool      // its request waited for the set-up of the connection
	doubtful bool      // it seems so: it left a little later than at once
	flow     flowFacts
	up       *flowFacts // the same of the request, if that is larger than an initial window
	upRounds []round
	upTimes  transferTimes // the part of times that the request took
	// not answered in full when this one began: the request was pipelined
	ahead  *reassembly.Exchange
	notice closeNotice // the close that had been announced when it began
	// connStart is the first segment of its connection, whose SYN it is if the handshake was seen.
	connStart capture.Mark
	traced    bool // the trace shows it
	// forgotten says that the way may have forgotten its connection: nothing of the request was
	// ever acknowledged.
	forgotten bool
}

// flowFacts is what the transfer of a response showed of its sender.
type flowFacts struct {
	bytes    int64         // of the response, header included
	mss      int64         // effective
	initial  int64         // octets of the first round
	window   int64         // the receive window in force at the end
	rtt      time.Duration // least round trip between client and server
	measured time.Duration // the response's first octet to its last
	largest  int64         // octets of the largest response before on the connection
	flight   int64         // the most that was in flight on the connection so far
	rate     float64       // octets per second that the path carries; 0: not known
	rwnd     bound
	idle     idle
	stamped  bool          // the pace of the sender's timestamp clock is known
	queue    time.Duration // the most by which round trips grew above the least
	pieces   [2]pieces     // by direction
}

// connState is a worker's state about one connection.
type connState struct {
	conn    *reassembly.Conn
	clock   clockInfo
	walk    walker
	jobs    []*job // oldest first; open, or waiting to be decided
	times   [report.LabelCount]time.Duration
	nagle   [2]nagleCount
	tail    [2]tailCount
	holding int // holds of all jobs that are not yet certain, about
	// octets of the largest message so far, by direction; of requests, only of large ones
	largest     [2]int64
	largePassed [2]bool // by direction: a full segment arrived
	ended       bool
	last        *reassembly.Exchange // the latest that is over
	before      time.Duration        // end of the latest exchange that is over
	reusable    bool                 // that one left the connection fit for another request
	done        int                  // exchanges settled
	names       names
	ending      ending  // what rules about failures and closes need
	trace       *tracer // nil unless the connection is to be traced
}

// names are what the service called itself or was called.
type names struct {
	host string
	// User-Agent, Server, X-Powered-By, Via of the request and of the response, as last seen
	said     [5]string
	products report.Products
}

// begin makes s the state of c. What room s had is used again.
func (s *connState) begin(c *reassembly.Conn, clock clockInfo) {
	jobs, send := s.jobs[:0], s.walk.send
	*s = connState{conn: c, clock: clock, jobs: jobs}
	s.walk.init(s)
	for dir := range send {
		s.walk.send[dir].reuse(&send[dir])
	}
}

// pair is the client and the service that the connection joins.
func (s *connState) pair() report.Pair {
	return report.Pair{Client: s.conn.Client.Addr(), Server: s.conn.Server}
}

// open begins j, the ledger of x.
func (s *connState) open(j *job, x *reassembly.Exchange) {
	j.x, j.index, j.from, j.connStart = x, x.Index, x.Start().Time, s.conn.Start
	if x.Index == 0 {
		j.critical, j.doubtful = s.criticalSetup(x)
		if j.critical {
			j.from = s.conn.Start.Time
		}
	}
	j.notice = s.ending.notice
	if n := len(s.jobs); n > 0 && !s.jobs[n-1].over {
		j.ahead = s.jobs[n-1].x
		j.behind.From = j.from
	}
	s.jobs = append(s.jobs, j)
	s.trace.open(j)
}

// over ends the ledger of x: nothing more belongs to it.
func (s *connState) over(x *reassembly.Exchange) {
	j := s.job(x)
	if j == nil {
		return
	}
	j.over = true
	j.until = max(s.conn.End.Time, j.from)
	// Of what the server sends the capture may show nothing at all: then an exchange has no end but
	// that of its request.
	unheard := x.Outcome == reassembly.Incomplete &&
		s.conn.Half[reassembly.FromServer].Segments == 0
	if x.Outcome == reassembly.Complete || x.Outcome == reassembly.Upgraded || unheard {
		j.until = max(x.End().Time, x.Start().Time, j.from)
	}
	if x.Outcome == reassembly.Complete && endsByClose(x) {
		// the client knows of the end when the FIN comes (RFC 9112 §6.3)
		j.until = max(j.until, s.conn.End.Time)
	}
	s.ending.take(s, x)
	s.last, s.before = x, j.until
	s.reusable = reusable(x)
	s.closeBehind(x)
}

// endsByClose reports whether only the close of the connection ends x's response.
func endsByClose(x *reassembly.Exchange) bool {
	return x != nil && !x.Turn && x.Response != nil && x.Response.Framing == reassembly.ByClose
}

// closeBehind ends the wait of the exchange after x for x's response.
func (s *connState) closeBehind(x *reassembly.Exchange) {
	for _, k := range s.jobs {
		if k.x.Index == x.Index+1 && k.behind.From > 0 && k.x.Request != nil {
			k.behind = report.Interval{From: k.x.Request.End.Time, To: x.End().Time}
			k.slowest = s.longestAhead(x)
		}
	}
}

// job is the ledger of x; nil if it has been delivered.
func (s *connState) job(x *reassembly.Exchange) *job {
	for _, j := range s.jobs {
		if j.x == x {
			return j
		}
	}
	return nil
}

// drawUp completes the ledger of x.
func (s *connState) drawUp(x *reassembly.Exchange) {
	j := s.job(x)
	if j == nil {
		return
	}
	j.until = max(j.until, s.delivered(x))
	s.walk.to(s.recordAfter(x))
	s.walk.flush(j.until)
	s.measure(j)
}

// settle marks the ledger of x as drawn up.
func (s *connState) settle(x *reassembly.Exchange) {
	if j := s.job(x); j != nil {
		j.settled = true
	}
	s.done++
	s.note(x)
}

// note remembers what the service is called.
func (s *connState) note(x *reassembly.Exchange) {
	if x.Host != "" {
		s.names.host = x.Host
	}
	s.noteProducts(x)
}

// unreadFacts are those of a message whose header was not read as it was sent.
const unreadFacts = reassembly.HasGap | reassembly.Resynced | reassembly.BadHeader

// noteProducts remembers which programs the two ends say that they are. A proxy is the end of this
// connection, though the fields of the programs behind it pass through: Via tells.
func (s *connState) noteProducts(x *reassembly.Exchange) {
	n := &s.names
	if r := x.Request; r != nil && !x.Turn && x.Agent == "" && x.RequestVia == "" &&
		r.Facts&unreadFacts == 0 {
		// it could have said who it is
		n.products.Client = n.products.Client.With(report.UnknownProduct)
	}
	said := [...]string{x.Agent, x.Software, x.Powered, x.RequestVia, x.ResponseVia}
	if said == n.said {
		return
	}
	n.said = said
	p := &n.products
	if x.RequestVia != "" {
		p.Proxy = p.Proxy.With(report.ProductOf(x.RequestVia))
		p.Client = p.Client.With(report.ProductOf(x.RequestVia))
	} else if x.Agent != "" {
		p.Client = p.Client.With(report.ProductOf(x.Agent))
	}
	switch {
	case x.ResponseVia != "":
		p.Proxy = p.Proxy.With(report.ProductOf(x.ResponseVia))
		p.Server = p.Server.With(report.ProductOf(x.ResponseVia))
	default:
		for _, field := range said[1:3] {
			if field != "" {
				p.Server = p.Server.With(report.ProductOf(field))
			}
		}
	}
}

// ready takes the exchanges whose labels are certain off the list, and tells how many they are: those
// that are settled and hold no undecided Nagle hold, and everything if all is set or too much waits.
func (s *connState) ready(all bool) int {
	if all || s.undecided() > maxUndecided {
		s.decideNagle()
	}
	n := 0
	for n < len(s.jobs) && s.jobs[n].settled && len(s.jobs[n].holds) == 0 {
		n++
	}
	if all {
		n = len(s.jobs)
	}
	rest := copy(s.jobs, s.jobs[n:])
	clear(s.jobs[rest:])
	s.jobs = s.jobs[:rest]
	return n
}

// undecided is how many settled exchanges wait.
func (s *connState) undecided() int {
	n := 0
	for _, j := range s.jobs {
		if j.settled {
			n++
		}
	}
	return n
}

// recordAfter is the absolute number of the record after the last one that belongs to x.
func (s *connState) recordAfter(x *reassembly.Exchange) int {
	c := s.conn
	j := s.job(x)
	if j == nil {
		return s.walk.next
	}
	lo, hi := max(s.walk.next-c.Released, 0), len(c.Records)
	for lo < hi {
		mid := (lo + hi) / 2
		if c.Records[mid].Time <= j.until {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return c.Released + lo
}

// reusable reports whether x left its connection fit for another request (RFC 9112 §9.3).
func reusable(x *reassembly.Exchange) bool {
	if x.Outcome != reassembly.Complete || x.Response == nil || x.Turn {
		return x.Outcome == reassembly.Complete && x.Turn
	}
	return reasonNotReusable(x) == ""
}

// reasonNotReusable is the cause, in the words of missed-reuse, why the connection cannot carry
// another request after x; "" if it can. Who asked first is blamed: a server that echoes the
// client's close only obeys.
func reasonNotReusable(x *reassembly.Exchange) string {
	var req reassembly.Facts
	if x.Request != nil {
		req = x.Request.Facts
	}
	resp := x.Response.Facts
	old := x.Version == "HTTP/1.0" || x.Version == "HTTP/0.9"
	switch {
	case req.Has(reassembly.ConnClose):
		return "request-close"
	case old && !req.Has(reassembly.ConnKeepAlive):
		return "http10"
	case resp.Has(reassembly.ConnClose):
		return "response-close"
	case x.Response.Framing == reassembly.ByClose && x.ResponseVersion == "HTTP/1.0":
		return "http10"
	case x.Response.Framing == reassembly.ByClose:
		return "close-delimited"
	case x.ResponseVersion == "HTTP/1.0" && !resp.Has(reassembly.ConnKeepAlive):
		return "http10"
	}
	return ""
}

// eps is the tolerance for "at once" of what dir sends: how late a kernel that reacts to a segment
// may seem to be. It covers the kernel's own delay, the clock's tick and the path's jitter: Linux
// reacts within 10 to 70 µs, within 300 µs under load (measured).
func (s *connState) eps(dir reassembly.Dir) time.Duration {
	far := s.conn.Far(dir)
	jitter := s.conn.Half[dir].RTT.Jitter
	eps := max(300*time.Microsecond, 4*s.clock.tick, far*6/100, 2*jitter)
	return min(eps, far/4+2*time.Millisecond)
}

// began is the judge's event for x.
func (s *followed) began(x *reassembly.Exchange, room *slab[beganExchange]) *beganExchange {
	c := s.conn
	e := room.take()
	*e = beganExchange{pair: s.pair(), first: x.Index == 0, connStart: c.Start, start: x.Start(),
		handshake: len(c.SYNs) > 0, secure: c.TLS != nil, name: x.Host, method: x.Method,
		target: x.Target, agent: x.Agent, turn: x.Turn, port: c.Client.Port()}
	if c.TLS != nil {
		e.name = c.TLS.SNI
	}
	e.far, e.rtt = c.Far(reassembly.FromClient), c.RTTMin()
	if x.Request != nil {
		e.facts = x.Request.Facts
	}
	if j := s.job(x); j != nil {
		e.need, e.critical = j.from, j.critical
	}
	return e
}

// overEvent is the judge's event for the end of x.
func (s *followed) overEvent(x *reassembly.Exchange, room *slab[overExchange]) *overExchange {
	e := room.take()
	*e = overExchange{end: x.End(), outcome: x.Outcome, reusable: reusable(x), turn: x.Turn,
		foreign:   s.conn.Protocol == reassembly.ProtoUnknown && !asks(s.conn),
		idleLimit: time.Duration(x.KeepAliveTimeout) * time.Second, notKept: x.NotKept}
	if x.Response != nil && !x.Turn {
		e.reason = reasonNotReusable(x)
		e.asked10 = x.Version == "HTTP/1.0" || x.Version == "HTTP/0.9"
		e.doubt = x.Response.Facts.Has(reassembly.Resynced) ||
			slices.Contains(s.conn.Caveats, reassembly.CaveatHTTPGap)
	}
	e.gap = s.lacking()
	if x.Response != nil {
		e.bytes = x.Response.To - x.Response.From
	}
	if x == s.ending.failed {
		e.failure = s.failure
	}
	s.noteProducts(x)
	e.products = s.names.products
	return e
}

// overConn is the judge's event for the end of the connection.
func (s *followed) overConn(ended bool, room *slab[overConn]) *overConn {
	c := s.conn
	e := room.take()
	*e = overConn{
		pair:  s.pair(),
		at:    c.FirstCloseAt,
		by:    c.FirstClose,
		reset: c.ClosedByRST,
		ended: ended,
	}
	weaken(s.conn, s.claims)
	e.info = s.connInfo()
	e.claims, e.refusal = s.claims, s.refusal
	e.names = s.names
	e.trace = s.trace.done()
	e.nagle = s.tally()
	e.delacks = [2][]time.Duration{s.walk.send[1].delacks, s.walk.send[0].delacks}
	e.missing = c.Half[0].Missing + c.Half[1].Missing
	e.midStream = c.MidStream
	e.established = c.State != reassembly.Connecting && c.State != reassembly.Refused &&
		len(c.SYNACKs) > 0
	return e
}

// closing is the judge's event for the first FIN or RST.
func (s *followed) closing() *closingConn {
	c := s.conn
	e := &closingConn{
		at:    c.FirstCloseAt,
		by:    c.FirstClose,
		fin:   c.FirstClose,
		reset: c.ClosedByRST,
		open:  s.openCount() > 0,
		gap:   s.lacking() || s.lackTold,
		again: s.lackTold,
		abort: c.ClosedByRST && c.FirstClose == reassembly.FromClient &&
			c.Half[reassembly.FromClient].RstActive,
	}
	if at, ok := s.tookLeave(c.FirstClose.Peer()); ok {
		e.at, e.by, e.alert = at, c.FirstClose.Peer(), true
	}
	return e
}

// tookLeave is the close_notify of dir, if its peer knew it when it closed: then the close was
// dir's, whoever sent the first FIN (RFC 8446 §6.1).
func (s *connState) tookLeave(dir reassembly.Dir) (capture.Mark, bool) {
	c, peer := s.conn, dir.Peer()
	if c.TLS == nil || !c.TLS.CloseNotify[dir] || c.FirstClose != peer ||
		dir == reassembly.FromClient && c.ClosedByRST {
		return capture.Mark{}, false
	}
	at, left := c.TLS.CloseNotifyAt[dir], c.FirstCloseAt
	if c.TLS.CloseNotify[peer] {
		left = c.TLS.CloseNotifyAt[peer]
	}
	return at, at.Time+c.Far(peer) <= left.Time+s.eps(peer)
}

// openCount is how many exchanges are not over.
func (s *connState) openCount() int {
	n := 0
	for _, j := range s.jobs {
		if !j.over {
			n++
		}
	}
	return n
}

// mark0 reports whether m names a frame.
func mark0(m capture.Mark) bool { return m.Frame != 0 }
