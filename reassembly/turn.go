package reassembly

import (
	"math"
	"time"

	"tcpwhy/capture"
)

// turns makes exchanges of a dialogue that cannot be read: a request is all that the client says
// before the server answers, its response all that the server says before the client speaks again.
// It looks at lengths and moments only, never at content.
type turns struct {
	c   *Conn
	cur *exchangeParts // nil before the first octet and after the connection closed
	closing
	over    bool
	partial [2]bool // an announced unit is incomplete: what the side said is known to lack its end
	// one side said that it closes (TLS close_notify), so that a RST afterwards ends nothing early
	polite bool
}

// Data extends the turn of dir.
func (t *turns) Data(dir Dir, off int64, data []byte, seen, at capture.Mark) {
	t.add(dir, off, int64(len(data)), arrival{seen, at}, 0)
}

// Skipped extends the turn of dir.
func (t *turns) Skipped(dir Dir, off, n int64, seen, at capture.Mark) {
	t.add(dir, off, n, arrival{seen, at}, 0)
}

// Gap extends the turn of dir: lengths are known even where content is not.
func (t *turns) Gap(dir Dir, off, n int64, at capture.Mark) {
	t.add(dir, off, n, arrival{at, at}, HasGap)
}

// Skip is without bound: no content is ever looked at.
func (t *turns) Skip(Dir) int64 { return math.MaxInt64 }

// add is n octets of dir's stream at off.
func (t *turns) add(dir Dir, off, n int64, a arrival, facts Facts) {
	if t.over {
		return
	}
	m := t.message(dir, off, a)
	m.Facts |= facts
	m.BodyBytes += n
	m.grow(off+n, a.at)
}

// message is the message that octets of dir belong to, begun if they are the first.
func (t *turns) message(dir Dir, off int64, a arrival) *Message {
	if t.cur != nil && dir == FromServer && t.cur.Response != nil {
		return t.cur.Response
	}
	if t.cur != nil && dir == FromClient && t.cur.Response == nil {
		return t.cur.Request
	}
	m := Message{Start: a.start(), From: off, To: off, Length: -1, Framing: ByTurn}
	if dir == FromServer {
		if t.cur == nil {
			t.begin() // the server speaks first, or the capture began after the request
		}
		if t.cur.Request != nil {
			t.cur.Request.Complete = true
		}
		return t.cur.answer(m)
	}
	if t.cur != nil {
		t.cur.Response.Complete = true
		t.cur.finish(Complete)
	}
	t.begin()
	return t.cur.ask(m)
}

func (t *turns) begin() {
	t.cur = t.c.beginExchange(t.c.currentRecord())
	t.cur.Turn = true
}

// Fin ends the response if the server closes: it has nothing more to say.
func (t *turns) Fin(dir Dir, at capture.Mark) {
	if t.over || t.fin[dir] {
		return
	}
	t.close(dir)
	t.fin[dir] = true
	x := t.cur
	if x == nil {
		return
	}
	if dir == FromClient && x.Response == nil {
		x.Request.Complete = !t.partial[FromClient]
	}
	switch {
	case x.Response == nil && t.fin[FromServer]:
		t.done(t.broken(NoResponse))
	case x.Response != nil && dir == FromServer:
		t.whole(Truncated)
	}
}

// whole ends an exchange whose response was ended in order, with o if it is known to lack its end
// nevertheless.
func (t *turns) whole(o Outcome) {
	if t.partial[FromServer] {
		t.done(t.broken(o))
		return
	}
	t.cur.Response.Complete = true
	t.done(Complete)
}

func (t *turns) done(o Outcome) {
	t.cur.finish(o)
	t.cur = nil
}

// Rst ends the current exchange. Whether the response was whole, nothing tells: it counts as broken
// off unless one side had said that it closes, or the connection had come to rest.
func (t *turns) Rst(dir Dir, at capture.Mark) {
	if t.over {
		return
	}
	t.over = true
	t.close(dir)
	switch {
	case t.cur == nil:
	case t.cur.Response == nil:
		t.done(t.broken(NoResponse))
	case t.polite, t.rested(at):
		t.whole(ResetByPeer)
	default:
		t.done(t.broken(ResetByPeer))
	}
}

const (
	// restTime is how long, beyond a round trip, a connection must be silent before a RST ends no
	// response that was under way.
	restTime = 50 * time.Millisecond
	// ackedBy is how long, beyond a round trip, octets without an acknowledgment would wait to be
	// sent again, on Linux at least: if they are not, the capture lacks the acknowledgment.
	ackedBy = 200 * time.Millisecond
)

// rested reports whether nothing was under way at the given moment: the client had all that the
// server had sent, and nothing followed. Where a TLS record was cut, something was.
func (t *turns) rested(at capture.Mark) bool {
	m := t.cur.Response
	silence := at.Time - m.End.Time - t.c.RTTMin()
	acked := t.c.Half[FromServer].Una >= m.To || silence > ackedBy
	return !t.partial[FromServer] && acked && silence > restTime
}

// End leaves the current exchange incomplete, unless the client had closed after the response.
func (t *turns) End(at capture.Mark, ended bool) {
	if t.over {
		return
	}
	t.over = true
	switch {
	case t.cur == nil:
	case ended || !t.begun:
		t.done(Incomplete)
	case t.cur.Response != nil:
		t.whole(Incomplete)
	default:
		t.done(t.broken(NoResponse))
	}
}
