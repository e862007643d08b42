package http1

import "tcpwhy/reassembly/exchange"

// begin starts a message with the octet at off.
func (h *reader) begin(s *side, off int64, a *exchange.Arrival) {
	from := a.From(off)
	m := exchange.Message{
		Start:  a.Start,
		End:    a.At,
		From:   from,
		To:     from,
		Length: exchange.NoLength,
	}
	s.phase, s.used, s.interim, s.sent, s.missed = startLine, 0, 0, a.Seen, false
	s.head = header{length: exchange.NoLength}
	if s.dir == exchange.FromServer {
		s.draft, s.msg, s.x = m, &s.draft, nil
		s.record = a.Record
		return
	}
	if len(h.waiting) >= maxWaiting {
		h.c.Caveats.Add(exchange.CaveatOutstanding)
		h.become(exchange.ProtoUnknown, nil)
		return
	}
	h.noticePipelining(a)
	h.scrap = scrap{}
	s.x = h.c.Begin(a.Record)
	s.msg = s.x.Ask(m)
	h.waiting = append(h.waiting, asked{s.x, a.Seen, a.Heard.To})
}

// noticePipelining looks at what is unanswered as a request begins. A client that has not pipelined
// before does not ask before it has read the answer: a response whose end was lost from sight has
// ended then; and one of which nothing has been seen may have come all the same, if the client has
// acknowledged more of the server's stream than was seen.
func (h *reader) noticePipelining(a *exchange.Arrival) {
	s := &h.side[exchange.FromServer]
	switch {
	case s.phase == lost && !h.pipelined:
		h.leave(s)
	case a.Heard.Unseen:
	case len(h.waiting) > 0, s.x != nil && s.phase != lost && s.phase != closeBody:
		h.pipelined = true
	}
}

// bind gives the response being read to the request that it answers, or to an exchange of its own.
func (h *reader) bind(s *side) {
	if s.dir == exchange.FromClient || s.x != nil || s.interim != 0 {
		return
	}
	if h.align(s.draft.From) && len(h.waiting) > 0 && !h.tooEarly(s, h.waiting[0]) {
		s.x = h.waiting[0].Parts
		n := copy(h.waiting, h.waiting[1:])
		h.waiting[n] = asked{}
		h.waiting = h.waiting[:n]
	} else {
		s.x = h.c.Begin(s.record)
		h.orphan = s.sent
	}
	s.msg = s.x.Answer(s.draft)
}

// tooEarly reports that a response cannot answer x, as it was sent before: it answers a request
// that the capture lacks. Without such a loss, the order in the capture is a lesser proof than the
// order of messages: several capture queues do not keep the order among each other.
func (h *reader) tooEarly(s *side, x asked) bool {
	return x.Request.Facts.Has(exchange.Resynced) && s.sent.Time < x.sent.Time
}

// requestLine acts on a request line.
func (h *reader) requestLine(s *side, line []byte, a *exchange.Arrival) {
	r, ok := parseRequestLine(line)
	if !ok {
		h.garbled(s)
		return
	}
	s.x.Method = knownMethod(r.method)
	if s.x.Method == "" {
		s.x.Method = exchange.KeepClean(&h.text.method, r.method, maxMethod)
	}
	s.x.Target = exchange.Keep(&h.text.target, r.target, maxTarget)
	s.x.Version = r.version
	if r.odd {
		s.msg.Facts |= exchange.BadHeader
	}
	s.phase = fields
	switch {
	case r.version == "HTTP/0.9":
		s.msg.HeaderBytes = int64(s.used)
		s.msg.HeaderEnd = a.At
		h.complete(s)
	case r.version == "HTTP/2.0" && s.x.Method == "PRI":
		s.msg.HeaderEnd = a.At
		h.become(exchange.ProtoHTTP2, nil)
	}
}

// garbled gives up a message that does not begin like one.
func (h *reader) garbled(s *side) {
	h.c.Caveats.Add(exchange.CaveatHTTPMessage)
	s.msg.Facts |= exchange.BadHeader
	s.msg.BodyBytes = int64(s.used)
	s.lineDone()
	s.phase = lost
}

// headerless acts on a stream that should begin a message and does not. A server answers a simple
// request so (RFC 1945 §6.1); otherwise these octets belong to no response.
func (h *reader) headerless(s *side) {
	if s.dir == exchange.FromClient {
		h.garbled(s)
		return
	}
	simple := len(h.waiting) > 0 && h.waiting[0].Version == "HTTP/0.9"
	answer := len(h.waiting) > 0
	h.bind(s)
	s.msg.Framing = exchange.ByClose
	if !simple {
		h.garbled(s)
	}
	s.msg.BodyBytes = int64(s.used)
	s.lineDone()
	if answer {
		s.phase = closeBody
	}
}

