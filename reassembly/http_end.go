package reassembly

import "tcpwhy/capture"

// resync looks for the start of a message at the beginning of a segment, after framing was lost.
func (h *httpApp) resync(s *httpSide, off int64, data []byte, a *Arrival) {
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
	h.c.Caveats.Add(CaveatHTTPResync)
	// A request that waited behind the gap, while its response was already read, must not wait for
	// the next one.
	if s.dir == FromClient && h.orphan.Frame != 0 && h.orphan.Time >= s.sent.Time {
		s.missed = true
		h.waiting = h.waiting[:len(h.waiting)-1]
	}
}

// lose gives up the framing of a message at a gap. If the gap is the end of a frame that the
// capture cut, headers will be cut again and again, and turns are all that can be had.
func (h *httpApp) lose(s *httpSide, off int64, a *Arrival) {
	if s.inHeader() && s.frame == a.Seen.Frame {
		h.cut(s)
		return
	}
	h.c.Caveats.Add(CaveatHTTPGap)
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
func (h *httpApp) adopt(s *httpSide, off int64, a *Arrival) {
	if s.dir == FromClient || s.msg != nil || len(h.waiting) == 0 {
		return
	}
	s.draft = Message{
		Start:   a.Start,
		End:     a.At,
		From:    a.From(off),
		To:      a.From(off),
		Length:  NoLength,
		Framing: ByClose,
		Facts:   HasGap | Resynced,
	}
	s.msg, s.x, s.interim = &s.draft, nil, 0
	s.record, s.sent = a.Record, a.Seen
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
	} else if s.missed || x.Response != nil && h.side[FromServer].x != x {
		h.c.Finish(x, x.Outcome)
	}
}

// become hands the connection over to the reader of another protocol, with an exchange that has
// become a turn, if any. What is unfinished stays incomplete.
func (h *httpApp) become(p Protocol, turn *Parts) {
	for dir := range h.side {
		if x := h.side[dir].x; x != nil {
			h.c.Finish(x, x.Outcome)
		}
		h.side[dir].x, h.side[dir].msg, h.side[dir].line = nil, nil, nil
	}
	for _, x := range h.waiting {
		h.c.Finish(x.Parts, Incomplete)
	}
	h.waiting = nil
	h.c.Protocol = p
	h.next = h.c.Shared.Readers.Of(p, h.c, &Takeover{Closing: h.Closing, Turn: turn})
}

// upgrade ends the exchange that changes the protocol (RFC 9110 §7.8, §9.3.6).
func (h *httpApp) upgrade(s *httpSide, p Protocol) {
	s.msg.Complete = true
	s.x.Outcome = Upgraded
	h.c.Finish(s.x, Upgraded)
	h.become(p, nil)
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
		if w.Parts == x {
			h.waiting = append(h.waiting[:i], h.waiting[i+1:]...)
			break
		}
	}
	h.c.Caveats.Add(CaveatPayloadCut)
	x.BecomeTurn()
	h.become(ProtoUnknown, x)
}

// Fin ends what dir sends.
func (h *httpApp) Fin(dir Dir, at capture.Mark) {
	if h.next != nil {
		h.next.Fin(dir, at)
		return
	}
	if h.over || h.Finished[dir] {
		return
	}
	h.Close(dir)
	h.Finished[dir] = true
	if dir == FromClient {
		h.requestsEnd()
		return
	}
	s := &h.side[FromServer]
	if s.phase == closeBody && s.msg.Framing == ByClose {
		h.complete(s)
	}
	h.responseEnd(h.Broken(Truncated))
	h.unanswered(h.Broken(NoResponse))
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
	h.Close(dir)
	more := dir == FromServer && !h.Finished[FromClient] && h.side[FromClient].phase == between
	h.responseEnd(h.Broken(ResetByPeer))
	h.requestsEnd()
	h.unanswered(h.Broken(NoResponse))
	if more {
		h.Finished[FromServer] = true // a request that was on its way will meet a closed socket
		return
	}
	h.over = true
}

// End leaves incomplete what the capture did not show to the end. A connection that the client had
// closed, and on which nothing more came, was given up by the client.
func (h *httpApp) End(at capture.Mark, ended bool) {
	defer h.from.keep(h)
	if h.next != nil {
		h.next.End(at, ended)
		return
	}
	if h.over {
		return
	}
	o := Incomplete
	if !ended && h.Begun {
		o = h.Broken(NoResponse)
	}
	h.responseEnd(min(o, h.Broken(Incomplete)))
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
	if x != nil && (s.missed || x.Response != nil && h.side[FromServer].x != x) {
		h.c.Finish(x, x.Outcome)
	}
	if h.Finished[FromServer] {
		h.unanswered(h.Broken(NoResponse))
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
		if h.side[FromClient].x == x.Parts {
			kept = append(kept, x)
			continue
		}
		h.c.Finish(x.Parts, o)
	}
	clear(h.waiting[len(kept):])
	h.waiting = kept
}
