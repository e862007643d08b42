package reassembly

import "bytes"

const (
	// maxSpareReaders caps how many readers are kept for other connections.
	maxSpareReaders = 256
	// maxWaitingKept and maxLineKept are the capacities of what a reader keeps for the next
	// connection.
	maxWaitingKept = 16
	maxLineKept    = 2048
)

// http1 recognises HTTP/1, and makes its readers out of those whose connections are over.
type http1 struct{ spare []*httpApp }

// newHTTP1 recognises HTTP/1.
func newHTTP1() Recogniser { return &http1{} }

// Protocol is HTTP/1.
func (*http1) Protocol() Protocol { return ProtoHTTP1 }

// Opening looks for a request line, or a status line.
func (*http1) Opening(dir Dir, data []byte) Verdict {
	if dir == FromClient {
		return recogniseRequest(data)
	}
	const magic = "HTTP/1."
	n := min(len(data), len(magic))
	switch {
	case string(data[:n]) != magic[:n]:
		return Foreign
	case n < len(magic):
		return Unsure
	}
	return Certain
}

// Resumes is asked where nobody knows what came before: a whole start line is proof enough.
func (*http1) Resumes(dir Dir, data []byte) bool {
	if dir == FromClient {
		return startsRequest(data)
	}
	return startsResponse(data)
}

// Reader makes a reader.
func (p *http1) Reader(c *Context, from *Takeover) Reader {
	h := p.empty()
	h.from, h.c = p, c
	h.side[FromServer].dir = FromServer
	c.Protocol = ProtoHTTP1
	if from != nil {
		h.goOn(from)
	}
	return h
}

// empty is a reader without a connection.
func (p *http1) empty() *httpApp {
	n := len(p.spare)
	if n == 0 {
		return &httpApp{}
	}
	h := p.spare[n-1]
	p.spare = p.spare[:n-1]
	return h
}

// keep takes the memory of a reader whose connection is over.
func (p *http1) keep(h *httpApp) {
	if len(p.spare) < maxSpareReaders {
		h.empty()
		p.spare = append(p.spare, h)
	}
}

// goOn takes over a connection that was read as turns so far. The turn that waits for an answer is
// the request, if what comes next is a response.
func (h *httpApp) goOn(from *Takeover) {
	h.Closing = from.Closing
	switch x := from.Turn; {
	case x == nil:
	case from.Speaker == FromServer && x.Response == nil:
		h.inherit(x, from.Unseen)
	default:
		h.c.Finish(x, Incomplete)
	}
}

// inherit makes a request of a turn whose response turned out to be HTTP.
func (h *httpApp) inherit(x *Parts, unseen bool) {
	x.Turn = false
	x.Request.Framing = NoBody
	if unseen {
		x.Request.Facts |= HasGap | Resynced
		h.c.Caveats.Add(CaveatHTTPGap)
	} else {
		x.Request.Facts |= BadHeader
		h.c.Caveats.Add(CaveatHTTPMessage)
	}
	h.waiting = append(h.waiting, asked{Parts: x})
	h.side[FromClient].phase = lost
}

// recogniseRequest looks for a request line. A known method and a path are enough; many protocols
// have a word and a blank, so that anything less needs the version at the end of the line.
func recogniseRequest(data []byte) Verdict {
	for len(data) > 0 && (data[0] == '\r' || data[0] == '\n') {
		data = data[1:]
	}
	word := 0
	for word < len(data) && tokenChar(data[word]) {
		word++
	}
	switch {
	case word == len(data) && word <= maxMethod:
		return Unsure
	case word == len(data) || word == 0 || data[word] != ' ':
		return Foreign
	case len(data) == word+1:
		return Unsure
	case data[word+1] == '/' && knownMethod(data[:word]) != "":
		return Certain
	}
	nl := bytes.IndexByte(data, '\n')
	if nl < 0 {
		return Unsure
	}
	r, ok := parseRequestLine(bytes.TrimSuffix(data[:nl], []byte("\r")))
	if ok && (r.version != "HTTP/0.9" || r.target[0] == '/') {
		return Certain
	}
	return Foreign
}
