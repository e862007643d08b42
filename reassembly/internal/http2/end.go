package http2

import (
	"cmp"
	"maps"
	"slices"

	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
)

// sorted are the open streams in the order of their numbers.
func (h *reader) sorted() []*stream {
	return slices.SortedFunc(maps.Values(h.streams), func(a, b *stream) int {
		return cmp.Compare(a.id, b.id)
	})
}

// cut goes on with turns, as the capture cuts frames of TCP, and with them what has to be read,
// again and again. The stream that was opened last becomes the turn in hand.
func (h *reader) cut() {
	h.c.Caveats.Add(exchange.CaveatPayloadCut)
	from := exchange.Takeover{Closing: h.Closing}
	open := h.sorted()
	for i, st := range open {
		switch {
		case st.tunnel != nil:
			st.tunnel.end(capture.Mark{}, true)
		case i < len(open)-1:
			h.c.Finish(st.x, exchange.Incomplete)
		default:
			st.x.BecomeTurn()
			from.Turn = st.x
		}
	}
	clear(h.streams)
	h.doubted = 0
	h.next = exchange.NewTurns(h.c, &from)
}

// Fin ends what dir sends.
func (h *reader) Fin(dir exchange.Dir, at capture.Mark) {
	if h.next != nil {
		h.next.Fin(dir, at)
		return
	}
	if h.over || !h.Finish(dir) {
		return
	}
	h.endTunnels(func(t *tunnel) { t.fin(dir, at) })
	if dir == exchange.FromServer {
		h.endTunnels(func(t *tunnel) { t.end(at, false) })
		h.endAll(h.Broken(exchange.Truncated), h.Broken(exchange.NoResponse))
	}
}

// Rst ends the connection, in both directions.
func (h *reader) Rst(dir exchange.Dir, at capture.Mark) {
	if h.next != nil {
		h.next.Rst(dir, at)
		return
	}
	if h.over {
		return
	}
	h.Close(dir)
	h.endTunnels(func(t *tunnel) { t.rst(dir, at); t.end(at, false) })
	h.endAll(h.Broken(exchange.ResetByPeer), h.Broken(exchange.NoResponse))
	h.over = true
}

// End leaves incomplete what the capture did not show to the end. A connection that the client had
// closed, and on which nothing more came, was given up by the client.
func (h *reader) End(at capture.Mark, ended bool) {
	if h.next != nil {
		h.next.End(at, ended)
		return
	}
	if h.over {
		return
	}
	o := exchange.Incomplete
	if !ended && h.Begun {
		o = h.Broken(exchange.NoResponse)
	}
	h.endTunnels(func(t *tunnel) { t.end(at, ended) })
	h.endAll(min(o, h.Broken(exchange.Incomplete)), o)
	h.over = true
}

// endAll ends all streams: begun is what becomes of those whose response had begun, silent of the
// others.
func (h *reader) endAll(begun, silent exchange.Outcome) {
	unseen := h.c.TCP.Lacks(exchange.FromClient) || h.c.TCP.Lacks(exchange.FromServer)
	for _, st := range h.sorted() {
		switch x := st.x; {
		case st.tunnel != nil:
			h.forget(st)
		case st.ended[exchange.FromServer] && x.Response != nil:
			h.finish(st, x.Outcome)
		case unseen || st.doubtful():
			h.finishUnseen(st)
		case x.Response != nil:
			h.finish(st, begun)
		default:
			h.finish(st, silent)
		}
	}
	clear(h.promised)
}
