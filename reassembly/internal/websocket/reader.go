// Package websocket reads WebSockets (RFC 6455): the heads of frames, the ends of messages, Pings
// and Close codes. What messages say is never looked at.
package websocket

import (
	"encoding/binary"
	"math"
	"time"

	"tcpwhy/reassembly/exchange"
)

// recogniser makes readers. Nothing is recognised: who reads HTTP says when a WebSocket begins.
type recogniser struct{}

// New makes readers of WebSockets.
func New() exchange.Recogniser { return recogniser{} }

// Protocol is that of WebSockets.
func (recogniser) Protocol() exchange.Protocol { return exchange.ProtoWebSocket }

// Opening knows none.
func (recogniser) Opening(exchange.Dir, []byte) exchange.Verdict { return exchange.Foreign }

// Resumes knows none.
func (recogniser) Resumes(exchange.Dir, []byte) bool { return false }

// Reader reads a WebSocket from its first frame on.
func (recogniser) Reader(c *exchange.Context, from *exchange.Takeover) exchange.Reader {
	w := &reader{c: c, info: &exchange.WebSocket{}}
	for dir := range w.side {
		w.side[dir].dir = exchange.Dir(dir)
	}
	if from != nil {
		w.Closing, w.over = from.Closing, from.Over
		if x := from.Asked; x != nil {
			w.info.Opening, w.info.Stream = x.Index, x.Stream
		}
	}
	c.AddWebSocket(w.info)
	if w.info.Stream == 0 {
		c.Socket = &[2]exchange.Owners{}
	}
	return w
}

// reader makes exchanges of messages: one of a message of the client's and the server's next one,
// while they come by turns. Once they do not, nobody can tell what answers what: the rest is one
// exchange, on which either side says something when it has something to say.
type reader struct {
	exchange.Closing
	c    *exchange.Context
	info *exchange.WebSocket
	side [2]side
	x    *exchange.Parts // that goes on; nil if none does
	free bool            // messages do not come by turns
	over bool
}

// side is what is known of one direction.
type side struct {
	frames
	dir     exchange.Dir
	talking bool // a message has begun, and its last frame has not ended
	lost    bool // nobody knows where frames begin
	ping    struct {
		said    [mostControl]byte
		n       int
		at      time.Duration
		waiting bool
	}
}

// Data reads octets of dir's stream.
func (w *reader) Data(dir exchange.Dir, off int64, data []byte, a *exchange.Arrival) {
	s := &w.side[dir]
	for len(data) > 0 && !w.over {
		n := len(data)
		switch {
		case s.lost:
			w.own(s, off, int64(n), a)
			w.grow(s, off+int64(n), int64(n), a)
		case s.inside:
			n = int(min(s.left, int64(n)))
			w.payload(s, off, int64(n), data[:n], a, 0)
		default:
			if n = s.takeHead(off, data, a); s.inside {
				w.begins(s, off+int64(n), a)
			}
		}
		off += int64(n)
		data = data[n:]
	}
}

// Skipped takes octets without content.
func (w *reader) Skipped(dir exchange.Dir, off, n int64, a *exchange.Arrival) {
	w.unread(dir, off, n, a, 0)
}

// Gap takes octets that the capture lacks: where all of them are of one message's frame, no more
// than those are lost.
func (w *reader) Gap(dir exchange.Dir, off, n int64, a *exchange.Arrival) {
	w.unread(dir, off, n, a, exchange.HasGap)
}

// unread takes octets without content.
func (w *reader) unread(dir exchange.Dir, off, n int64, a *exchange.Arrival, facts exchange.Facts) {
	s := &w.side[dir]
	for n > 0 && !w.over {
		step := n
		if !s.inside && !s.lost {
			if s.have == 0 {
				s.from, s.began = off, *a
			}
			w.lose(s, exchange.CaveatSocketGap)
			w.own(s, s.from, off-s.from, &s.began)
			w.grow(s, off, off-s.from, a)
		}
		if s.lost {
			w.own(s, off, n, a)
			w.grow(s, off+n, n, a)
		} else {
			step = min(n, s.left)
			w.payload(s, off, step, nil, a, facts)
		}
		off += step
		n -= step
	}
}

