package http1

import (
	"bytes"

	"tcpwhy/reassembly/exchange"
)

// snapped goes on where the capture cuts headers off: exchanges are turns, of which the start lines
// may be seen.
type snapped struct {
	exchange.Turns
	text *text
}

// newSnapped reads on from where a reader of whole messages gives up.
func newSnapped(c *exchange.Context, from *exchange.Takeover, words *text) *snapped {
	s := &snapped{text: words}
	s.Read(c, from)
	return s
}

// Data extends the turn of dir, and looks at what begins a part of it.
func (s *snapped) Data(dir exchange.Dir, off int64, data []byte, a *exchange.Arrival) {
	s.Turns.Data(dir, off, data, a)
	x := s.Current()
	if x == nil {
		return
	}
	line, ok := firstLine(data)
	switch {
	case !ok:
	case dir == exchange.FromServer:
		// A final response may follow an interim one in the same turn.
		if _, status, _, ok := parseStatusLine(line); ok && x.Status < 200 {
			x.Status = status
		}
	case x.Request.From == a.From(off):
		s.request(x, line)
	}
}

// request takes a request line.
func (s *snapped) request(x *exchange.Parts, line []byte) {
	r, ok := parseRequestLine(line)
	if !ok || r.version == "HTTP/0.9" {
		return
	}
	if x.Method = knownMethod(r.method); x.Method == "" {
		x.Method = exchange.KeepClean(&s.text.method, r.method, maxMethod)
	}
	x.Target = exchange.Keep(&s.text.target, r.target, maxTarget)
	x.Version = r.version
}

// firstLine is the first line of data, if it is there as a whole.
func firstLine(data []byte) ([]byte, bool) {
	end := bytes.IndexByte(data, '\n')
	if end < 0 {
		return nil, false
	}
	return bytes.TrimSuffix(data[:end], []byte("\r")), true
}
