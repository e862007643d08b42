package http2

import (
	"math"

	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
)

const (
	// maxStreams caps the streams of a connection that are followed at a time.
	maxStreams = 2000
	// maxVain is how many streams may be reset before anything of their response came, beyond twice
	// those that were answered: more are a flood (CVE-2023-44487), of which no more are followed.
	maxVain = 1000
)

// reader makes exchanges of the streams of an HTTP/2 connection. It is tolerant: what an endpoint
// would end the connection for is passed over.
type reader struct {
	exchange.Closing
	c        *exchange.Context
	info     *exchange.H2Conn
	side     [2]side
	streams  map[uint32]*stream
	promised map[uint32]promise
	early    wishes
	unseen   []idRange // streams that may have been opened where the capture lacks octets
	answered int       // streams whose response began
	vain     int       // streams that were reset before that
	doubted  int       // open streams whose end may be among them
	ended    int       // responses that have ended
	over     bool      // a RST has ended the connection
	fields   []field   // room for those of a block
	kept     kept
	next     exchange.Reader // has taken over: the capture cuts what would have to be read
}

// kept is the words that were kept last, as they often come again.
type kept struct{ method, target, host, agent, software, powered, via string }

// phase is what a direction expects next.
type phase uint8

const (
	framed  phase = iota // a frame, or more of it
	opening              // the preface
	lost                 // nobody knows: a head is missing
)

// side is what is known of one direction.
type side struct {
	dir     exchange.Dir
	phase   phase
	greeted int // octets of the preface so far
	frames  frames
	unsure  bool // where the next frame begins is not certain
	swept   bool // all open streams are doubted in this direction
	owner   int  // of the frame in hand
	block   block
	table   table
	search  search
	highest uint32          // of the streams that it opened
	limit   uint32          // the longest payload that it may send
	sent    credit          // what it may still send: its peer's flow control
	frame   capture.FrameID // that carried the latest octets
}

// newReader reads a connection from its beginning, or from where another reader ends.
func newReader(c *exchange.Context, static []field, from *exchange.Takeover) *reader {
	h := &reader{c: c, info: &exchange.H2Conn{}, streams: map[uint32]*stream{}}
	c.HTTP2 = h.info
	h.info.Lossy = c.TCP.MidStream()
	for dir := range h.side {
		h.side[dir].dir = exchange.Dir(dir)
		h.side[dir].unsure = h.info.Lossy
		h.side[dir].table.static = static
		h.side[dir].limit = leastFrameLimit
		h.side[dir].sent = newCredit()
	}
	h.side[exchange.FromClient].phase = opening
	if from != nil {
		h.goOn(from)
	}
	if h.info.Lossy {
		h.unknownWindows()
	}
	return h
}

// goOn takes over a connection that another reader has read so far.
func (h *reader) goOn(from *exchange.Takeover) {
	h.Closing, h.over = from.Closing, from.Over
	if from.Asked != nil {
		h.upgraded(from.Asked, from.Settings)
		return
	}
	if from.Turn != nil {
		h.c.Finish(from.Turn, exchange.Incomplete)
	}
	other := &h.side[from.Speaker.Peer()]
	switch {
	case from.Unseen:
		h.info.Lossy = true
		h.side[from.Speaker].limit, other.limit = greatestFrame, greatestFrame
		other.phase = lost
		h.c.Caveats.Add(exchange.CaveatFramesGap)
	case from.Speaker == exchange.FromServer && from.Turn != nil:
		other.phase = lost // what it said is no preface
	}
}

// Data reads octets of dir's stream.
func (h *reader) Data(dir exchange.Dir, off int64, data []byte, a *exchange.Arrival) {
	s := &h.side[dir]
	s.frame = a.Seen.Frame
	if h.next != nil {
		h.next.Data(dir, off, data, a)
		return
	}
	if s.phase == lost && h.goesOn(data) {
		s.phase = framed
	}
	for len(data) > 0 && !h.over {
		n := h.step(s, off, data, a)
		off += int64(n)
		data = data[n:]
	}
}

// step consumes at least one octet, or changes the phase.
func (h *reader) step(s *side, off int64, data []byte, a *exchange.Arrival) int {
	switch {
	case s.phase == opening:
		return h.greet(s, off, data, a)
	case s.phase == lost:
		return h.find(s, off, data, a)
	case s.frames.inPayload():
		n := min(s.frames.left, int64(len(data)))
		s.frames.keep(data[:n])
		h.pass(s, off, n, data[:n], a, 0)
		return int(n)
	}
	n := s.frames.takeHead(off, data, a)
	if s.frames.inPayload() {
		h.begins(s, off+int64(n), a)
	}
	return n
}

// greet takes octets of the preface. Where HTTP/1 was asked for it, its first line has been read.
func (h *reader) greet(s *side, off int64, data []byte, a *exchange.Arrival) int {
	if s.greeted == 0 && data[0] == preface[firstLine] {
		s.greeted = firstLine
	}
	n := min(len(data), len(preface)-s.greeted)
	switch {
	case string(data[:n]) == preface[s.greeted:s.greeted+n]:
		s.greeted += n
		h.own(s, off, int64(n), a, exchange.NoExchange)
	case s.greeted == 0 && (h.info.Lossy || resumes(data)):
		n = 0
	default:
		h.lose(s, exchange.CaveatFramesLost)
		return 0
	}
	if s.greeted == len(preface) || n == 0 {
		s.phase = framed
	}
	return n
}

// own notes whose n octets are.
func (h *reader) own(s *side, off, n int64, a *exchange.Arrival, owner int) {
	if n > 0 {
		h.info.Owners[s.dir].Add(exchange.Range{From: a.From(off), To: a.To(off + n)}, owner)
	}
}

