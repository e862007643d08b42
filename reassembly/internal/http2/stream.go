package http2

import (
	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
)

// stream is one that is open.
type stream struct {
	x      *exchange.Parts
	id     uint32
	headed [2]bool // the header section of dir's message has been read
	ended  [2]bool // END_STREAM
	// frames of dir may have passed unseen, its last one among them
	doubted [2]bool
	// because of that alone, octets of dir's message are thought to be missing
	supposed [2]bool
	since    int     // how many responses had ended when the first doubt came
	tunnel   *tunnel // nil: its DATA carries a message
	socket   bool    // it asks for a WebSocket
	calls    *[2]calls
	sent     [2]window // what its sides may send
}

// message is that of dir; nil if it has not begun.
func (st *stream) message(dir exchange.Dir) *exchange.Message {
	if dir == exchange.FromClient {
		return st.x.Request
	}
	return st.x.Response
}

// idRange are the numbers of streams from the first up to the last.
type idRange struct{ first, last uint32 }

// maxUnseen caps the ranges that are kept.
const maxUnseen = 16

// promise is a request that a server says it will answer unasked.
type promise struct{ method, target, host string }

// asks acts on HEADERS of the client: they begin a stream, or belong to one that is open.
func (h *reader) asks(s *side) {
	b := &s.block
	if h.streams[b.stream] != nil || b.stream <= s.highest || b.stream%2 == 0 {
		return
	}
	h.skipTo(b.stream)
	s.highest = b.stream
	if st := h.open(b.stream, b.record); st != nil {
		st.x.Version = version
		st.x.Refused = h.refused(b.stream)
		draft := b.draft
		st.x.Ask(draft)
	}
}

// version is that of all messages here.
const version = "HTTP/2"

// skipTo notes the streams between the highest and id as unseen, if the capture lacks frames.
func (h *reader) skipTo(id uint32) {
	first := h.side[exchange.FromClient].highest | 1
	if h.side[exchange.FromClient].highest > 0 {
		first += 2
	}
	if h.info.Lossy && first < id {
		if len(h.unseen) == maxUnseen {
			h.unseen = append(h.unseen[:0], h.unseen[1:]...)
		}
		h.unseen = append(h.unseen, idRange{first, id - 2})
	}
}

// mayBeUnseen reports whether a stream may have been opened unseen, by what the server had heard
// when it answered.
func (h *reader) mayBeUnseen(id uint32, heard exchange.Heard) bool {
	if id%2 == 0 {
		return h.info.Lossy // its promise may have passed unseen
	}
	for _, r := range h.unseen {
		if r.first <= id && id <= r.last {
			return true
		}
	}
	return id > h.side[exchange.FromClient].highest && (h.info.Lossy || heard.Unseen)
}

// open begins an exchange; nil if too many are open, or were reset.
func (h *reader) open(id uint32, record int) *stream {
	h.info.Streams++
	if len(h.streams) >= maxStreams && h.doubted > 0 {
		h.settleDoubts(0)
	}
	if len(h.streams) >= maxStreams || h.vain > maxVain+2*h.answered {
		h.c.Caveats.Add(exchange.CaveatManyStreams)
		return nil
	}
	st := &stream{id: id, x: h.c.BeginStream(record, id)}
	h.follow(st)
	h.info.MostOpen = max(h.info.MostOpen, len(h.streams)-h.doubted)
	return st
}

// follow takes st among the open streams.
func (h *reader) follow(st *stream) {
	for dir := range st.sent {
		st.sent[dir].begin(&h.side[dir].sent.stream, h.info.Lossy)
	}
	h.streams[st.id] = st
	h.side[0].swept, h.side[1].swept = false, false
}

// upgraded takes over the request of HTTP/1 that asked for HTTP/2: it is stream 1, half closed (RFC
// 7540 §3.2).
func (h *reader) upgraded(x *exchange.Parts, announced []byte) {
	h.announced(exchange.FromClient, announced, &exchange.Arrival{At: x.Request.End})
	x.Stream = 1
	st := &stream{id: 1, x: x}
	h.follow(st)
	st.headed[exchange.FromClient], st.ended[exchange.FromClient] = true, true
	h.side[exchange.FromClient].highest = 1
	h.info.Streams, h.info.MostOpen = 1, 1
}

// requestBlock acts on a header block of the client: of a request, or its trailers.
func (h *reader) requestBlock(s *side, fields []field, ok bool, a *exchange.Arrival) {
	st := h.streams[s.block.stream]
	if st == nil {
		return
	}
	h.sure(st, s.dir)
	if !st.headed[s.dir] && st.x.Request != nil {
		st.headed[s.dir] = true
		m := st.x.Request
		m.HeaderEnd = m.End
		if !ok {
			m.Facts |= exchange.HasGap
		}
		h.kept.request(st, fields)
		h.wishes(st, fields, ok)
	} else if m := st.x.Request; m != nil {
		m.Grow(s.block.draft.To, a.At)
	}
	if s.block.ends {
		h.end(st, s.dir)
	}
}

