package ledger

import (
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// maxUndecided is how many exchanges of one connection may wait until it is certain whether its
// Nagle holds are real: evidence for or against is nearly always complete after a handful.
const maxUndecided = 32

// Exchange is the ledger of one exchange.
type Exchange struct {
	Index   int // of the exchange within its connection
	Parsed  *reassembly.Exchange
	From    time.Duration // T0: the moment at which the client needed the connection
	Until   time.Duration // T1; valid once over
	over    bool
	settled bool
	Behind  report.Interval // waiting for the response before, on a pipelined connection
	// the longest that the server took for one of the responses before, itself
	Slowest  time.Duration
	Times    [report.LabelCount]time.Duration
	Holds    []Hold        // that may be Nagle's, not yet certain
	Held     []SettledHold // that were Nagle's, the first maxHolds
	Lone     []SettledHold // that the connection alone could not prove
	Waits    []Wait        // the longest waits, for rules that look at single ones
	shortest time.Duration // the least length of those to come; 0: any
	Rounds   []Round
	Line     pieceLine // its time in order, coarsely
	Critical bool      // its request waited for the set-up of the connection
	Doubtful bool      // it seems so: it left a little later than at once
	Flow     Flow
	Up       *Flow // the same of the request, if that is larger than an initial window
	UpRounds []Round
	UpTimes  transferTimes // the part of times that the request took
	// not answered in full when this one began: the request was pipelined
	Ahead  *reassembly.Exchange
	Notice CloseNotice // the close that had been announced when it began
	// ConnStart is the first segment of its connection, whose SYN it is if the handshake was seen.
	ConnStart capture.Mark
	Traced    bool // the trace shows it
	// Forgotten says that the way may have forgotten its connection: nothing of the request was
	// ever acknowledged.
	Forgotten bool
}

// Flow is what the transfer of a response showed of its sender.
type Flow struct {
	Bytes    int64         // of the response, header included
	Mss      int64         // effective
	Initial  int64         // octets of the first round
	Window   int64         // the receive window in force at the end
	Rtt      time.Duration // least round trip between client and server
	Measured time.Duration // the response's first octet to its last
	Largest  int64         // octets of the largest response before on the connection
	Flight   int64         // the most that was in flight on the connection so far
	Rate     float64       // octets per second that the path carries; 0: not known
	Rwnd     bound
	Idle     Idle
	Stamped  bool          // the pace of the sender's timestamp clock is known
	Queue    time.Duration // the most by which round trips grew above the least
	Pieces   [2]pieces     // by direction
}

// Connection is a worker's state about one connection.
type Connection struct {
	Conn    *reassembly.Conn
	clock   Clock
	Walk    walker
	jobs    []*Exchange // oldest first; open, or waiting to be decided
	Times   [report.LabelCount]time.Duration
	nagle   [2]nagleCount
	tail    [2]tailCount
	holding int // holds of all jobs that are not yet certain, about
	// octets of the largest message so far, by direction; of requests, only of large ones
	largest     [2]int64
	LargePassed [2]bool // by direction: a full segment arrived
	Ended       bool
	Last        *reassembly.Exchange // the latest that is over
	reusable    bool                 // that one left the connection fit for another request
	Names       Names
	Ending      Ending  // what rules about failures and closes need
	Trace       *tracer // nil unless the connection is to be traced
}

// Names are what the service called itself or was called.
type Names struct {
	host string
	// User-Agent, Server, X-Powered-By, Via of the request and of the response, as last seen
	said     [5]string
	Products report.Products
}

// Begin makes s the state of c. What room s had is used again.
func (s *Connection) Begin(c *reassembly.Conn, clock Clock) {
	jobs, send := s.jobs[:0], s.Walk.Send
	*s = Connection{Conn: c, clock: clock, jobs: jobs}
	s.Walk.init(s)
	for dir := range send {
		s.Walk.Send[dir].reuse(&send[dir])
	}
}

// Pair is the client and the service that the connection joins.
func (s *Connection) Pair() report.Pair {
	return report.Pair{Client: s.Conn.Client.Addr(), Server: s.Conn.Server}
}

// Open begins j, the ledger of x.
func (s *Connection) Open(j *Exchange, x *reassembly.Exchange) {
	j.Parsed, j.Index, j.From, j.ConnStart = x, x.Index, x.Start().Time, s.Conn.Start
	if x.Index == 0 {
		j.Critical, j.Doubtful = s.criticalSetup(x)
		if j.Critical {
			j.From = s.Conn.Start.Time
		}
	}
	j.Notice = s.Ending.Notice
	if n := len(s.jobs); n > 0 && !s.jobs[n-1].over {
		j.Ahead = s.jobs[n-1].Parsed
		j.Behind.From = j.From
	}
	s.jobs = append(s.jobs, j)
	s.Trace.open(j)
}

// Over ends the ledger of an exchange: nothing more belongs to it.
func (s *Connection) Over(j *Exchange) {
	x := j.Parsed
	j.over = true
	j.Until = max(s.Conn.End.Time, j.From)
	// Of what the server sends the capture may show nothing at all: then an exchange has no end but
	// that of its request.
	unheard := x.Outcome == reassembly.Incomplete &&
		s.Conn.Half[reassembly.FromServer].Segments == 0
	if x.Outcome == reassembly.Complete || x.Outcome == reassembly.Upgraded || unheard {
		j.Until = max(x.End().Time, x.Start().Time, j.From)
	}
	if x.Outcome == reassembly.Complete && endsByClose(x) {
		// the client knows of the end when the FIN comes (RFC 9112 §6.3)
		j.Until = max(j.Until, s.Conn.End.Time)
	}
	s.Ending.take(s, j)
	s.Last = x
	s.reusable = Reusable(x)
	s.closeBehind(j)
}

// endsByClose reports whether only the close of the connection ends x's response.
func endsByClose(x *reassembly.Exchange) bool {
	return x != nil && !x.Turn && x.Response != nil && x.Response.Framing == reassembly.ByClose
}

// closeBehind ends the wait of the exchange after j for j's response.
func (s *Connection) closeBehind(j *Exchange) {
	for _, k := range s.jobs {
		if k.Index == j.Index+1 && k.Behind.From > 0 && k.Parsed.Request != nil {
			k.Behind = report.Interval{From: k.Parsed.Request.End.Time, To: j.Parsed.End().Time}
			k.Slowest = s.longestAhead(j)
		}
	}
}

// DrawUp completes the ledger of an exchange.
func (s *Connection) DrawUp(j *Exchange) {
	j.Until = max(j.Until, s.delivered(j.Parsed))
	s.Walk.To(s.recordAfter(j))
	s.Walk.flush(j.Until)
	s.measure(j)
}

// Settle marks the ledger of an exchange as drawn up.
func (s *Connection) Settle(j *Exchange) {
	j.settled = true
	s.note(j.Parsed)
}

// note remembers what the service is called.
func (s *Connection) note(x *reassembly.Exchange) {
	if x.Host != "" {
		s.Names.host = x.Host
	}
	s.NoteProducts(x)
}

// UnreadFacts are those of a message whose header was not read as it was sent.
const UnreadFacts = reassembly.HasGap | reassembly.Resynced | reassembly.BadHeader

// NoteProducts remembers which programs the two ends say that they are. A proxy is the end of this
// connection, though the fields of the programs behind it pass through: Via tells.
func (s *Connection) NoteProducts(x *reassembly.Exchange) {
	n := &s.Names
	if r := x.Request; r != nil && !x.Turn && x.Agent == "" && x.RequestVia == "" &&
		r.Facts&UnreadFacts == 0 {
		// it could have said who it is
		n.Products.Client = n.Products.Client.With(report.UnknownProduct)
	}
	said := [...]string{x.Agent, x.Software, x.Powered, x.RequestVia, x.ResponseVia}
	if said == n.said {
		return
	}
	n.said = said
	p := &n.Products
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

// Ready takes the exchanges whose labels are certain off the list, and tells how many they are:
// those that are settled and hold no undecided Nagle hold, and everything if all is set or too much
// waits.
func (s *Connection) Ready(all bool) int {
	if all || s.undecided() > maxUndecided {
		s.decideNagle()
	}
	n := 0
	for n < len(s.jobs) && s.jobs[n].settled && len(s.jobs[n].Holds) == 0 {
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
func (s *Connection) undecided() int {
	n := 0
	for _, j := range s.jobs {
		if j.settled {
			n++
		}
	}
	return n
}

// recordAfter is the absolute number of the record after the last one that belongs to j.
func (s *Connection) recordAfter(j *Exchange) int {
	c := s.Conn
	lo, hi := max(s.Walk.next-c.Released, 0), len(c.Records)
	for lo < hi {
		mid := (lo + hi) / 2
		if c.Records[mid].Time <= j.Until {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return c.Released + lo
}

// Reusable reports whether x left its connection fit for another request (RFC 9112 §9.3).
func Reusable(x *reassembly.Exchange) bool {
	if x.Outcome != reassembly.Complete || x.Response == nil || x.Turn {
		return x.Outcome == reassembly.Complete && x.Turn
	}
	return ReasonNotReusable(x) == ""
}

// ReasonNotReusable is the cause, in the words of missed-reuse, why the connection cannot carry
// another request after x; "" if it can. Who asked first is blamed: a server that echoes the
// client's close only obeys.
func ReasonNotReusable(x *reassembly.Exchange) string {
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
func (s *Connection) eps(dir reassembly.Dir) time.Duration {
	far := s.Conn.Far(dir)
	jitter := s.Conn.Half[dir].RTT.Jitter
	eps := max(300*time.Microsecond, 4*s.clock.Tick, far*6/100, 2*jitter)
	return min(eps, far/4+2*time.Millisecond)
}

// TookLeave is the close_notify of dir, if its peer knew it when it closed: then the close was
// dir's, whoever sent the first FIN (RFC 8446 §6.1).
func (s *Connection) TookLeave(dir reassembly.Dir) (capture.Mark, bool) {
	c, peer := s.Conn, dir.Peer()
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

// OpenExchanges is how many exchanges are not over.
func (s *Connection) OpenExchanges() int {
	n := 0
	for _, j := range s.jobs {
		if !j.over {
			n++
		}
	}
	return n
}

// Seen reports whether m names a frame.
func Seen(m capture.Mark) bool { return m.Frame != 0 }

// Clock is what is known of the clock that stamped a frame.
type Clock struct{ Tick time.Duration }
