// Package http2 reads HTTP/2 (RFC 9113): frames, header blocks (RFC 7541), and the streams of which
// it makes exchanges. It only listens: it reads what passed from wherever it can, and says of the
// rest that it is not known.
package http2

import "tcpwhy/reassembly/exchange"

// preface is what a client of HTTP/2 says first (RFC 9113 §3.4).
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// firstLine is how much of the preface is proof of HTTP/2: its first line.
const firstLine = len("PRI * HTTP/2.0\r\n")

// recogniser recognises HTTP/2, and makes its readers. All of them use its static table.
type recogniser struct{ static []field }

// New recognises HTTP/2.
func New() exchange.Recogniser { return &recogniser{} }

// Protocol is HTTP/2.
func (*recogniser) Protocol() exchange.Protocol { return exchange.ProtoHTTP2 }

// Opening looks for the preface of a client, or the SETTINGS that a server begins with.
func (*recogniser) Opening(dir exchange.Dir, data []byte) exchange.Verdict {
	if dir == exchange.FromServer {
		return opensServer(data)
	}
	n := min(len(data), firstLine)
	switch {
	case string(data[:n]) != preface[:n]:
		return exchange.Foreign
	case n < firstLine:
		return exchange.Unsure
	}
	return exchange.Certain
}

// opensServer judges what a server says first: its SETTINGS (RFC 9113 §3.4), which are no ACK.
func opensServer(data []byte) exchange.Verdict {
	const manySettings = 64 // nobody announces more
	if len(data) >= headSize {
		h := parseHead(data)
		if h.kind == settingsFrame && h.flags == 0 && h.stream == 0 && h.fits() &&
			h.length <= manySettings*settingSize {
			return exchange.Certain
		}
		return exchange.Foreign
	}
	known := [...]byte{3: byte(settingsFrame), headSize - 1: 0}
	for i, c := range data {
		if lengthOctet := i == 1 || i == 2; !lengthOctet && c != known[i] {
			return exchange.Foreign
		}
	}
	return exchange.Unsure
}

// Resumes reports whether a segment is a row of frames from its beginning on.
func (*recogniser) Resumes(dir exchange.Dir, data []byte) bool {
	return string(data[:min(len(data), firstLine)]) == preface[:firstLine] || resumes(data)
}

// Reader makes a reader.
func (p *recogniser) Reader(c *exchange.Context, from *exchange.Takeover) exchange.Reader {
	c.Protocol = exchange.ProtoHTTP2
	if p.static == nil {
		p.static = staticTable()
	}
	return newReader(c, p.static, from)
}

// Speaker tells by the first octets of a segment which side sends them.
func Speaker(data []byte) (dir exchange.Dir, known bool) {
	const enough = "PRI * HTTP/2"
	return exchange.FromClient, len(data) >= len(enough) && string(data[:len(enough)]) == enough
}
