package ledger

import (
	"tcpwhy/analysis/internal/ledger/sender"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// Whole reports whether the capture shows enough of the connection to call something missing: both
// directions, and nothing that was acknowledged and not seen.
func Whole(c *reassembly.Conn) bool {
	return c.Half[0].Segments > 0 && c.Half[1].Segments > 0 && !Lacks(c, &c.Half[0]) &&
		!Lacks(c, &c.Half[1])
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

// AcknowledgesUnseen reports whether the segment of m is the first to acknowledge octets, or a FIN,
// of its peer that the capture had not shown by then: whatever it answers, the capture lacks.
func AcknowledgesUnseen(c *reassembly.Conn, m capture.Mark) bool {
	rec := RecordOf(c, m)
	if rec == nil || rec.Flags&capture.ACK == 0 {
		return false
	}
	var end int64 // of what the peer had shown by then
	known := false
	for r := range Segments(c, 0, rec.Time) {
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

// RequestSeenAtClose reports whether the server had received some of x's request when it closed, by
// its own word: its FIN or RST, or an acknowledgment before it, covers some of it.
func RequestSeenAtClose(c *reassembly.Conn, x *exchange.Exchange, closed capture.Mark) bool {
	if closed.Time <= x.Request.Start.Time {
		return false
	}
	if r := RecordOf(c, closed); r != nil && r.Flags&capture.ACK != 0 {
		return r.Ack > x.Request.From
	}
	return c.Half[reassembly.FromClient].Una > x.Request.From
}

// Seen reports whether m names a frame.
func Seen(m capture.Mark) bool { return sender.Seen(m) }
