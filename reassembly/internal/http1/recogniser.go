package http1

import (
	"bytes"

	"tcpwhy/reassembly/exchange"
)

const (
	// maxSpareReaders caps how many readers are kept for other connections.
	maxSpareReaders = 256
	// maxWaitingKept and maxLineKept are the capacities of what a reader keeps for the next
	// connection.
	maxWaitingKept = 16
	maxLineKept    = 2048
)

// recogniser recognises HTTP/1, and makes its readers out of those whose connections are over.
type recogniser struct{ spare []*reader }

// New recognises HTTP/1.
func New() exchange.Recogniser { return &recogniser{} }

// Protocol is HTTP/1.
func (*recogniser) Protocol() exchange.Protocol { return exchange.ProtoHTTP1 }

// Opening looks for a request line, or a status line.
func (*recogniser) Opening(dir exchange.Dir, data []byte) exchange.Verdict {
	if dir == exchange.FromClient {
		return recogniseRequest(data)
	}
	const magic = "HTTP/1."
	n := min(len(data), len(magic))
	switch {
	case string(data[:n]) != magic[:n]:
		return exchange.Foreign
	case n < len(magic):
		return exchange.Unsure
	}
	return exchange.Certain
}

// Resumes is asked where nobody knows what came before: a whole start line is proof enough.
func (*recogniser) Resumes(dir exchange.Dir, data []byte) bool {
	return starts(dir, data)
}

// Reader makes a reader.
func (p *recogniser) Reader(c *exchange.Context, from *exchange.Takeover) exchange.Reader {
	h := p.empty()
	h.from, h.c = p, c
	h.side[exchange.FromServer].dir = exchange.FromServer
	c.Protocol = exchange.ProtoHTTP1
	if from != nil {
		h.goOn(from)
	}
	return h
}

// empty is a reader without a connection.
func (p *recogniser) empty() *reader {
	n := len(p.spare)
	if n == 0 {
		return &reader{}
	}
	h := p.spare[n-1]
	p.spare = p.spare[:n-1]
	return h
}

// keep takes the memory of a reader whose connection is over.
func (p *recogniser) keep(h *reader) {
	if len(p.spare) < maxSpareReaders {
		h.empty()
		p.spare = append(p.spare, h)
	}
}

// goOn takes over a connection that was read as turns so far. The turn that waits for an answer is
// the request, if what comes next is a response.
func (h *reader) goOn(from *exchange.Takeover) {
	h.Closing = from.Closing
	switch x := from.Turn; {
	case x == nil:
	case from.Speaker == exchange.FromServer && x.Response == nil:
		h.inherit(x, from.Unseen)
	default:
		h.c.Finish(x, exchange.Incomplete)
	}
}

// inherit makes a request of a turn whose response turned out to be HTTP.
func (h *reader) inherit(x *exchange.Parts, unseen bool) {
	x.Turn = false
	x.Request.Framing = exchange.NoBody
	if unseen {
		x.Request.Facts |= exchange.HasGap | exchange.Resynced
		h.c.Caveats.Add(exchange.CaveatHTTPGap)
	} else {
		x.Request.Facts |= exchange.BadHeader
		h.c.Caveats.Add(exchange.CaveatHTTPMessage)
	}
	h.waiting = append(h.waiting, asked{Parts: x})
	h.side[exchange.FromClient].phase = lost
}

// recogniseRequest looks for a request line. A known method and a path are enough; many protocols
// have a word and a blank, so that anything less needs the version at the end of the line.
func recogniseRequest(data []byte) exchange.Verdict {
	for len(data) > 0 && (data[0] == '\r' || data[0] == '\n') {
		data = data[1:]
	}
	word := 0
	for word < len(data) && tokenChar(data[word]) {
		word++
	}
	switch {
	case word == len(data) && word <= maxMethod:
		return exchange.Unsure
	case word == len(data) || word == 0 || data[word] != ' ':
		return exchange.Foreign
	case len(data) == word+1:
		return exchange.Unsure
	case data[word+1] == '/' && knownMethod(data[:word]) != "":
		return exchange.Certain
	}
	nl := bytes.IndexByte(data, '\n')
	if nl < 0 {
		return exchange.Unsure
	}
	r, ok := parseRequestLine(bytes.TrimSuffix(data[:nl], []byte("\r")))
	if ok && (r.version != "HTTP/0.9" || r.target[0] == '/') {
		return exchange.Certain
	}
	return exchange.Foreign
}

// commonMethods are what requests begin with (RFC 9110 §9, RFC 5789, WebDAV's most common).
var commonMethods = [...]string{
	"GET ",
	"POST ",
	"HEAD ",
	"PUT ",
	"DELETE ",
	"OPTIONS ",
	"PATCH ",
	"CONNECT ",
	"TRACE ",
	"PROPFIND ",
}

// Speaker tells by the first octets of a segment which side sends them.
func Speaker(data []byte) (dir exchange.Dir, known bool) {
	if bytes.HasPrefix(data, []byte("HTTP/1.")) {
		return exchange.FromServer, true
	}
	for _, m := range commonMethods {
		if len(data) >= len(m) && string(data[:len(m)]) == m {
			return exchange.FromClient, true
		}
	}
	return exchange.FromClient, false
}
