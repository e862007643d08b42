package ledger

import (
	"time"

	"tcpwhy/analysis/internal/ledger/picture"
	"tcpwhy/analysis/internal/ledger/sender"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// Connection is the ledger of one connection, as far as it has been drawn up, and of those of its
// exchanges that wait. Its worker calls the methods that change it as its Sink is called: Open and
// Over as exchanges begin and end; DrawUp, Settle and Ready when one is to be judged; Release
// before records go; Close and Ready, once, when no more come.
type Connection struct {
	Conn *reassembly.Conn
	book
	Ending Ending // what rules about failures and closes need

	path     sender.Path
	walk     walk
	holds    holds
	measures measures
	products products
}

// Begin makes s the ledger of c. What room s had is used again.
func (s *Connection) Begin(c *reassembly.Conn) {
	s.Conn = c
	s.book = book{conn: c, exchanges: s.exchanges[:0]}
	s.products, s.Ending = products{}, Ending{}
	s.path.Begin(c)
	s.busy.path = &s.path
	s.walk = walk{book: &s.book, path: &s.path, holds: &s.holds, measures: &s.measures}
	s.walk.half = &s.walk.halves.of[0]
	s.holds = holds{book: &s.book, path: &s.path}
	s.measures = measures{}
}

// Stamped takes note of by how much the clock goes on at a time that stamped a segment.
func (s *Connection) Stamped(tick time.Duration) { s.path.Stamped(tick) }

// StartTrace makes the ledger keep all that it writes of what of names. It is called once, right
// after Begin, and only for the connection that of names.
func (s *Connection) StartTrace(of report.TraceOf) { s.trace = picture.New(of) }

// ShowTraced takes what the report says of the exchange that is traced.
func (s *Connection) ShowTraced(x *report.ExchangeInfo) { s.trace.Show(x) }

// Trace is what was traced; nil if nothing was.
func (s *Connection) Trace() *report.Trace {
	if s.trace == nil {
		return nil
	}
	return s.trace.Done()
}

// StartGraph makes the ledger keep what is shown of the connection that of names. It is called
// once, right after Begin.
func (s *Connection) StartGraph(of report.GraphOf) { s.graph = picture.NewGraph(of) }

// Graph is what was kept to be shown; nil if nothing was.
func (s *Connection) Graph() *report.Graph {
	if s.graph == nil {
		return nil
	}
	return s.graph.Done()
}

// Pair is the client and the service that the connection joins.
func (s *Connection) Pair() report.Pair {
	return report.Pair{Client: s.Conn.Client.Addr(), Server: s.Conn.Server}
}

// Sender is what the records so far show of the sender of dir.
func (s *Connection) Sender(dir reassembly.Dir) *sender.State { return s.path.Of(dir) }

// Timeout is the least retransmission timeout of a sender.
func (s *Connection) Timeout() time.Duration { return s.path.Timeout() }

// Tally is what the connection has shown of Nagle's algorithm, by direction.
func (s *Connection) Tally() (out [2]NagleTally) {
	for d := range out {
		out[d] = s.path.Of(reassembly.Dir(d)).Nagle().Tally()
	}
	return out
}

// Open begins j, the ledger of x.
func (s *Connection) Open(j *Exchange, x *exchange.Exchange) {
	j.Parsed, j.Index, j.From, j.ConnStart = x, x.Index, x.Start().Time, s.Conn.Start
	if x.Attempt != nil {
		j.Critical = true // all of it was for something to be asked
	} else if x.Index == 0 {
		j.Critical, j.Doubtful = criticalSetup(&s.path, x)
		if j.Critical {
			j.From = s.Conn.Start.Time
		}
	}
	// what has been booked without it is not its own: an attempt that becomes one late, a message
	// that was found behind a gap
	j.From = max(j.From, s.walk.halves.tiled())
	j.Notice = s.Ending.Notice
	last := s.latest()
	if last != nil && !last.over && x.Stream == 0 && x.Request != nil && !s.answeredUnseen(last) {
		j.Ahead = last.Parsed
		j.Behind.From = j.From
	}
	s.open(j)
	s.beginWithLookup(j)
	s.beginWithQUIC(j)
}

// answeredUnseen reports whether the response to j, after which the client now asks again, may have
// come though the capture lacks it: the client has acknowledged what was not seen.
func (s *Connection) answeredUnseen(j *Exchange) bool {
	down := &s.Conn.Half[reassembly.FromServer]
	return j.Parsed.Over || down.Una > down.Frontier
}

// Over ends the ledger of an exchange: nothing more belongs to it.
func (s *Connection) Over(j *Exchange) {
	x := j.Parsed
	j.over = true
	j.Until = max(s.Conn.End.Time, j.From)
	// Of what the server sends the capture may show nothing at all: then an exchange has no end but
	// that of its request.
	unheard := x.Outcome == exchange.Incomplete &&
		s.Conn.Half[reassembly.FromServer].Segments == 0
	if x.Outcome == exchange.Complete || x.Outcome == exchange.Upgraded || unheard || x.EndUnseen ||
		s.inGap(j) {
		j.Until = max(x.End().Time, x.Start().Time, j.From)
	}
	if x.Outcome == exchange.Complete && endsByClose(x) {
		// the client knows of the end when the FIN comes (RFC 9112 §6.3)
		j.Until = max(j.Until, s.Conn.End.Time)
	}
	// what has been booked while it seemed to go on is its own: where segments are out of order,
	// the ledger of another exchange may have been drawn up beyond this one's end
	j.Until = max(j.Until, s.walk.booked(j))
	if x.Attempt != nil {
		// rules about how exchanges end look at what was asked
		j.Until, s.vain = max(x.End().Time, j.From), true
		return
	}
	if x.Reset != nil {
		j.Until = max(x.Reset.At.Time, x.End().Time, j.From, s.walk.booked(j))
	}
	s.Ending.take(s.Conn, j)
	if at := s.leftAt(x); at > 0 && s.Ending.Failed == x {
		s.Ending.FailedAt = at
	}
	s.Last = x
	s.reusable = Reusable(s.Conn, x)
	s.endWaitBehind(j)
}

// inGap reports whether the capture lacks the end of the response, which the client had: it asked
// again.
func (s *Connection) inGap(j *Exchange) bool {
	x, last := j.Parsed, s.latest()
	m := x.Response
	return x.Outcome == exchange.Incomplete && m != nil && m.Facts.Has(exchange.HasGap) &&
		last != nil && last.Index > j.Index
}

// endWaitBehind ends the wait of the exchange after j for j's response.
func (s *Connection) endWaitBehind(j *Exchange) {
	for _, k := range s.exchanges {
		if k.Index == j.Index+1 && k.piped() && k.Parsed.Request != nil {
			k.Behind = report.Interval{From: k.Parsed.Request.End.Time, To: j.Parsed.End().Time}
			k.Thought = s.thoughtUpTo(j)
		}
	}
}

// thoughtUpTo is what the server took for j's response and for those before that j waited for:
// neither what they waited for each other, nor what they took on the path.
func (s *Connection) thoughtUpTo(j *Exchange) time.Duration {
	x := j.Parsed
	if x.Request == nil || x.Response == nil {
		return j.Thought
	}
	took := x.Response.Start.Time - j.Behind.To // both had the same way
	if j.Behind.To < x.Request.End.Time {
		took = x.Response.Start.Time - x.Request.End.Time - s.Conn.Far(reassembly.FromServer)
	}
	return j.Thought + max(0, took)
}

// DrawUp completes the ledger of an exchange that is over. Its records must be certain.
func (s *Connection) DrawUp(j *Exchange) {
	if s.walk.booked(j) <= j.Until { // else some of the time up to then has been booked without it
		j.Until = max(j.Until, s.delivered(j.Parsed))
	}
	if at := s.leftAt(j.Parsed); at > max(j.From, s.walk.booked(j)) {
		j.Until = min(j.Until, at) // what came later came for nobody
	}
	s.walk.to(s.recordAfter(j.Until))
	s.walk.flush(j)
	s.measures.exchange(&s.path, j)
	s.walk.settlePeriods(j)
}

// leftAt is when the client gave x up, of which nothing of a response had come, or not all of it; 0
// if it did not.
func (s *Connection) leftAt(x *exchange.Exchange) time.Duration {
	if x.Outcome != exchange.Aborted || x.Turn {
		return 0
	}
	if left, ok := Left(s, x); ok {
		return left.At.Time
	}
	if left, ok := LeftWithin(s, x); ok {
		return left.At.Time
	}
	return 0
}

// delivered is the moment at which the last octet of the response passed in a copy that arrived:
// next to the server, copies pass that get lost further on. If none arrived, it is the last copy. 0
// if that is not known.
func (s *Connection) delivered(x *exchange.Exchange) time.Duration {
	m := x.Response
	if m == nil || x.Outcome != exchange.Complete && !m.Facts.Has(exchange.Undelivered) {
		return 0
	}
	var last time.Duration
	for i := range s.Conn.Records {
		r := &s.Conn.Records[i]
		if r.Dir == reassembly.FromServer && r.Len > 0 && r.Kind.Retransmitted() &&
			r.Kind != reassembly.SpuriousRetransmission && r.Seq < m.To && r.End() > m.From &&
			carries(s.Conn, r, x) {
			last = r.Time
		}
	}
	return last
}

// recordAfter is the absolute number of the first record after the given moment that has not been
// walked over.
func (s *Connection) recordAfter(at time.Duration) int {
	c := s.Conn
	return max(s.walk.next, c.Released+firstAfter(c, at))
}

// Settle marks the ledger of an exchange as drawn up.
func (s *Connection) Settle(j *Exchange) {
	j.settled = true
	s.products.note(j.Parsed)
}

// Products are the programs that the two ends have said that they are.
func (s *Connection) Products() report.Products { return s.products.seen }

// NoteProducts remembers which programs the two ends say that they are.
func (s *Connection) NoteProducts(x *exchange.Exchange) { s.products.note(x) }

// maxUndecided is how many exchanges of one connection may wait until it is certain whether its
// Nagle holds are real: evidence for or against is nearly always complete after a handful.
const maxUndecided = 32

// Ready takes the exchanges whose labels are certain off the list: those that are settled and hold
// no undecided Nagle hold, and everything if all is set or too much waits. They are those that were
// opened first, except that one with a stream of its own waits for no other. ready is called for
// each that was opened, in that order, and told whether it is one of them.
func (s *Connection) Ready(all bool, ready func(*Exchange, bool)) {
	if all || s.settled() > maxUndecided {
		s.holds.decide()
	}
	kept, waits := s.exchanges[:0], false
	for _, j := range s.exchanges {
		inTurn := j.Parsed.Stream == 0
		certain := all || j.settled && len(j.Holds) == 0 && !(inTurn && waits)
		ready(j, certain)
		if !certain {
			waits = waits || inTurn
			kept = append(kept, j)
		}
	}
	clear(s.exchanges[len(kept):])
	s.exchanges = kept
}

// settled is how many settled exchanges wait.
func (s *Connection) settled() int {
	n := 0
	for _, j := range s.exchanges {
		if j.settled {
			n++
		}
	}
	return n
}

// OpenExchanges is how many exchanges are not over.
func (s *Connection) OpenExchanges() int {
	n := 0
	for _, j := range s.exchanges {
		if !j.over {
			n++
		}
	}
	return n
}

// Lacking reports whether octets of either side are missing so far.
func (s *Connection) Lacking() bool {
	return unshown(&s.Conn.Half[0]) || unshown(&s.Conn.Half[1])
}

// DrawUpTo draws the ledger up as far as the first n records.
func (s *Connection) DrawUpTo(n int) { s.walk.to(s.Conn.Released + n) }

// Release forgets what it knows of the first n records, which are about to go, and up to which it
// has been drawn up.
func (s *Connection) Release(n int) {
	s.path.Forget(s.Conn.Records[:n])
	if s.trace != nil {
		s.trace.Records(s.Conn.Records[:n])
	}
	if s.graph != nil {
		s.graph.Records(s.Conn.Records[:n])
	}
}

// Close draws up the rest of the ledger: no more segments come.
func (s *Connection) Close() {
	s.walk.to(s.Conn.Released + len(s.Conn.Records))
	s.walk.finish()
	if s.trace != nil {
		s.trace.Records(s.Conn.Records)
	}
	if s.graph != nil {
		s.graph.Records(s.Conn.Records)
	}
}

// CloseNotifyFirst is the close_notify of dir, if its peer knew it when it closed: then the close
// was dir's, whoever sent the first FIN (RFC 8446 §6.1).
func (s *Connection) CloseNotifyFirst(dir reassembly.Dir) (capture.Mark, bool) {
	c, peer := s.Conn, dir.Peer()
	if c.TLS == nil || !c.TLS.CloseNotify[dir] || c.FirstClose != peer ||
		dir == reassembly.FromClient && c.ClosedByRST {
		return capture.Mark{}, false
	}
	at, left := c.TLS.CloseNotifyAt[dir], c.FirstCloseAt
	if c.TLS.CloseNotify[peer] {
		left = c.TLS.CloseNotifyAt[peer]
	}
	return at, at.Time+c.Far(peer) <= left.Time+s.path.AtOnce(peer)
}