// statusLine acts on a status line. An interim response is never the answer (RFC 9110 §15.2); 101
// is.
func (h *reader) statusLine(s *side, line []byte) {
	version, status, odd, ok := parseStatusLine(line)
	if !ok {
		h.headerless(s)
		return
	}
	if odd {
		s.msg.Facts |= exchange.BadHeader
	}
	s.phase = fields
	if status < 200 && status != 101 {
		s.interim = status
		return
	}
	if len(h.waiting) == 0 && refuses(status) {
		h.askBadly()
	}
	h.bind(s)
	s.x.Status = status
	s.x.ResponseVersion = version
	if s.x.Request == nil {
		s.x.Version = version
	}
}

// maxInterim caps the interim responses that are kept of an exchange.
const maxInterim = 16

// interimEnd records an interim response.
func (h *reader) interimEnd(s *side, a *exchange.Arrival) {
	if len(h.waiting) > 0 && len(h.waiting[0].Interim) < maxInterim {
		x := h.waiting[0]
		x.Interim = append(x.Interim, exchange.Interim{Status: s.interim, At: a.At})
	} else {
		h.c.Caveats.Add(exchange.CaveatInterim)
	}
	s.msg, s.phase = nil, between
}

// headerEnd decides how the body is framed.
func (h *reader) headerEnd(s *side, a *exchange.Arrival) {
	if s.interim != 0 {
		h.interimEnd(s, a)
		return
	}
	m, hd := s.msg, &s.head
	m.HeaderEnd = a.At
	m.HeaderBytes = int64(s.used)
	s.used = 0
	hd.keepTrail(s.x)
	if hd.emptyLength {
		hd.length = badLength
		m.Facts |= exchange.LengthConflict
	}
	if hd.length >= 0 {
		m.Length = hd.length
	}
	if hd.chunked {
		m.Facts |= exchange.HasChunked
	}
	old := s.x.Version == "HTTP/1.0"
	if s.dir == exchange.FromServer {
		old = s.x.ResponseVersion == "HTTP/1.0"
	}
	if hd.oddCoding || hd.coded && (old || !hd.chunked) {
		m.Facts |= exchange.OddTransferEncoding
	}
	if hd.coded && m.Facts.Has(exchange.HasLength) {
		m.Facts |= exchange.LengthAndChunked
	}
	if s.dir == exchange.FromServer && h.bodiless(s, a) {
		return
	}
	h.frameBody(s)
}

// bodiless ends a response that has no body whatever its header says (RFC 9112 §6.3, rules 1 and
// 2).
func (h *reader) bodiless(s *side, a *exchange.Arrival) bool {
	x := s.x
	success := x.Status >= 200 && x.Status < 300
	switch {
	case x.Status == 101 && s.head.h2c:
		h.toHTTP2(s, a)
	case x.Status == 101 && s.head.websocket:
		h.upgrade(s, exchange.ProtoWebSocket)
	case x.Status == 101:
		h.upgrade(s, exchange.ProtoTunnel)
	case success && x.Method == "CONNECT":
		h.tunnel(s)
	case x.Method == "HEAD" || x.Status == 204 || x.Status == 304:
		h.complete(s)
	default:
		return false
	}
	return true
}

// frameBody applies the other rules of RFC 9112 §6.3. A request whose length cannot be known is
// read until the connection closes, as no more requests can be found in it.
func (h *reader) frameBody(s *side) {
	m, hd := s.msg, &s.head
	switch {
	case hd.chunked && hd.coded:
		m.Framing, s.phase = exchange.ByChunks, chunkSize
	case hd.coded || hd.length == badLength:
		m.Framing, s.phase = exchange.ByClose, closeBody
	case hd.length > 0:
		m.Framing, s.phase, s.left = exchange.ByLength, lengthBody, hd.length
	case hd.length == 0:
		m.Framing = exchange.ByLength
		h.complete(s)
	case s.dir == exchange.FromClient:
		h.complete(s)
	default:
		m.Framing, s.phase = exchange.ByClose, closeBody
	}
}

// complete ends the message being read.
func (h *reader) complete(s *side) {
	x := s.x
	s.msg.Complete = true
	s.msg, s.x, s.phase = nil, nil, between
	if s.dir == exchange.FromServer {
		h.settle(x, exchange.Complete)
		if x.Method == "CONNECT" && h.side[exchange.FromClient].phase == undecided {
			h.side[exchange.FromClient].phase = between
		}
		return
	}
	h.asks = true
	switch {
	case s.missed:
		h.c.Finish(x, exchange.Incomplete)
	case x.Method == "CONNECT" && x.Response == nil:
		s.phase = undecided
	case x.Response != nil && h.side[exchange.FromServer].x != x:
		h.c.Finish(x, x.Outcome)
	}
	if h.Finished[exchange.FromServer] {
		h.unanswered(h.Broken(exchange.NoResponse))
	}
}

// settle fixes the outcome of an exchange whose response will not go on. It is over unless its
// request goes on.
func (h *reader) settle(x *exchange.Parts, o exchange.Outcome) {
	if x.Over {
		return
	}
	x.Outcome = o
	if h.side[exchange.FromClient].x != x {
		h.c.Finish(x, o)
	}
}
