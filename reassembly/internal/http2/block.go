package http2

import (
	"encoding/binary"

	"tcpwhy/reassembly/exchange"
)

// block is a header block on its way: HEADERS or PUSH_PROMISE, and CONTINUATIONs.
type block struct {
	open      bool
	stream    uint32
	promised  uint32 // by PUSH_PROMISE; else 0
	ends      bool   // END_STREAM
	lost      bool   // some of it is missing, or there is too much of it
	fragments int
	octets    []byte // fragments before the one in hand
	// where it stands: becomes the message, if it turns out to begin one
	draft  exchange.Message
	record int
}

// blockBegins acts on the head of HEADERS or PUSH_PROMISE.
func (h *reader) blockBegins(s *side, a *exchange.Arrival) {
	f, b := &s.frames, &s.block
	room := b.octets[:0]
	if cap(room) > 4<<10 {
		room = nil
	}
	from := f.began.From(f.from)
	*b = block{
		open:   true,
		stream: f.head.stream,
		ends:   f.head.kind == headersFrame && f.head.has(endStream),
		octets: room,
		record: f.began.Record,
		draft: exchange.Message{
			Start: f.began.Start, End: a.At, From: from, To: from,
			Length: exchange.NoLength, Framing: exchange.ByStream,
		},
	}
	h.blockFollows(s)
	if s.dir == exchange.FromClient && f.head.kind == headersFrame {
		h.asks(s)
	}
	st := h.streams[b.stream]
	switch {
	case st != nil:
		s.owner = st.x.Index
	default:
		s.owner = exchange.UnknownOwner
	}
	h.blockOctets(s, f.from, headSize, a, 0)
}

// blockGoesOn acts on the head of a CONTINUATION.
func (h *reader) blockGoesOn(s *side, a *exchange.Arrival) {
	s.owner = exchange.UnknownOwner
	if st := h.streams[s.frames.head.stream]; st != nil {
		s.owner = st.x.Index
	}
	h.blockOctets(s, s.frames.from, headSize, a, 0)
}

// blockOctets takes octets of a frame with a header block.
func (h *reader) blockOctets(s *side, off, n int64, a *exchange.Arrival, facts exchange.Facts) {
	b := &s.block
	if !b.open {
		return
	}
	for _, m := range [...]*exchange.Message{&b.draft, h.heading(s)} {
		if m != nil {
			m.HeaderBytes += n
			m.Facts |= facts
			m.Grow(a.To(off+n), a.At)
		}
	}
}

// heading is the request that the block in hand is the header section of; nil if it is another
// block.
func (h *reader) heading(s *side) *exchange.Message {
	st := h.streams[s.block.stream]
	if s.dir == exchange.FromServer || st == nil || st.headed[s.dir] {
		return nil
	}
	return st.x.Request
}

// fragment takes the payload of a frame with a header block.
func (h *reader) fragment(s *side, a *exchange.Arrival) {
	f, b := &s.frames, &s.block
	if !b.open { // its beginning was lost, with what that inserted
		s.table.forget()
		return
	}
	part, ok := []byte(nil), false
	if !f.broken && f.needed() == 0 && int64(f.head.length) <= maxBlock {
		part, ok = f.unpadded()
	}
	if ok && f.head.kind == promiseFrame {
		at := f.head.prefix() - 4
		b.promised = binary.BigEndian.Uint32(f.kept[at:]) &^ (1 << 31)
	}
	b.fragments++
	if !ok || b.fragments > maxFragments || len(b.octets)+len(part) > maxBlock {
		b.lost, b.octets = true, nil
	}
	switch {
	case !f.head.has(endHeaders) && !b.lost:
		b.octets = append(b.octets, part...)
	case !f.head.has(endHeaders):
	case len(b.octets) > 0:
		h.blockEnds(s, append(b.octets, part...), a)
	default:
		h.blockEnds(s, part, a)
	}
}

// blockLost gives up a block that another frame cut off.
func (h *reader) blockLost(s *side) {
	s.block.lost = true
	h.c.Caveats.Add(exchange.CaveatFramesLost)
	h.blockEnds(s, nil, &s.frames.began)
}

// blockEnds acts on a block that is complete.
func (h *reader) blockEnds(s *side, octets []byte, a *exchange.Arrival) {
	b := &s.block
	b.open = false
	fields, ok := h.fields[:0], false
	if b.lost {
		s.table.forget()
	} else {
		fields, ok = s.table.read(octets, fields)
	}
	if !ok {
		b.draft.Facts |= exchange.HasGap
	}
	if !ok || unknown(fields) {
		h.c.Caveats.Add(exchange.CaveatFieldsGap)
	}
	switch {
	case b.promised != 0:
		h.promises(b.promised, fields)
	case s.dir == exchange.FromClient:
		h.requestBlock(s, fields, ok, a)
	default:
		h.responseBlock(s, fields, a)
	}
	clear(fields)
	h.fields = fields[:0]
}

// blocksMissed notes that header blocks of s may pass unseen from here on, and with them what they
// insert into the table. Where all that the client asked has ended, it can only ask anew, and the
// number of its next stream will tell whether it did.
func (h *reader) blocksMissed(s *side) {
	inHand := s.block.open || s.frames.inPayload() && s.frames.head.kind == headersFrame
	if s.dir == exchange.FromServer || inHand || h.asking() {
		s.table.forget()
		return
	}
	s.table.doubted = true
}

// asking reports whether a request is under way, which may have trailers.
func (h *reader) asking() bool {
	for _, st := range h.streams {
		if !st.ended[exchange.FromClient] {
			return true
		}
	}
	return false
}

// blockFollows acts on a header block behind others that may have been missed: if it asks on the
// next stream, there were none.
func (h *reader) blockFollows(s *side) {
	if !s.table.doubted {
		return
	}
	next := s.highest + 2
	if s.highest == 0 {
		next = 1
	}
	s.table.doubted = false
	if s.frames.head.kind != headersFrame || s.frames.head.stream != next {
		s.table.forget()
	}
}

// unknown reports whether something about a field is.
func unknown(fields []field) bool {
	for i := range fields {
		if !fields[i].known {
			return true
		}
	}
	return false
}