// responseBlock acts on a header block of the server: of an interim or the final response, or of
// its trailers.
func (h *reader) responseBlock(s *side, fields []field, a *exchange.Arrival) {
	b := &s.block
	status := statusOf(fields)
	st := h.streams[b.stream]
	if st == nil {
		st = h.unasked(s, status, a.Heard)
	}
	if st == nil {
		return
	}
	x := st.x
	h.sure(st, s.dir)
	switch {
	case st.headed[s.dir]: // trailers
		h.kept.trailers(st, fields)
		if x.Status == 0 {
			x.Status = status
		}
		x.Response.Grow(b.draft.To, a.At)
	case status >= 100 && status < 200 && !b.ends:
		if len(x.Interim) < maxInterim {
			x.Interim = append(x.Interim, exchange.Interim{Status: status, At: a.At})
		} else {
			h.c.Caveats.Add(exchange.CaveatInterim)
		}
		return
	default:
		h.answers(s, st, status, fields)
	}
	if b.ends {
		h.end(st, s.dir)
	}
}

// maxInterim caps the interim responses that are kept of an exchange.
const maxInterim = 16

// answers begins the final response.
func (h *reader) answers(s *side, st *stream, status int, fields []field) {
	x := st.x
	facts := exchange.Facts(0)
	if x.Response != nil { // of which DATA was seen, but not the beginning
		facts = x.Response.Facts
	}
	st.headed[s.dir] = true
	h.answered++
	m := x.Answer(s.block.draft)
	m.HeaderEnd = m.End
	m.Facts |= facts
	x.Status, x.ResponseVersion = status, version
	if x.Version == "" {
		x.Version = version
	}
	h.kept.response(st, fields)
	if tunnels := x.Method == "CONNECT" && status >= 200 && status < 300; tunnels {
		m.Complete = true
		h.c.Finish(x, exchange.Upgraded)
		h.tunnels(st)
	}
}

// unasked begins the exchange of a response whose request is not there: it was pushed, or passed
// where the capture lacks frames; nil if it is neither.
func (h *reader) unasked(s *side, status int, heard exchange.Heard) *stream {
	b := &s.block
	p, pushed := h.promised[b.stream]
	if status > 0 && status < 200 || !pushed && !h.mayBeUnseen(b.stream, heard) {
		return nil
	}
	st := h.open(b.stream, b.record)
	if st == nil {
		return nil
	}
	st.ended[exchange.FromClient] = true
	h.info.Owners[s.dir].Add(exchange.Range{From: b.draft.From, To: b.draft.To}, st.x.Index)
	st.x.Pushed = b.stream%2 == 0
	if pushed {
		delete(h.promised, b.stream)
		st.x.Method, st.x.Target, st.x.Host = p.method, p.target, p.host
	}
	return st
}

// maxPromised caps the promises that wait.
const maxPromised = 256

// promises notes what a server will push.
func (h *reader) promises(id uint32, fields []field) {
	if len(h.promised) >= maxPromised || id%2 != 0 {
		return
	}
	if h.promised == nil {
		h.promised = map[uint32]promise{}
	}
	var x exchange.Exchange
	h.kept.asked(&x, fields)
	h.promised[id] = promise{x.Method, x.Target, x.Host}
}

// end notes the end of dir's message.
func (h *reader) end(st *stream, dir exchange.Dir) {
	st.ended[dir] = true
	h.sure(st, dir)
	m := st.message(dir)
	if m == nil || st.tunnel != nil {
		h.closeTunnel(st)
		return
	}
	m.Complete = true
	if st.supposed[dir] && m.Length >= 0 && m.BodyBytes == m.Length {
		m.Facts &^= exchange.HasGap // nothing of it was missing after all
	}
	if dir == exchange.FromServer {
		st.x.Outcome = exchange.Complete
		if st.cut() {
			st.x.Outcome, m.Complete = exchange.Truncated, false
		}
		if h.ended++; h.ended%settleEach == 0 && h.doubted > 0 {
			h.settleDoubts(settleBehind)
		}
	}
	if st.ended[exchange.FromServer] &&
		(st.ended[exchange.FromClient] || st.doubted[exchange.FromClient]) {
		h.finish(st, st.x.Outcome)
	}
}

// closeTunnel forgets a stream whose exchange is over, once both sides have ended it.
func (h *reader) closeTunnel(st *stream) {
	if st.tunnel != nil && st.ended[0] && st.ended[1] {
		st.tunnel.end(capture.Mark{}, false)
		h.forget(st)
	}
}

// cut reports whether the response has fewer or more octets than it had announced (RFC 9113
// §8.1.1).
func (st *stream) cut() bool {
	x, m := st.x, st.x.Response
	bodiless := x.Method == "HEAD" || x.Method == "" || x.Status == 204 || x.Status == 304
	return m.Length >= 0 && m.BodyBytes != m.Length && !m.Facts.Has(exchange.HasGap) &&
		!(bodiless && m.BodyBytes == 0)
}

// finish ends the exchange of a stream, and forgets the stream.
func (h *reader) finish(st *stream, o exchange.Outcome) {
	if o != exchange.Complete {
		st.x.Shut = h.shut(st)
	}
	h.forget(st)
	h.c.Finish(st.x, o)
}