// Skip is how much of a message lies ahead.
func (w *reader) Skip(dir exchange.Dir) int64 {
	s := &w.side[dir]
	switch {
	case w.over || s.lost:
		return math.MaxInt64
	case s.inside && !s.head.op.control():
		return s.left
	}
	return 0
}

// begins acts on the head of a frame, whose payload is at off.
func (w *reader) begins(s *side, off int64, a *exchange.Arrival) {
	h := &s.head
	fits := h.op.control() || (h.op == continuationFrame) == s.talking
	if h.odd || h.masked != (s.dir == exchange.FromClient) || !fits {
		w.lose(s, exchange.CaveatSocketLost)
		w.own(s, s.from, off-s.from, &s.began)
		w.grow(s, off, off-s.from, a)
		return
	}
	if !h.op.control() {
		own := &w.info.Sides[s.dir]
		own.Largest = max(own.Largest, h.length)
		if !s.talking {
			own.Messages++
			s.talking = true
			w.message(s)
		}
		w.grow(s, off, 0, a)
	}
	w.own(s, s.from, off-s.from, &s.began)
	if h.length == 0 {
		w.ends(s, a)
	}
}

// payload takes n octets of a frame at off, with their content if there is any.
func (w *reader) payload(
	s *side, off, n int64, data []byte, a *exchange.Arrival, facts exchange.Facts,
) {
	w.own(s, off, n, a)
	s.take(n, data)
	if !s.head.op.control() {
		if m := w.grow(s, off+n, n, a); m != nil {
			m.Facts |= facts
		}
	}
	if s.left == 0 {
		w.ends(s, a)
	}
}

// own notes whose n octets of s from off on are: of nobody those of a Ping or a Pong. A Close is
// what its sender has to say, and may be the answer to a message.
func (w *reader) own(s *side, off, n int64, a *exchange.Arrival) {
	if w.info.Stream != 0 || n == 0 {
		return
	}
	owner := exchange.UnknownOwner
	switch m := w.of(s); {
	case !s.lost && (s.head.op == pingFrame || s.head.op == pongFrame):
		owner = exchange.NoExchange
	case m != nil:
		owner = w.x.Index
	}
	w.c.Socket[s.dir].Add(exchange.Range{From: a.From(off), To: a.To(off + n)}, owner)
}

// ends acts on a frame that is complete.
func (w *reader) ends(s *side, a *exchange.Arrival) {
	w.info.Sides[s.dir].Latest = a.At
	if s.head.op.control() {
		if !s.broken {
			w.control(s, a)
		}
	} else if s.head.final {
		s.talking = false
		w.said(s)
	}
	s.end()
}

// control acts on a control frame.
func (w *reader) control(s *side, a *exchange.Arrival) {
	own, peer := &w.info.Sides[s.dir], &w.side[s.dir.Peer()]
	switch s.head.op {
	case pingFrame:
		own.Pings++
		p := &s.ping
		p.n, p.at, p.waiting = copy(p.said[:], s.kept), a.At.Time, true
	case pongFrame:
		p := &peer.ping
		if p.waiting && string(p.said[:p.n]) == string(s.kept) {
			p.waiting = false
			trip, t := &w.info.Sides[peer.dir].PingTrips, max(a.At.Time-p.at, 1)
			if trip[0] == 0 || t < trip[0] {
				trip[0] = t
			}
			trip[1] = max(trip[1], t)
		}
	case closeFrame:
		if own.Close.At.Frame == 0 {
			own.Close = exchange.WebSocketClose{At: a.At, Code: exchange.NoCloseCode}
			if len(s.kept) >= 2 {
				own.Close.Code = int(binary.BigEndian.Uint16(s.kept))
			}
		}
	}
}

// lose gives up where frames of a direction begin.
func (w *reader) lose(s *side, caveat string) {
	w.c.Caveats.Add(caveat)
	s.lost, w.info.Lost = true, true
	w.run(s)
}
