package http1

import (
	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
)

// resync looks for the start of a message at the beginning of a segment, after framing was lost.
func (h *reader) resync(s *side, off int64, data []byte, a *exchange.Arrival) {
	if !starts(s.dir, data) {
		return
	}
	h.leave(s)
	s.phase = between
	h.begin(s, off, a)
	if h.next != nil {
		return
	}
	s.msg.Facts |= exchange.Resynced
	h.c.Caveats.Add(exchange.CaveatHTTPResync)
	// A request that waited behind the gap, while its response was already read, must not wait for
	// the next one.
	if s.dir == exchange.FromClient && h.orphan.Frame != 0 && h.orphan.Time >= s.sent.Time {
		s.missed = true
		h.waiting = h.waiting[:len(h.waiting)-1]
	}
}

// lose gives up the framing of a message at a gap. If the gap is the end of a frame that the
// capture cut, headers will be cut again and again, and turns are all that can be had.
func (h *reader) lose(s *side, off int64, a *exchange.Arrival) {
	if s.inHeader() && s.frame == a.Seen.Frame {
		h.cut(s)
		return
	}
	h.c.Caveats.Add(exchange.CaveatHTTPGap)
	h.holes = true
	s.lineDone()
	if s.interim != 0 {
		s.msg, s.interim = nil, 0
	}
	if s.msg != nil {
		h.bind(s)
	}
	s.phase = lost
}

// adopt gives octets of unknown meaning from the server to the oldest unanswered request: they are,
// at least, part of its response, or of a later one. What the client had before it asked is
// neither: the capture lacks that request.
func (h *reader) adopt(s *side, off int64, a *exchange.Arrival) {
	if s.dir == exchange.FromClient || s.msg != nil || len(h.waiting) == 0 ||
		!h.align(a.From(off)) {
		return
	}
	s.draft = exchange.Message{
		Start:   a.Start,
		End:     a.At,
		From:    a.From(off),
		To:      a.From(off),
		Length:  exchange.NoLength,
		Framing: exchange.ByClose,
		Facts:   exchange.HasGap | exchange.Resynced,
	}
	s.msg, s.x, s.interim = &s.draft, nil, 0
	s.record, s.sent = a.Record, a.Seen
	h.bind(s)
}

// leave ends what is known of the message whose framing was lost. The phase stays lost.
func (h *reader) leave(s *side) {
	x := s.x
	s.msg, s.x = nil, nil
	if x == nil {
		return
	}
	if s.dir == exchange.FromServer {
		h.settle(x, exchange.Incomplete)
	} else if s.missed || x.Response != nil && h.side[exchange.FromServer].x != x {
		h.c.Finish(x, x.Outcome)
	}
}

// become hands the connection over to the reader of another protocol, with an exchange that has
// become a turn, if any. What is unfinished stays incomplete.
func (h *reader) become(p exchange.Protocol, turn *exchange.Parts) {
	h.leaveAll()
	h.handOver(p, &exchange.Takeover{Closing: h.Closing, Turn: turn})
}

// leaveAll ends all that goes on.
func (h *reader) leaveAll() {
	for dir := range h.side {
		if x := h.side[dir].x; x != nil {
			h.c.Finish(x, x.Outcome)
		}
		h.side[dir].x, h.side[dir].msg, h.side[dir].line = nil, nil, nil
	}
	for _, x := range h.waiting {
		h.c.Finish(x.Parts, exchange.Incomplete)
	}
}

// handOver lets the reader of another protocol go on.
func (h *reader) handOver(p exchange.Protocol, from *exchange.Takeover) {
	h.waiting = nil
	h.c.Protocol = p
	h.next = h.c.Shared.Readers.Of(p, h.c, from)
}

// toHTTP2 hands over a connection whose client has asked for HTTP/2 with its request, which is
// answered by that (RFC 7540 §3.2).
func (h *reader) toHTTP2(s *side, a *exchange.Arrival) {
	x := s.x
	if x.Request == nil || !x.Request.Complete || len(h.waiting) > 0 {
		h.upgrade(s, exchange.ProtoHTTP2)
		return
	}
	x.Interim = append(x.Interim, exchange.Interim{Status: x.Status, At: a.At})
	x.Response, x.Status, x.ResponseVersion = nil, 0, ""
	s.x, s.msg = nil, nil
	h.handOver(
		exchange.ProtoHTTP2,
		&exchange.Takeover{Closing: h.Closing, Asked: x, Settings: h.settings},
	)
}

// upgrade ends the exchange that changes the protocol (RFC 9110 §7.8, §9.3.6).
func (h *reader) upgrade(s *side, p exchange.Protocol) {
	s.msg.Complete = true
	s.x.Outcome = exchange.Upgraded
	asked := s.x
	h.c.Finish(asked, exchange.Upgraded)
	h.leaveAll()
	from := &exchange.Takeover{Closing: h.Closing}
	if p == exchange.ProtoWebSocket {
		from.Asked = asked
	}
	h.handOver(p, from)
}

