package http1

import "tcpwhy/reassembly/exchange"

// Responses that the capture lacks. A client that does not pipeline asks again when it has read the
// response: what it had acknowledged by then is where that ends, and where the next one begins.

// answersWithin takes of n octets at off, which the capture lacks, those of the responses that were
// over when the client asked again. It returns what is left.
func (h *reader) answersWithin(off, n int64, a *exchange.Arrival) (int64, int64) {
	s := &h.side[exchange.FromServer]
	for h.next == nil && !h.over {
		next, ok := h.askedNext()
		size := next.heard - off
		if ok && size <= 0 && next.heard > 0 && s.x != nil { // that ended before
			h.leave(s)
			s.phase = lost
			continue
		}
		if !ok || size <= 0 || size > n {
			break
		}
		came := *a
		if x := h.answered(); x.Request != nil && x.Request.End.Time > a.At.Time {
			came.Seen, came.At, came.Start = next.sent, next.sent, next.sent
		}
		h.unread(exchange.FromServer, off, size, &came, exchange.HasGap)
		if h.next == nil && s.x != nil {
			h.leave(s)
			s.phase = lost
		}
		off, n = off+size, n-size
	}
	return off, n
}

// answered is the exchange whose response goes on, or comes next; nil if there is none.
func (h *reader) answered() *exchange.Parts {
	switch s := &h.side[exchange.FromServer]; {
	case s.x != nil:
		return s.x
	case len(h.waiting) > 0:
		return h.waiting[0].Parts
	}
	return nil
}

// askedNext is the request after the one whose response goes on, or comes next; false if there is
// none, or if the client asks before it has read.
func (h *reader) askedNext() (asked, bool) {
	i := 1
	if h.side[exchange.FromServer].x != nil {
		i = 0
	}
	if h.pipelined || i >= len(h.waiting) {
		return asked{}, false
	}
	return h.waiting[i], true
}

// notBefore is the arrival of octets of a response that cannot have come before the request.
func (h *reader) notBefore(a *exchange.Arrival) *exchange.Arrival {
	x := h.answered()
	if x == nil || x.Request == nil || x.Request.End.Time <= a.At.Time {
		return a
	}
	came := *a
	came.Seen, came.At, came.Start = x.Request.End, x.Request.End, x.Request.End
	return &came
}

// align makes the oldest of the requests that wait the one that a response answers which begins at
// from in the server's stream, where some of both are missing: the one before which the client had
// acknowledged all before it. Those before were answered where octets are missing. It reports false
// if the client had acknowledged more before it sent any of them: the request is missing, too.
func (h *reader) align(from int64) bool {
	if !h.holes || h.pipelined || len(h.waiting) == 0 {
		return true
	}
	n := 0
	for n < len(h.waiting) && h.waiting[n].heard > 0 && h.waiting[n].heard < from {
		n++
	}
	switch {
	case n == len(h.waiting), h.waiting[n].heard == 0:
		return true
	case h.waiting[n].heard > from:
		return n > 0
	}
	for _, x := range h.waiting[:n] {
		h.settle(x.Parts, exchange.Incomplete)
	}
	kept := copy(h.waiting, h.waiting[n:])
	clear(h.waiting[kept:])
	h.waiting = h.waiting[:kept]
	return true
}
