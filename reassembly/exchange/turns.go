package exchange

import (
	"math"
	"time"

	"tcpwhy/capture"
)

// Turns makes exchanges of a dialogue that cannot be read: a request is all that the client says
// before the server answers, its response all that the server says before the client speaks again.
// It looks at lengths and moments only, never at content.
type Turns struct {
	Closing
	c    *Context
	cur  *Parts // nil before the first octet and after the connection closed
	over bool
	// Partial says by Dir that an announced unit is incomplete: what the side said is known to lack
	// its end.
	Partial [2]bool
	// Polite says that one side announced its close (TLS close_notify), so that a RST afterwards
	// ends nothing early.
	Polite bool
}

// NewTurns reads a connection as turns, from its beginning or from where another Reader ends.
func NewTurns(c *Context, from *Takeover) *Turns {
	t := &Turns{}
	t.Read(c, from)
	return t
}

// Read makes t read a connection.
func (t *Turns) Read(c *Context, from *Takeover) {
	*t = Turns{c: c}
	if from != nil {
		t.Closing, t.over, t.cur = from.Closing, from.Over, from.Turn
	}
}

// Leave is what t leaves to another Reader that goes on.
func (t *Turns) Leave() Takeover { return Takeover{Closing: t.Closing, Over: t.over, Turn: t.cur} }

// Current is the turn that goes on; nil if there is none.
func (t *Turns) Current() *Parts { return t.cur }

// Over reports whether no more octets count: the connection was reset.
func (t *Turns) Over() bool { return t.over }

// Data extends the turn of dir.
func (t *Turns) Data(dir Dir, off int64, data []byte, a *Arrival) {
	t.Add(dir, off, int64(len(data)), a, 0)
}

// Skipped extends the turn of dir.
func (t *Turns) Skipped(dir Dir, off, n int64, a *Arrival) { t.Add(dir, off, n, a, 0) }

// Gap extends the turn of dir: lengths are known even where content is not.
func (t *Turns) Gap(dir Dir, off, n int64, a *Arrival) { t.Add(dir, off, n, a, HasGap) }

// Skip is without bound: no content is ever looked at.
func (t *Turns) Skip(Dir) int64 { return math.MaxInt64 }

// Add takes n octets of dir's stream at off.
func (t *Turns) Add(dir Dir, off, n int64, a *Arrival, facts Facts) {
	if t.over {
		return
	}
	m := t.message(dir, off, a)
	m.Facts |= facts
	m.BodyBytes += n
	m.Grow(a.To(off+n), a.At)
}

// message is the message that octets of dir belong to, begun if they are the first.
func (t *Turns) message(dir Dir, off int64, a *Arrival) *Message {
	if t.cur != nil && dir == FromServer && t.cur.Response != nil {
		return t.cur.Response
	}
	if t.cur != nil && dir == FromClient && t.cur.Response == nil {
		return t.cur.Request
	}
	m := Message{
		Start:   a.Start,
		From:    a.From(off),
		To:      a.From(off),
		Length:  NoLength,
		Framing: ByTurn,
	}
	if dir == FromServer {
		if t.cur == nil {
			t.begin(a) // the server speaks first, or the capture began after the request
		}
		if t.cur.Request != nil {
			t.cur.Request.Complete = true
		}
		return t.cur.Answer(m)
	}
	if t.cur != nil {
		t.cur.Response.Complete = true
		t.c.Finish(t.cur, Complete)
	}
	t.begin(a)
	return t.cur.Ask(m)
}

func (t *Turns) begin(a *Arrival) {
	t.cur = t.c.Begin(a.Record)
	t.cur.Turn = true
}

// Fin ends the response if the server closes: it has nothing more to say.
func (t *Turns) Fin(dir Dir, at capture.Mark) {
	if t.over || !t.Finish(dir) {
		return
	}
	x := t.cur
	if x == nil {
		return
	}
	if dir == FromClient && x.Response == nil {
		x.Request.Complete = !t.Partial[FromClient]
	}
	switch {
	case x.Response == nil && t.Finished[FromServer]:
		t.done(t.broken(NoResponse))
	case x.Response != nil && dir == FromServer:
		t.whole(Truncated)
	}
}

// whole ends an exchange whose response was ended in order, with o if it is known to lack its end
// nevertheless.
func (t *Turns) whole(o Outcome) {
	if t.Partial[FromServer] {
		t.done(t.broken(o))
		return
	}
	t.cur.Response.Complete = true
	t.done(Complete)
}

// broken is the outcome of the current turn, which the end of the connection cut off: o, or that
// its client gave up. Where the capture began in the middle of the connection nobody knows what its
// first one is the rest of, such as a handshake, and a later one that ends in order may have wanted
// no answer: that it was owed one, or all of it, only a reset by the server says.
func (t *Turns) broken(o Outcome) Outcome {
	o = t.Broken(o)
	if (t.cur.Index == 0 || t.Polite) && o != ResetByPeer && t.c.TCP.MidStream() {
		return Incomplete
	}
	return o
}

func (t *Turns) done(o Outcome) {
	t.c.Finish(t.cur, o)
	t.cur = nil
}

// Rst ends the current exchange. Whether the response was whole, nothing tells: it counts as broken
// off unless one side had said that it closes, or the connection had come to rest.
func (t *Turns) Rst(dir Dir, at capture.Mark) {
	if t.over {
		return
	}
	t.over = true
	t.Close(dir)
	switch {
	case t.cur == nil:
	case t.cur.Response == nil:
		t.done(t.broken(NoResponse))
	case t.Polite, t.rested(at):
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
func (t *Turns) rested(at capture.Mark) bool {
	m := t.cur.Response
	silence := at.Time - m.End.Time - t.c.TCP.RoundTrip()
	acked := t.c.TCP.Acknowledged(FromServer) >= m.To || silence > ackedBy
	return !t.Partial[FromServer] && acked && silence > restTime
}

// End leaves the current exchange incomplete, unless the connection had come to rest after the
// response, or the client had closed.
func (t *Turns) End(at capture.Mark, ended bool) {
	if t.over {
		return
	}
	t.over = true
	switch {
	case t.cur == nil:
	case t.cur.Response != nil && t.rested(at):
		t.whole(Incomplete) // whatever followed, such as keep-alives, had no part in it
	case ended || !t.Begun:
		t.done(Incomplete)
	case t.cur.Response != nil:
		t.whole(Incomplete)
	default:
		t.done(t.broken(NoResponse))
	}
}

// Touch moves the end of dir's part of the current turn to at.
func (t *Turns) Touch(dir Dir, at capture.Mark) {
	switch {
	case t.over || t.cur == nil:
	case dir == FromServer && t.cur.Response != nil:
		t.cur.Response.End = at
	case dir == FromClient && t.cur.Request != nil:
		t.cur.Request.End = at
	}
}

// Rest ends the current turn if it has been answered: what follows is another.
func (t *Turns) Rest() {
	if !t.over && t.cur != nil && t.cur.Response != nil {
		t.whole(Incomplete)
	}
}

// Unanswer takes back what counted as the beginning of a response.
func (t *Turns) Unanswer() {
	if t.over || t.cur == nil || t.cur.Request == nil {
		return
	}
	t.cur.Response = nil
}