// tunnel ends a CONNECT (RFC 9110 §9.3.6): whoever recognises what is said in the tunnel reads it.
func (h *reader) tunnel(s *side) {
	h.upgrade(s, exchange.ProtoTunnel)
	if h.Finished != [2]bool{} {
		return // there is no more to be said than the end
	}
	h.next = h.c.Shared.Readers.Recognise(h.c)
}

// cut goes on with turns, as the capture does not hold whole headers. The exchange being read
// becomes a turn.
func (h *reader) cut(s *side) {
	s.interim = 0
	h.bind(s)
	x := s.x
	s.x = nil
	if other := &h.side[s.dir.Peer()]; other.x == x {
		other.x = nil
	}
	for i, w := range h.waiting {
		if w.Parts == x {
			h.waiting = append(h.waiting[:i], h.waiting[i+1:]...)
			break
		}
	}
	h.c.Caveats.Add(exchange.CaveatPayloadCut)
	x.BecomeTurn()
	h.become(exchange.ProtoUnknown, x)
	h.next = newSnapped(h.c, &exchange.Takeover{Closing: h.Closing, Turn: x}, &h.text)
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
	if dir == exchange.FromClient {
		h.requestsEnd()
		return
	}
	s := &h.side[exchange.FromServer]
	if s.phase == closeBody && s.msg.Framing == exchange.ByClose {
		h.complete(s)
	}
	h.responseEnd(h.Broken(exchange.Truncated))
	h.unanswered(h.Broken(exchange.NoResponse))
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
	more := dir == exchange.FromServer && !h.Finished[exchange.FromClient] &&
		h.side[exchange.FromClient].phase == between
	h.responseEnd(h.Broken(exchange.ResetByPeer))
	h.requestsEnd()
	h.unanswered(h.Broken(exchange.NoResponse))
	if more {
		// a request that was on its way will meet a closed socket
		h.Finished[exchange.FromServer] = true
		return
	}
	h.over = true
}

// End leaves incomplete what the capture did not show to the end. A connection that the client had
// closed, and on which nothing more came, was given up by the client.
func (h *reader) End(at capture.Mark, ended bool) {
	switch {
	case h.next != nil:
		h.next.End(at, ended)
	case !h.over:
		h.cutOff(ended)
	}
	h.from.keep(h)
}

// cutOff ends what is unfinished when the connection or the capture ends.
func (h *reader) cutOff(ended bool) {
	o := exchange.Incomplete
	if !ended && h.Begun {
		o = h.Broken(exchange.NoResponse)
	}
	h.responseEnd(min(o, h.Broken(exchange.Incomplete)))
	h.requestsEnd()
	h.unanswered(o)
	h.over = true
}

// requestsEnd is the end of the client's stream: a request that is not complete will never be.
// Responses may still come (half-close).
func (h *reader) requestsEnd() {
	s := &h.side[exchange.FromClient]
	x := s.x
	s.x, s.msg, s.line, s.phase = nil, nil, nil, between
	if x != nil && (s.missed || x.Response != nil && h.side[exchange.FromServer].x != x) {
		h.c.Finish(x, x.Outcome)
	}
	if h.Finished[exchange.FromServer] {
		h.unanswered(h.Broken(exchange.NoResponse))
	}
}

// responseEnd is the end of the server's stream in the middle of a response; o is what becomes of
// it.
func (h *reader) responseEnd(o exchange.Outcome) {
	s := &h.side[exchange.FromServer]
	if s.msg == nil {
		return
	}
	if s.phase == startLine {
		h.bind(s) // as much as there is of a status line is the beginning of a response
	}
	x := s.x
	if s.phase == lost {
		o = exchange.Incomplete
		h.perhapsAnswered(s.msg.End)
	}
	s.x, s.msg, s.line, s.phase = nil, nil, nil, between
	if x != nil {
		h.settle(x, o)
	}
}

// perhapsAnswered ends what was asked for by the moment of the latest of octets of which nobody
// knows what they are: among them may be the responses.
func (h *reader) perhapsAnswered(latest capture.Mark) {
	for len(h.waiting) > 0 {
		x := h.waiting[0].Parts
		if x.Request == nil || !x.Request.Complete || x.Request.End.Time >= latest.Time {
			return
		}
		h.c.Finish(x, exchange.Incomplete)
		h.waiting = append(h.waiting[:0], h.waiting[1:]...)
	}
}

// unanswered ends the exchanges that will get no response. A request that is still being sent goes
// on.
func (h *reader) unanswered(o exchange.Outcome) {
	kept := h.waiting[:0]
	for _, x := range h.waiting {
		if h.side[exchange.FromClient].x == x.Parts {
			kept = append(kept, x)
			continue
		}
		h.c.Finish(x.Parts, o)
	}
	clear(h.waiting[len(kept):])
	h.waiting = kept
}
