package http2

import (
	"math"

	"tcpwhy/reassembly/exchange"
)

// dataBegins acts on the head of DATA. All of the frame counts for flow control, padding too (RFC
// 9113 §6.1).
func (h *reader) dataBegins(s *side) {
	hd := &s.frames.head
	st := h.streams[hd.stream]
	h.charge(s, st)
	s.owner = exchange.UnknownOwner
	if st == nil || st.tunnel != nil {
		return
	}
	s.owner = st.x.Index
	m := h.body(s, st)
	h.sure(st, s.dir)
	if m != nil {
		m.Grow(s.frames.began.To(s.frames.from+headSize), m.End)
	}
}

// body is the message that DATA belongs to. If the capture lacks its beginning, that is now.
func (h *reader) body(s *side, st *stream) *exchange.Message {
	if m := st.message(s.dir); m != nil || s.dir == exchange.FromClient {
		return m
	}
	f := &s.frames
	from := f.began.From(f.from)
	return st.x.Answer(exchange.Message{
		Start: f.began.Start, End: f.began.At, From: from, To: from, Length: exchange.NoLength,
		Framing: exchange.ByStream, Facts: exchange.HasGap,
	})
}

// content is the part of n octets of DATA, of which lie before in the frame, that is neither
// padding nor its length: how many come first, and how many there are.
func (f *frames) content(before, n int64) (skip, size int64) {
	from, to := int64(f.head.prefix()), int64(f.head.length)
	if from > 0 && len(f.kept) > 0 {
		to = max(from, to-int64(f.kept[0]))
	}
	lo, hi := max(before, from), min(before+n, to)
	return max(lo-before, 0), max(hi-lo, 0)
}

// dataOctets takes octets of the payload of DATA.
func (h *reader) dataOctets(s *side, off, n int64, data []byte, a *exchange.Arrival,
	facts exchange.Facts) {
	f := &s.frames
	st := h.streams[f.head.stream]
	if st == nil {
		return
	}
	skip, size := f.content(int64(f.head.length)-f.left, n)
	if st.tunnel != nil {
		st.tunnel.carried(s, off, n, skip, size, data, a)
		return
	}
	m := st.message(s.dir)
	if m == nil {
		return
	}
	m.BodyBytes += size
	m.Facts |= facts
	m.Grow(a.To(off+n), a.At)
	if st.calls != nil {
		if data != nil {
			data = data[skip : skip+size]
		}
		st.call(s.dir, size, data, a)
	}
}

// dataEnds acts on a whole DATA frame.
func (h *reader) dataEnds(s *side, a *exchange.Arrival) {
	st := h.streams[s.frames.head.stream]
	if st == nil {
		return
	}
	if m := st.message(s.dir); m != nil && st.tunnel == nil {
		m.End = a.At
	}
	if st.tunnel != nil && s.frames.head.has(endStream) {
		st.tunnel.fin(s.dir, a.At)
	}
	if s.frames.head.has(endStream) {
		h.end(st, s.dir)
	}
}

// dataSkip is how much of the DATA in hand, from the next octet on, need not be looked at.
func (h *reader) dataSkip(s *side) int64 {
	f := &s.frames
	st := h.streams[f.head.stream]
	if st != nil && st.tunnel != nil {
		return st.tunnel.skip(s.dir, f.left)
	}
	if st == nil || st.calls == nil {
		return f.left
	}
	skip := st.calls[s.dir].skip()
	if skip == math.MaxInt64 {
		return f.left
	}
	return min(f.left, skip)
}
