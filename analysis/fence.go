package analysis

import (
	"slices"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

// fenced is the state of a connection that nobody looks at any more, because this program failed on
// it. What reads, tiles and judges a connection trusts its own state; after a panic nothing of that
// can be trusted, so that all of it goes, and what the judge has been told before stays.
type fenced struct{}

// isFenced reports whether c is such a connection.
func isFenced(c *reassembly.Conn) bool {
	if c == nil {
		return false
	}
	_, is := c.User.(fenced)
	return is
}

// work works off all items. A panic ends the connection that it was about, and nothing else.
func (w *worker) work(items []item) {
	for next := 0; next < len(items); {
		next = w.workFrom(items, next)
	}
}

// workFrom works off items from the one with index i on, up to the first that panics, and returns
// where to go on. To be able to recover costs once for each batch.
func (w *worker) workFrom(items []item, i int) (next int) {
	defer func() {
		if w.panics {
			return
		}
		if broke := recover(); broke != nil {
			next = i + 1
			if items[i].op == opSettle {
				next = i // for the other connections
			}
			c := w.inHand(&items[i])
			if c == nil || isFenced(c) {
				panic(broke) // it is about no connection
			}
			w.fence(c, &items[i], rule.DefectOf(broke))
		}
	}()
	for ; i < len(items); i++ {
		w.do(&items[i])
	}
	return i
}

// inHand is the connection that an item that did not come to its end is about; nil if none.
func (w *worker) inHand(it *item) *reassembly.Conn {
	if it.op == opSettle {
		return w.tracker.Settling()
	}
	return it.conn
}

// fence gives up a connection: it is over, as far as the judge is told, and its further segments
// are passed over.
func (w *worker) fence(c *reassembly.Conn, it *item, defect string) {
	at, bySegment := w.now, it.op == opAdd
	if m := w.tracker.Moment(); m >= 0 { // silence settled something, be it found out by a segment
		at, bySegment = m, false
	}
	if s, ok := c.User.(*tracked); ok {
		at = max(at, s.toldAt)
	}
	if c.Start.Frame == 0 {
		c.Start, c.End = it.seg.Mark, it.seg.Mark
	}
	b := rule.Broken{Defect: defect, First: c.Start.Frame, Last: c.End.Frame}
	if bySegment {
		b.Last = it.seg.Frame
	}
	gone := rule.Gone{
		Pair: report.Pair{Client: c.Client.Addr(), Server: c.Server}, Info: leftOf(c), Broken: &b,
	}
	w.events.TellGone(rule.Event{At: at, Conn: uint32(c.ID)}, gone)
	w.tracker.Drop(c)
	c.User = fenced{}
}

// leftOf is what the report says of a connection that was given up: what was counted, and nothing
// that would have to be worked out.
func leftOf(c *reassembly.Conn) *report.ConnInfo {
	i := &report.ConnInfo{
		ID: c.ID, Client: c.Client, Server: c.Server, Start: c.Start.Time,
		Duration: max(0, c.End.Time-c.Start.Time), State: c.State,
		Caveats: append(slices.Clone(c.Caveats), report.CaveatNotJudged),
	}
	for d := range c.Half {
		h := &c.Half[d]
		i.MSS[d], i.Bytes[d], i.Segments[d], i.Retransmissions[d] = h.MSS, h.Bytes, h.Segments, h.Retrans
	}
	return i
}
