package http1

import (
	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
)

// scrap is what a client sent between its requests that is none: empty lines (RFC 9112 §2.2),
// octets beyond the length that it had announced, a line that is no request line. Nobody waits for
// an answer to it. A server may answer it nevertheless, with an error: then it was asked, badly.
type scrap struct {
	msg    exchange.Message
	record int          // at which it began
	sent   capture.Mark // the segment that carried its first octet
	held   bool         // there is some
}

// doubtMost is up to how many octets a request that follows another may have before its method and
// target must have shown that it is one.
const doubtMost = maxMethod + maxTarget

// take adds n octets of the client's stream at off.
func (p *scrap) take(off, n int64, a *exchange.Arrival) {
	if !p.held {
		from := a.From(off)
		*p = scrap{held: true, record: a.Record, sent: a.Seen, msg: exchange.Message{
			Start: a.Start, From: from, Length: exchange.NoLength,
			Framing: exchange.NoBody, Facts: exchange.BadHeader,
		}}
	}
	p.msg.BodyBytes += n
	p.msg.Grow(a.To(off+n), a.At)
}

// doubt looks at octets of the client that follow a whole request, until it is clear whether they
// begin another one.
func (h *reader) doubt(s *side, off int64, data []byte, a *exchange.Arrival) int {
	if s.phase == between {
		s.phase, s.first, s.firstOff = doubtful, *a, off
	}
	all := data
	if len(s.line) > 0 {
		s.line = append(s.line, data...)
		all = s.line
	}
	verdict := recogniseRequest(all)
	switch {
	case verdict == exchange.Certain || verdict == exchange.Unsure && len(all) > doubtMost:
		s.line = s.line[:len(all)-len(data)]
		h.begin(s, s.firstOff, &s.first)
		s.used = len(s.line)
		return 0
	case verdict == exchange.Unsure:
		s.doubted = a.At
		if len(s.line) == 0 {
			s.line = append(s.line, data...)
		}
		return len(data)
	}
	h.giveUpDoubt(s, int64(len(all)-len(data)))
	h.scrap.take(off, int64(len(data)), a)
	return len(data)
}

// giveUpDoubt makes scrap of the first n octets that were in doubt.
func (h *reader) giveUpDoubt(s *side, n int64) {
	h.scrap.take(s.firstOff, n, &s.first)
	if n > 0 {
		h.scrap.msg.End = s.doubted
	}
	s.lineDone()
	s.phase = scrapped
}

// askBadly makes a request of what was none, if there is any, as the server answers it.
func (h *reader) askBadly() {
	p := &h.scrap
	if s := &h.side[exchange.FromClient]; s.phase == doubtful {
		h.giveUpDoubt(s, int64(len(s.line)))
	}
	if !p.held {
		return
	}
	h.c.Caveats.Add(exchange.CaveatHTTPMessage)
	x := h.c.Begin(p.record)
	m := x.Ask(p.msg)
	m.Complete = true
	h.waiting = append(h.waiting, asked{Parts: x, sent: p.sent})
	*p = scrap{}
}

// refuses reports whether a status says that what was sent is no request, or none that the server
// knows. 408 is what it says of nothing at all (RFC 9110 §15.5.9).
func refuses(status int) bool {
	const badRequest, requestTimeout = 400, 408
	return status >= badRequest && status != requestTimeout
}
