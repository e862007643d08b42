package rule

import (
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// Signs are what an exchange and its connection show that gives some rules something to look at. A
// rule names those without which it claims nothing, and keeps nothing (Detector.When); most
// exchanges show few.
type Signs uint32

const (
	Repaired  Signs = 1 << iota // time of the exchange went to losses, or their like
	Repeated                    // segments, SYN or SYN-ACK among them, were sent again
	Lacking                     // octets passed behind some that had not
	Windowed                    // the exchange waited for a receive window, or a limit of its sender's
	Held                        // it waited for acknowledgments that came late, or was corked
	Stood                       // a host stood still
	Grew                        // it waited for a congestion window that grew
	Filled                      // it filled the path, or a queue of it
	Full                        // a full segment passed, the first of its sender
	Pieces                      // a message came in several small segments
	Paused                      // an answer took as long as people notice, to begin or to end
	Kept                        // the connection carried more than one exchange
	Piped                       // it was asked before the answer before was whole, or was not asked
	Unended                     // an exchange is not complete, or its client had left before the answer
	Reset                       // the connection was reset
	Lingered                    // the client ended the connection a second or more after the server
	ToTheEnd                    // the answer ended with the connection
	Fields                      // a header has fields that can be misused, or expects 100 Continue
	Announced                   // a side had announced that it closes
	Streams                     // the connection carries HTTP/2
	Calls                       // the exchange is a call of gRPC
	Secured                     // the connection carries TLS
	Attempted                   // nothing was asked on the connection
	LookedUp                    // a look-up, or a connection of QUIC, came before the connection
	Sockets                     // the connection became a WebSocket
)

// labelSet is a set of labels.
type labelSet uint64

// setOf is the set of the labels.
func setOf(labels ...report.Label) (all labelSet) {
	for _, l := range labels {
		all |= 1 << l
	}
	return all
}

// signOfLabels says of which labels time, or a single wait, is which sign.
var signOfLabels = [...]struct {
	labels labelSet
	sign   Signs
}{
	{setOf(report.FastRetx, report.RTO, report.TLP, report.LostRetx, report.SpuriousRetx,
		report.RecoveryCwnd, report.Queue), Repaired},
	{setOf(report.RWnd, report.ZeroWindow, report.SendLimit), Windowed},
	{setOf(report.DelackCwnd, report.Cork), Held},
	{setOf(report.HostStopped), Stood},
	{setOf(report.SlowStart, report.SlowStartIdle), Grew},
}

// SignsOf are the signs of an exchange that is drawn up, and of its connection so far.
func SignsOf(f *Followed, d *Draft) Signs {
	x := d.Parsed
	s := ofConn(f.Conn) | d.ofTime() | d.ofTransfer() | ofMessages(x)
	s.set(Piped, d.Ahead != nil || x.Request == nil)
	s.set(Unended, unended(x))
	s.set(Announced, d.Notice.At.Frame != 0)
	s.set(Streams, x.Stream != 0)
	s.set(Calls, x.RPC != nil)
	s.set(Attempted, x.Attempt != nil)
	s.set(Secured, x.Attempt != nil && x.Attempt.Secure)
	s.set(LookedUp, d.Lookup != nil || d.Tried != nil)
	for dir := range f.FullPassed {
		passed := f.Sender(reassembly.Dir(dir)).FullPassed()
		s.set(Full, passed && !f.FullPassed[dir])
	}
	return s
}

// SignsOfEnd are the signs of a connection that is over, and of all its exchanges.
func SignsOfEnd(f *Followed) Signs {
	s, c, e, x := f.Shown|ofConn(f.Conn), f.Conn, &f.Ending, f.Last
	s.set(Attempted, c.ExchangeCount == 0)
	s.set(Announced, e.Notice.At.Frame != 0)
	s.set(Unended, e.Failed != nil || x != nil && unended(x))
	if x != nil && x.Response != nil && c.FirstClose == reassembly.FromClient {
		s.set(Unended, c.FirstCloseAt.Time < x.Response.Start.Time)
	}
	up, down := &c.Half[reassembly.FromClient], &c.Half[reassembly.FromServer]
	left := max(up.Fin.Time, up.Rst.Time)
	s.set(Lingered, down.FinSeen && left-down.Fin.Time >= LongPause)
	return s
}

// ofConn are the signs of a connection itself.
func ofConn(c *reassembly.Conn) (s Signs) {
	s.set(Repeated, len(c.SYNs) > 1 || len(c.SYNACKs) > 1)
	s.set(Kept, c.ExchangeCount > 1)
	s.set(Streams, c.HTTP2 != nil)
	s.set(Secured, c.TLS != nil)
	s.set(LookedUp, c.Lookup != nil)
	s.set(Sockets, len(c.WebSockets) > 0)
	for dir := range c.Half {
		h := &c.Half[dir]
		s.set(Repeated, h.Retrans > 0)
		s.set(Lacking, h.Max > h.Frontier || h.Missing > 0)
		s.set(Reset, h.RstSeen)
	}
	return s
}

// ofTime are the signs of what the time of the exchange went to.
func (j *Draft) ofTime() (s Signs) {
	var spent labelSet
	for l, t := range j.Times {
		if t > 0 {
			spent |= 1 << l
		}
	}
	for i := range j.Waits {
		spent |= 1 << j.Waits[i].Label
	}
	s.set(Repaired, len(j.Losses) > 0)
	for i := range signOfLabels {
		s.set(signOfLabels[i].sign, spent&signOfLabels[i].labels != 0)
	}
	return s
}

// ofTransfer are the signs of how its messages came.
func (j *Draft) ofTransfer() (s Signs) {
	f := &j.Flow
	filled := j.Times[report.Serialize] >= f.RTT || f.Queue >= f.RTT || j.Upload != nil
	s.set(Filled, j.Parsed.Response != nil && filled)
	for dir := range f.Segments {
		s.set(Pieces, f.Segments[dir].Small > 1)
	}
	return s
}

// ofMessages are the signs of what the messages say, and when they came.
func ofMessages(x *exchange.Exchange) (s Signs) {
	const fields = exchange.HasProxyConnection | exchange.HasUpgrade | exchange.HopByHopLeak |
		exchange.HasKeepAlive | exchange.LengthAndChunked | exchange.LengthConflict |
		exchange.OddTransferEncoding | exchange.Expect100
	q, a := x.Request, x.Response
	if q != nil {
		s.set(Fields, q.Facts&fields != 0)
	}
	if a == nil {
		return s
	}
	s.set(Fields, a.Facts&fields != 0)
	s.set(ToTheEnd, a.Framing == exchange.ByClose)
	s.set(Paused, a.End.Time-a.Start.Time >= Noticeable)
	s.set(Paused, q != nil && a.Start.Time-q.End.Time >= Noticeable)
	return s
}

// unended reports whether an exchange lacks something.
func unended(x *exchange.Exchange) bool {
	return x.Outcome != exchange.Complete || x.Response == nil || !x.Response.Complete ||
		x.Request != nil && !x.Request.Complete
}

// set adds a sign if the condition holds.
func (s *Signs) set(sign Signs, condition bool) {
	if condition {
		*s |= sign
	}
}
