package websocket

import (
	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
)

// message makes the message that begins with the frame in hand part of an exchange.
func (w *reader) message(s *side) {
	x := w.x
	byTurns := !w.free && (s.dir == exchange.FromClient && x == nil ||
		s.dir == exchange.FromServer && x != nil && x.Response == nil && x.Request.Complete)
	switch {
	case !byTurns:
		w.run(s)
	case s.dir == exchange.FromClient:
		w.begin(&s.began)
		w.x.Ask(draft(&s.began, s.from))
	default:
		w.x.Answer(draft(&s.began, s.from))
	}
}

// run makes what s says from the frame in hand on part of the one exchange that is left when
// messages do not come by turns. Of one that the server began what the client says is only counted.
func (w *reader) run(s *side) {
	w.free = true
	if w.x == nil {
		w.begin(&s.began)
		if s.dir == exchange.FromClient {
			w.x.Ask(draft(&s.began, s.from))
		}
	}
	if w.x.Response == nil && s.dir == exchange.FromServer {
		w.x.Answer(draft(&s.began, s.from))
	}
	for _, m := range [...]*exchange.Message{w.x.Request, w.x.Response} {
		if m != nil {
			m.Facts |= exchange.EventStream
			m.Complete = false
		}
	}
}

// begin begins an exchange.
func (w *reader) begin(a *exchange.Arrival) {
	w.x = w.c.BeginStream(a.Record, w.info.Stream)
	w.x.Turn = true
}

// draft is a message that begins with the octet at from.
func draft(a *exchange.Arrival, from int64) exchange.Message {
	return exchange.Message{
		Start: a.Start, End: a.At, From: a.From(from), To: a.From(from),
		Length: exchange.NoLength, Framing: exchange.ByTurn,
	}
}

// of is the message of s that goes on; nil if there is none.
func (w *reader) of(s *side) *exchange.Message {
	switch {
	case w.x == nil:
		return nil
	case s.dir == exchange.FromClient:
		return w.x.Request
	}
	return w.x.Response
}

// grow extends what s says by n octets of payload, up to the offset to.
func (w *reader) grow(s *side, to, n int64, a *exchange.Arrival) *exchange.Message {
	m := w.of(s)
	if m != nil {
		m.BodyBytes += n
		m.Grow(a.To(to), a.At)
	}
	return m
}

// said ends a message of s: an exchange of one by turns ends with the server's.
func (w *reader) said(s *side) {
	m := w.of(s)
	if m == nil || w.free {
		return
	}
	m.Complete = true
	if s.dir == exchange.FromServer {
		w.done(exchange.Complete)
	}
}

// done ends the exchange that goes on.
func (w *reader) done(o exchange.Outcome) {
	if w.x != nil {
		w.c.Finish(w.x, o)
		w.x = nil
	}
}

// close ends what goes on, as no more will come: an exchange without turns has no other end.
func (w *reader) close(begun, silent exchange.Outcome) {
	switch {
	case w.x == nil:
	case w.free:
		for _, m := range [...]*exchange.Message{w.x.Request, w.x.Response} {
			if m != nil {
				m.Complete = !w.side[exchange.FromClient].talking &&
					!w.side[exchange.FromServer].talking
			}
		}
		w.done(exchange.Complete)
	case w.x.Response != nil:
		w.done(w.Broken(begun))
	default:
		w.done(w.Broken(silent))
	}
}

// ended notes the end of dir's stream, if it is the first.
func (w *reader) ended(dir exchange.Dir, at capture.Mark, reset bool) {
	w.Close(dir)
	if w.info.Ended.At.Frame == 0 {
		w.info.Ended = exchange.Ending{At: at, By: dir, Reset: reset}
	}
}

// Fin ends what dir sends.
func (w *reader) Fin(dir exchange.Dir, at capture.Mark) {
	if w.over || w.Finished[dir] {
		return
	}
	w.ended(dir, at, false)
	w.Finished[dir] = true
	if dir == exchange.FromServer {
		w.close(exchange.Truncated, exchange.NoResponse)
	}
}

// Rst ends the connection, in both directions.
func (w *reader) Rst(dir exchange.Dir, at capture.Mark) {
	if w.over {
		return
	}
	w.ended(dir, at, true)
	w.close(exchange.ResetByPeer, exchange.NoResponse)
	w.over = true
}

// End leaves incomplete what the capture did not show to the end.
func (w *reader) End(_ capture.Mark, ended bool) {
	switch {
	case w.over:
	case ended || !w.Begun:
		w.done(exchange.Incomplete)
	default:
		w.close(exchange.Incomplete, exchange.NoResponse)
	}
	w.over = true
}
