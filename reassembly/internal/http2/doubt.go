package http2

import "tcpwhy/reassembly/exchange"

// Where the capture lacks frames, any stream that was open may have ended.

const (
	// settleBehind is after how many responses of other streams one counts as ended that has said
	// nothing since frames were missed, and each how many responses that is looked at. It is about
	// memory only: of such a stream nobody knows the end either way.
	settleBehind = 256
	settleEach   = 64
)

// doubtful reports whether an end of the stream may have passed unseen: its last frames, or a reset
// by either side.
func (st *stream) doubtful() bool { return st.doubted[0] || st.doubted[1] }

// passUnseen notes that octets of s pass in which any frames may be.
func (h *reader) passUnseen(s *side) {
	if s.swept {
		return
	}
	s.swept = true
	for _, st := range h.streams {
		h.doubt(st, s.dir)
	}
}

// doubt notes that frames of dir may have passed unseen.
func (h *reader) doubt(st *stream, dir exchange.Dir) {
	if !st.doubtful() {
		h.doubted++
		st.since = h.ended
	}
	st.doubted[dir] = true
	if m := st.message(dir); m != nil && !st.ended[dir] && !m.Facts.Has(exchange.HasGap) {
		m.Facts |= exchange.HasGap
		st.supposed[dir] = true
	}
}

// sure notes that the stream goes on in dir.
func (h *reader) sure(st *stream, dir exchange.Dir) {
	was := st.doubtful()
	if st.doubted[dir] {
		h.side[dir].swept = false
	}
	if st.doubted[dir] = false; was && !st.doubtful() {
		h.doubted--
	}
}

// settleDoubts ends streams that have said nothing since frames were missed and so many responses
// have ended.
func (h *reader) settleDoubts(behind int) {
	for _, st := range h.sorted() {
		if st.doubtful() && h.ended-st.since >= behind {
			h.finishUnseen(st)
		}
	}
}

// finishUnseen ends a stream whose end may have passed unseen.
func (h *reader) finishUnseen(st *stream) {
	st.x.EndUnseen = true
	h.finish(st, exchange.Incomplete)
}

// forget forgets a stream.
func (h *reader) forget(st *stream) {
	if st.doubtful() {
		h.doubted--
	}
	delete(h.streams, st.id)
}
