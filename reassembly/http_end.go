package reassembly

import "tcpwhy/capture"

// resync looks for the start of a message at the beginning of a segment, after framing was lost.
func (h *httpApp) resync(s *httpSide, off int64, data []byte, a arrival) {
	if s.dir == FromClient && !startsRequest(data) || s.dir == FromServer && !startsResponse(data) {
		return
	}
	h.leave(s)
	s.phase = between
	h.begin(s, off, a)
	if h.next != nil {
		return
	}
	s.msg.Facts |= Resynced
	h.c.caveat(CaveatHTTPResync)
	// A request that waited behind the gap, while its response was already read, must not wait for
	// the next one.
	if s.dir == FromClient && h.orphan.Frame != 0 && h.orphan.Time >= s.x.sent.Time {
		s.x.missed = true
		h.waiting = h.waiting[:len(h.waiting)-1]
	}
}

// lose gives up the framing of a message at a gap. If the gap is the end of a frame that the
// capture cut, headers will be cut again and again, and turns are all that can be had.
func (h *httpApp) lose(s *httpSide, off int64, a arrival) {
	if s.inHeader() && s.frame == a.seen.Frame {
		h.cut(s)
		return
	}
	h.c.caveat(CaveatHTTPGap)
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
// at least, part of its response, or of a later one.
func (h *httpApp) adopt(s *httpSide, off int64, a arrival) {
	if s.dir == FromClient || s.msg != nil || len(h.waiting) == 0 {
		return
	}
	s.draft = Message{
		Start:   a.start(),
		End:     a.at,
		From:    off,
		To:      off,
		Length:  noLength,
		Framing: ByClose,
		Facts:   HasGap | Resynced,
	}
	s.msg, s.x, s.interim = &s.draft, nil, 0
	s.record, s.sent = h.c.currentRecord(), a.seen
	h.bind(s)
}

// leave ends what is known of the message whose framing was lost. The phase stays lost.
func (h *httpApp) leave(s *httpSide) {
	x := s.x
	s.msg, s.x = nil, nil
	if x == nil {
		return
	}
	if s.dir == FromServer {
		h.settle(x, Incomplete)
	} else if x.missed || x.Response != nil && h.side[FromServer].x != x {
		x.finish(x.Outcome)
	}
}

// become hands the connection over to turns. What is unfinished stays incomplete.
func (h *httpApp) become(p Protocol) {
	for dir := range h.side {
		if x := h.side[dir].x; x != nil {
			x.finish(x.Outcome)
		}
		h.side[dir].x, h.side[dir].msg, h.side[dir].line = nil, nil, nil
	}
	for _, x := range h.waiting {
		x.finish(Incomplete)
	}
	h.waiting = nil
	h.c.Protocol = p
	h.next = &turns{c: h.c, closing: h.closing}
}

// upgrade ends the exchange that changes the protocol (RFC 9110 §7.8, §9.3.6).
func (h *httpApp) upgrade(s *httpSide, p Protocol) {
	s.msg.Complete = true
	s.x.Outcome = Upgraded
	s.x.finish(Upgraded)
	h.become(p)
}

// cut goes on with turns, as the capture does not hold whole headers. The exchange being read
// becomes a turn.
func (h *httpApp) cut(s *httpSide) {
	s.interim = 0
	h.bind(s)
	x := s.x
	s.x = nil
	if other := &h.side[s.dir.Peer()]; other.x == x {
		other.x = nil
	}
	for i, w := range h.waiting {
		if w == x {
			h.waiting = append(h.waiting[:i], h.waiting[i+1:]...)
			break
		}
	}
	h.become(ProtoUnknown)
	h.c.caveat(CaveatPayloadCut)
	h.next.take(x)
}

// take makes a turn of an exchange that was to be one of messages.
func (t *turns) take(x *exchangeParts) {
	x.Exchange = Exchange{
		Index:       x.Index,
		Turn:        true,
		Request:     x.Request,
		Response:    x.Response,
		FirstRecord: x.FirstRecord,
		Judged:      x.Judged,
	}
	for _, m := range [...]*Message{x.Request, x.Response} {
		if m != nil {
			m.HeaderEnd = capture.Mark{}
			m.Facts &= HasGap
			m.BodyBytes = m.To - m.From
			m.HeaderBytes, m.Length, m.Framing, m.Complete = 0, noLength, ByTurn, false
		}
	}
	if x.Response != nil && x.Request != nil {
		x.Request.Complete = true
	}
	t.cur = x
}

// Fin ends what dir sends.
func (h *httpApp) Fin(dir Dir, at capture.Mark) {
	if h.next != nil {
		h.next.Fin(dir, at)
		return
	}
	if h.over || h.fin[dir] {
		return
	}
	h.closing.close(dir)
	h.fin[dir] = true
	if dir == FromClient {
		h.requestsEnd()
		return
	}
	s := &h.side[FromServer]
	if s.phase == closeBody && s.msg.Framing == ByClose {
		h.complete(s)
	}
	h.responseEnd(h.broken(Truncated))
	h.unanswered(h.broken(NoResponse))
}

// Rst ends the connection, in both directions.
func (h *httpApp) Rst(dir Dir, at capture.Mark) {
	if h.next != nil {
		h.next.Rst(dir, at)
		return
	}
	if h.over {
		return
	}
	h.closing.close(dir)
	more := dir == FromServer && !h.fin[FromClient] && h.side[FromClient].phase == between
	h.responseEnd(h.broken(ResetByPeer))
	h.requestsEnd()
	h.unanswered(h.broken(NoResponse))
	if more {
		h.fin[FromServer] = true // a request that was on its way will meet a closed socket
		return
	}
	h.over = true
}

// End leaves incomplete what the capture did not show to the end. A connection that the client had
// closed, and on which nothing more came, was given up by the client.
func (h *httpApp) End(at capture.Mark, ended bool) {
	if h.next != nil {
		h.next.End(at, ended)
		return
	}
	if h.over {
		return
	}
	o := Incomplete
	if !ended && h.begun {
		o = h.broken(NoResponse)
	}
	h.responseEnd(min(o, h.broken(Incomplete)))
	h.requestsEnd()
	h.unanswered(o)
	h.over = true
}

// requestsEnd is the end of the client's stream: a request that is not complete will never be.
// Responses may still come (half-close).
func (h *httpApp) requestsEnd() {
	s := &h.side[FromClient]
	x := s.x
	s.x, s.msg, s.line, s.phase = nil, nil, nil, between
	if x != nil && (x.missed || x.Response != nil && h.side[FromServer].x != x) {
		x.finish(x.Outcome)
	}
	if h.fin[FromServer] {
		h.unanswered(h.broken(NoResponse))
	}
}

// responseEnd is the end of the server's stream in the middle of a response; o is what becomes of
// it.
func (h *httpApp) responseEnd(o Outcome) {
	s := &h.side[FromServer]
	if s.msg == nil {
		return
	}
	if s.phase == startLine {
		h.bind(s) // as much as there is of a status line is the beginning of a response
	}
	x := s.x
	if s.phase == lost {
		o = Incomplete
	}
	s.x, s.msg, s.line, s.phase = nil, nil, nil, between
	if x != nil {
		h.settle(x, o)
	}
}

// unanswered ends the exchanges that will get no response. A request that is still being sent goes
// on.
func (h *httpApp) unanswered(o Outcome) {
	kept := h.waiting[:0]
	for _, x := range h.waiting {
		if h.side[FromClient].x == x {
			kept = append(kept, x)
			continue
		}
		x.finish(o)
	}
	clear(h.waiting[len(kept):])
	h.waiting = kept
}
