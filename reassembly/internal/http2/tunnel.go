package http2

import (
	"strings"

	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
)

// Streams that carry another protocol: CONNECT (RFC 9113 §8.5), and extended CONNECT (RFC 8441). Of
// those, WebSockets are read.

// tunnel is what a stream carries instead of a response.
type tunnel struct {
	reader exchange.Reader // nil: nobody reads it
	at     [2]int64        // offset of the next octet of DATA, by direction
	over   bool
}

// isSocket reports whether a request asks for a WebSocket.
func isSocket(fields []field) bool {
	for i := range fields {
		if f := &fields[i]; f.name == protocolField && f.known {
			return strings.EqualFold(f.value, "websocket")
		}
	}
	return false
}

// tunnels makes a tunnel of a stream whose CONNECT was granted.
func (h *reader) tunnels(st *stream) {
	st.tunnel = &tunnel{}
	if st.socket {
		from := &exchange.Takeover{Asked: st.x}
		st.tunnel.reader = h.c.Shared.Readers.Of(exchange.ProtoWebSocket, h.c, from)
	}
}

// carried hands on n octets of DATA at off, of which size behind skip are no padding.
func (t *tunnel) carried(
	s *side, off, n, skip, size int64, data []byte, a *exchange.Arrival,
) {
	if t.reader == nil || t.over || size == 0 {
		return
	}
	in := *a
	in.Unit = exchange.Range{From: a.From(off), To: a.To(off + n)}
	if data != nil {
		t.reader.Data(s.dir, t.at[s.dir], data[skip:skip+size], &in)
	} else {
		t.reader.Gap(s.dir, t.at[s.dir], size, &in)
	}
	t.at[s.dir] += size
}

// skip is how much lies ahead of which no content is needed.
func (t *tunnel) skip(dir exchange.Dir, left int64) int64 {
	if t.reader == nil || t.over {
		return left
	}
	return min(left, t.reader.Skip(dir))
}

// fin ends what dir says.
func (t *tunnel) fin(dir exchange.Dir, at capture.Mark) {
	if t.reader != nil && !t.over {
		t.reader.Fin(dir, at)
	}
}

// rst ends the tunnel at once.
func (t *tunnel) rst(dir exchange.Dir, at capture.Mark) {
	if t.reader != nil && !t.over {
		t.reader.Rst(dir, at)
	}
}

// end is told last; ended says that it is over only because the capture is.
func (t *tunnel) end(at capture.Mark, ended bool) {
	if t.reader != nil && !t.over {
		t.reader.End(at, ended)
	}
	t.over = true
}

// endTunnels tells all tunnels of the end of the connection, or of what dir says on it.
func (h *reader) endTunnels(tell func(*tunnel)) {
	for _, st := range h.sorted() {
		if st.tunnel != nil {
			tell(st.tunnel)
		}
	}
}
