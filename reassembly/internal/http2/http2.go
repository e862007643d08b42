// Package http2 recognises HTTP/2 in cleartext (RFC 9113).
package http2

import "tcpwhy/reassembly/exchange"

// preface is what a client of HTTP/2 says first, up to the end of the first line (RFC 9113 §3.4).
const preface = "PRI * HTTP/2.0\r\n"

// recogniser recognises HTTP/2. Its exchanges are turns for now.
type recogniser struct{}

// New recognises HTTP/2.
func New() exchange.Recogniser { return recogniser{} }

// Protocol is HTTP/2.
func (recogniser) Protocol() exchange.Protocol { return exchange.ProtoHTTP2 }

// Opening looks for the preface.
func (recogniser) Opening(dir exchange.Dir, data []byte) exchange.Verdict {
	n := min(len(data), len(preface))
	switch {
	case dir == exchange.FromServer || string(data[:n]) != preface[:n]:
		return exchange.Foreign
	case n < len(preface):
		return exchange.Unsure
	}
	return exchange.Certain
}

// Resumes never: frames alone are no proof.
func (recogniser) Resumes(exchange.Dir, []byte) bool { return false }

// Reader makes turns.
func (recogniser) Reader(c *exchange.Context, from *exchange.Takeover) exchange.Reader {
	c.Protocol = exchange.ProtoHTTP2
	return exchange.NewTurns(c, from)
}

// Speaker tells by the first octets of a segment which side sends them.
func Speaker(data []byte) (dir exchange.Dir, known bool) {
	const enough = "PRI * HTTP/2"
	return exchange.FromClient, len(data) >= len(enough) && string(data[:len(enough)]) == enough
}
