package ledger

import (
	"slices"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// Ending is what a connection's state keeps for the rules about failures and closes.
type Ending struct {
	Failed   *reassembly.Exchange // the first exchange that did not end well
	FailedAt time.Duration        // when that was over
	// end of the exchange before that one; no frame if it was the first
	Prior capture.Mark
	// from then, or from the end of the set-up, until the request began
	Idle       time.Duration
	Piped      bool         // its request began before the exchange before it was over
	Announced  CloseNotice  // the close that was announced before it
	Latest     capture.Mark // end of the latest exchange that ended well
	Notice     CloseNotice  // the latest announcement
	Unanswered int          // exchanges that got no response
	Unsafe     bool         // one of those was not idempotent
	Answered   int          // exchanges that ended well before
	// a response came without a request: who answers what is no longer certain
	Orphan bool
}

// CloseNotice is a message that said that the connection closes after its exchange (RFC 9112 §9.6).
type CloseNotice struct {
	At capture.Mark // the end of that exchange
	By reassembly.Dir
}

// failed reports whether x ended in a way that its client did not want. An exchange that the
// capture cut did not fail.
func failed(x *reassembly.Exchange) bool {
	switch x.Outcome {
	case reassembly.Complete, reassembly.Upgraded, reassembly.Incomplete:
		return false
	}
	return true
}

// take notes how an exchange ended.
func (e *Ending) take(s *Connection, j *Exchange) {
	x := j.Parsed
	e.Orphan = e.Orphan || x.Request == nil
	if failed(x) {
		e.fail(s, j)
		return
	}
	if x.Outcome == reassembly.Incomplete {
		return
	}
	e.Answered++
	e.Latest = x.End()
	if x.Turn || x.Response == nil || x.Outcome == reassembly.Upgraded {
		return
	}
	switch {
	case x.Response.Facts.Has(reassembly.ConnClose):
		e.Notice = CloseNotice{x.End(), reassembly.FromServer}
	case x.Request != nil && x.Request.Facts.Has(reassembly.ConnClose):
		e.Notice = CloseNotice{x.End(), reassembly.FromClient}
	}
}

// fail notes an exchange that did not end well.
func (e *Ending) fail(s *Connection, j *Exchange) {
	x := j.Parsed
	if x.Response == nil {
		e.Unanswered++
		e.Unsafe = e.Unsafe || !x.Turn && x.Method != "" && !Idempotent(x.Method)
	}
	if e.Failed != nil {
		return
	}
	e.Failed, e.Prior, e.Announced = x, e.Latest, e.Notice
	e.FailedAt = s.Conn.End.Time
	from := e.Latest.Time
	if !Seen(e.Latest) {
		from, _ = s.SetUpAt()
		from = max(from, s.Conn.Start.Time)
	}
	e.Idle = max(0, x.Start().Time-from)
	e.Piped = j.Behind.From > 0
}

// Whole reports whether the capture shows enough of the connection to call something missing: both
// directions, and nothing that was acknowledged and not seen.
func Whole(c *reassembly.Conn) bool {
	return c.Half[0].Segments > 0 && c.Half[1].Segments > 0 && !Lacks(c, &c.Half[0]) &&
		!Lacks(c, &c.Half[1])
}

// Lacking reports whether octets of either side are missing so far.
func (s *Connection) Lacking() bool {
	return unshown(&s.Conn.Half[0]) || unshown(&s.Conn.Half[1])
}

// Lacks reports whether octets that a side sent are missing from the capture: they were
// acknowledged, or its FIN or RST stands behind them.
func Lacks(c *reassembly.Conn, h *reassembly.Half) bool {
	return unshown(h) || finBeyond(h) || rstBeyond(c, h)
}

// unshown reports whether octets, or a FIN, of a side were acknowledged that the capture has not
// shown so far.
func unshown(h *reassembly.Half) bool {
	end := h.Frontier
	if h.FinSeen && h.FinSeq <= end {
		end++
	}
	return h.Missing > 0 || h.Una > end
}

// rstBeyond reports whether the RST of a side stands behind octets that the capture never showed
// (RFC 9293 §3.10.7.4: its number is that of the next octet).
func rstBeyond(c *reassembly.Conn, h *reassembly.Half) bool {
	if !h.RstSeen {
		return false
	}
	next := h.Max
	if h.FinSeen {
		next++
	}
	r := RecordOf(c, h.Rst)
	return r != nil && r.Seq > next
}

// finBeyond reports whether the FIN of a side stands behind octets that the capture never showed.
func finBeyond(h *reassembly.Half) bool { return h.FinSeen && h.FinSeq > h.Frontier }

// BeforeSeen reports whether the segment of m is the first to acknowledge octets, or a FIN, of its
// peer that the capture had not shown by then: whatever it answers, the capture lacks.
func BeforeSeen(c *reassembly.Conn, m capture.Mark) bool {
	rec := RecordOf(c, m)
	if rec == nil || rec.Flags&capture.ACK == 0 {
		return false
	}
	var end int64 // of what the peer had shown by then
	known := false
	for i := range c.Records {
		r := &c.Records[i]
		switch {
		case r.Frame == rec.Frame:
			return known && rec.Ack > end
		case r.Trait.Has(reassembly.Wild) || r.Flags&capture.RST != 0:
		case r.Dir == rec.Dir:
			// if the capture lacks that, this segment is not the first to say so
			end = max(end, r.Ack)
		default:
			known = true
			end = max(end, r.Seq+int64(r.Len))
			if r.Flags&capture.FIN != 0 {
				end = max(end, r.Seq+int64(r.Len)+1)
			}
		}
	}
	return false
}

// RecordOf is the record of a frame, among those that are still held; nil if it is not.
func RecordOf(c *reassembly.Conn, m capture.Mark) *reassembly.Record {
	for i := len(c.Records) - 1; i >= 0; i-- {
		r := &c.Records[i]
		if r.Frame == m.Frame {
			return r
		}
		if r.Time < m.Time {
			break
		}
	}
	return nil
}

// SeenAtClose reports whether the server had received some of x's request when it closed, by its
// own word: its FIN or RST, or an acknowledgment before it, covers some of it.
func SeenAtClose(c *reassembly.Conn, x *reassembly.Exchange, closed capture.Mark) bool {
	if closed.Time <= x.Request.Start.Time {
		return false
	}
	if r := RecordOf(c, closed); r != nil && r.Flags&capture.ACK != 0 {
		return r.Ack > x.Request.From
	}
	return c.Half[reassembly.FromClient].Una > x.Request.From
}

// Asks reports whether the connection carries requests that want a response: HTTP, or what may be
// HTTP where the capture hides it. Other protocols say goodbye to a peer that has closed, and mean
// nothing by it.
func Asks(c *reassembly.Conn) bool {
	switch c.Protocol {
	case reassembly.ProtoTunnel:
		return false
	case reassembly.ProtoUnknown:
		return slices.Contains(c.Caveats, reassembly.CaveatPayloadCut) ||
			slices.Contains(c.Caveats, reassembly.CaveatSnapped)
	}
	return true
}

// Idempotent reports whether a request of that method may be repeated without harm (RFC 9110
// §9.2.2).
func Idempotent(method string) bool {
	switch method {
	case "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE":
		return true
	}
	return false
}

// Streams reports whether the server sends the response as things happen: events by their name, or
// messages of its own in a protocol whose messages are not known. The client takes what comes, and
// does not wait for the end.
func (j *Exchange) Streams() bool {
	m := j.Parsed.Response
	return m != nil && m.Facts.Has(reassembly.EventStream) ||
		j.Parsed.Turn && 2*j.Times[report.AppPaced] > j.Until-j.From
}

// PromptClose is how soon after a response a close by the client means that it never meant to
// keep the connection.
const PromptClose = 50 * time.Millisecond
