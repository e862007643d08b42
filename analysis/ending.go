package analysis

import (
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// ending is what a connection's state keeps for the rules about failures and closes.
type ending struct {
	failed *reassembly.Exchange // the first exchange that did not end well
	// end of the exchange before that one; no frame if it was the first
	prior capture.Mark
	// from then, or from the end of the set-up, until the request began
	idle       time.Duration
	piped      bool         // its request began before the exchange before it was over
	announced  closeNotice  // the close that was announced before it
	latest     capture.Mark // end of the latest exchange that ended well
	notice     closeNotice  // the latest announcement
	unanswered int          // exchanges that got no response
	unsafe     bool         // one of those was not idempotent
	answered   int          // exchanges that ended well before
	// a response came without a request: who answers what is no longer certain
	orphan bool
}

// closeNotice is a message that said that the connection closes after its exchange (RFC 9112 §9.6).
type closeNotice struct {
	at capture.Mark // the end of that exchange
	by reassembly.Dir
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

// take notes how x ended.
func (e *ending) take(s *connState, x *reassembly.Exchange) {
	e.orphan = e.orphan || x.Request == nil
	if failed(x) {
		e.fail(s, x)
		return
	}
	if x.Outcome == reassembly.Incomplete {
		return
	}
	e.answered++
	e.latest = x.End()
	if x.Turn || x.Response == nil || x.Outcome == reassembly.Upgraded {
		return
	}
	switch {
	case x.Response.Facts.Has(reassembly.ConnClose):
		e.notice = closeNotice{x.End(), reassembly.FromServer}
	case x.Request != nil && x.Request.Facts.Has(reassembly.ConnClose):
		e.notice = closeNotice{x.End(), reassembly.FromClient}
	}
}

// fail notes an exchange that did not end well.
func (e *ending) fail(s *connState, x *reassembly.Exchange) {
	if x.Response == nil {
		e.unanswered++
		e.unsafe = e.unsafe || !x.Turn && x.Method != "" && !idempotent(x.Method)
	}
	if e.failed != nil {
		return
	}
	e.failed, e.prior, e.announced = x, e.latest, e.notice
	from := e.latest.Time
	if !mark0(e.latest) {
		from, _ = s.ready0()
		from = max(from, s.conn.Start.Time)
	}
	e.idle = max(0, x.Start().Time-from)
	if j := s.job(x); j != nil {
		e.piped = j.behind.From > 0
	}
}

// whole reports whether the capture shows enough of the connection to call something missing: both
// directions, and nothing that was acknowledged and not seen.
func whole(c *reassembly.Conn) bool {
	return c.Half[0].Segments > 0 && c.Half[1].Segments > 0 && !lacks(c, &c.Half[0]) &&
		!lacks(c, &c.Half[1])
}

// lacking reports whether octets of either side are missing so far.
func (s *connState) lacking() bool {
	return unshown(&s.conn.Half[0]) || unshown(&s.conn.Half[1])
}

// lacks reports whether octets that a side sent are missing from the capture: they were
// acknowledged, or its FIN or RST stands behind them.
func lacks(c *reassembly.Conn, h *reassembly.Half) bool {
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
	r := recordOf(c, h.Rst)
	return r != nil && r.Seq > next
}

// finBeyond reports whether the FIN of a side stands behind octets that the capture never showed.
func finBeyond(h *reassembly.Half) bool { return h.FinSeen && h.FinSeq > h.Frontier }

// beforeSeen reports whether the segment of m is the first to acknowledge octets, or a FIN, of its
// peer that the capture had not shown by then: whatever it answers, the capture lacks.
func beforeSeen(c *reassembly.Conn, m capture.Mark) bool {
	rec := recordOf(c, m)
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

// recordOf is the record of a frame, among those that are still held; nil if it is not.
func recordOf(c *reassembly.Conn, m capture.Mark) *reassembly.Record {
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

// seenAtClose reports whether the server had received some of x's request when it closed, by its
// own word: its FIN or RST, or an acknowledgment before it, covers some of it.
func seenAtClose(c *reassembly.Conn, x *reassembly.Exchange, closed capture.Mark) bool {
	if closed.Time <= x.Request.Start.Time {
		return false
	}
	if r := recordOf(c, closed); r != nil && r.Flags&capture.ACK != 0 {
		return r.Ack > x.Request.From
	}
	return c.Half[reassembly.FromClient].Una > x.Request.From
}