// begins acts on the head of a frame, whose payload is at off.
func (h *reader) begins(s *side, off int64, a *exchange.Arrival) {
	f := &s.frames
	hd := &f.head
	if hd.length > s.limit || s.unsure && !hd.plausible(h.side[exchange.FromClient].highest) {
		h.lose(s, exchange.CaveatFramesLost)
		return
	}
	s.unsure = false
	if s.block.open && (hd.kind != continuationFrame || hd.stream != s.block.stream) {
		h.blockLost(s)
	}
	s.owner = exchange.NoExchange
	if !hd.fits() {
		hd.kind = unknownKind(hd.kind)
	}
	switch hd.kind {
	case headersFrame, promiseFrame:
		h.blockBegins(s, a)
	case continuationFrame:
		h.blockGoesOn(s, a)
	case dataFrame:
		h.dataBegins(s)
	case updateFrame, settingsFrame:
		if !hd.has(ack) {
			s.owner = exchange.Credit
		}
	}
	h.own(s, f.from, off-f.from, &f.began, s.owner)
	if f.left == 0 {
		h.ends(s, off, a)
	}
}

// unknownKind is what a frame is taken for whose length is none of its type: one that is passed
// over.
func unknownKind(kind) kind { return 0xff }

// pass takes n octets of the payload, with their content if there is any.
func (h *reader) pass(
	s *side,
	off, n int64,
	data []byte,
	a *exchange.Arrival,
	facts exchange.Facts,
) {
	f := &s.frames
	h.own(s, off, n, a, s.owner)
	switch f.head.kind {
	case dataFrame:
		h.dataOctets(s, off, n, data, a, facts)
	case headersFrame, continuationFrame, promiseFrame:
		h.blockOctets(s, off, n, a, facts)
	}
	f.left -= n
	if f.left == 0 {
		h.ends(s, off+n, a)
	}
}

// ends acts on a frame that is complete.
func (h *reader) ends(s *side, off int64, a *exchange.Arrival) {
	f := &s.frames
	switch f.head.kind {
	case headersFrame, continuationFrame, promiseFrame:
		h.fragment(s, a)
	case dataFrame:
		h.dataEnds(s, a)
	default:
		h.control(s, off, a)
	}
	f.end()
}

// Skip is how much lies ahead of which no content is needed.
func (h *reader) Skip(dir exchange.Dir) int64 {
	s := &h.side[dir]
	switch {
	case h.next != nil:
		return h.next.Skip(dir)
	case h.over:
		return math.MaxInt64
	case s.phase != framed || !s.frames.inPayload() || s.frames.needed() > 0:
		return 0
	case s.frames.head.kind == dataFrame:
		return h.dataSkip(s)
	}
	return s.frames.left
}

// Skipped takes octets without content.
func (h *reader) Skipped(dir exchange.Dir, off, n int64, a *exchange.Arrival) {
	h.side[dir].frame = a.Seen.Frame
	if h.next != nil {
		h.next.Skipped(dir, off, n, a)
		return
	}
	h.unread(dir, off, n, a, 0)
}

// Gap takes octets that the capture lacks: where all of them are of one frame, no more than those
// are lost.
func (h *reader) Gap(dir exchange.Dir, off, n int64, a *exchange.Arrival) {
	if s := &h.side[dir]; h.next == nil && s.frame == a.Seen.Frame && s.misses(n) {
		h.cut()
	}
	if h.next != nil {
		h.next.Gap(dir, off, n, a)
		return
	}
	h.unread(dir, off, n, a, exchange.HasGap)
}

// misses reports whether n octets from the next one on have something that has to be read.
func (s *side) misses(n int64) bool {
	f := &s.frames
	return s.phase == opening ||
		s.phase == framed && (!f.inPayload() || n > f.left || f.needed() > 0)
}

// unread takes octets without content.
func (h *reader) unread(dir exchange.Dir, off, n int64, a *exchange.Arrival, facts exchange.Facts) {
	s := &h.side[dir]
	for n > 0 && !h.over {
		if s.phase == framed && !s.frames.inPayload() || s.phase == opening {
			h.lose(s, exchange.CaveatFramesGap)
		}
		if s.phase == lost {
			h.passUnseen(s)
			s.search.pass()
			return
		}
		step := min(n, s.frames.left)
		s.frames.miss()
		s.unsure = a.Unit.To > 0 // how much of it was padding of records is not known
		h.pass(s, off, step, nil, a, facts)
		off += step
		n -= step
	}
}

// lose gives up where frames begin in a direction.
func (h *reader) lose(s *side, caveat string) {
	h.c.Caveats.Add(caveat)
	h.blocksMissed(s)
	s.phase, s.unsure = lost, false
	s.frames.end()
	s.search.lose()
	s.block.open = false
	h.info.Lossy = true
	h.unknownWindows()
	h.passUnseen(s)
}

// find searches the beginning of a frame.
func (h *reader) find(s *side, off int64, data []byte, a *exchange.Arrival) int {
	hd, n := s.search.look(off, data, h.side[exchange.FromClient].highest, h.isOpen)
	if n != headSize {
		h.passUnseen(s)
	}
	if n == 0 {
		return len(data)
	}
	s.phase = framed
	f := &s.frames
	f.from, f.began = off+int64(n)-headSize, *a
	f.begin(hd)
	h.begins(s, off+int64(n), a)
	return n
}

// isOpen reports whether a stream is open, as far as is known.
func (h *reader) isOpen(id uint32) bool { return h.streams[id] != nil }

// goesOn reports whether data, which begins a segment or a record, begins with a frame.
func (h *reader) goesOn(data []byte) bool {
	return goesOn(data, h.side[exchange.FromClient].highest) || ofOpen(data, h.isOpen)
}
