package http1

import "tcpwhy/reassembly/exchange"

// Caps for tests.
const (
	MaxWaiting = maxWaiting
	MaxHeader  = maxHeader
)

// Watch shows what the reader that was made last holds.
type Watch struct {
	exchange.Recogniser
	last *reader
}

// Reader makes a reader and keeps it in view.
func (w *Watch) Reader(c *exchange.Context, from *exchange.Takeover) exchange.Reader {
	r := w.Recogniser.Reader(c, from)
	w.last = r.(*reader)
	return r
}

// Held are the octets of lines, and the requests that wait.
func (w *Watch) Held() (octets, requests int) {
	if w.last == nil {
		return 0, 0
	}
	return cap(w.last.side[0].line) + cap(w.last.side[1].line), len(w.last.waiting)
}
