package reassembly

// preface is what a client of HTTP/2 says first, up to the end of the first line (RFC 9113 §3.4).
const preface = "PRI * HTTP/2.0\r\n"

// http2 recognises HTTP/2 in cleartext. Its exchanges are turns for now.
type http2 struct{}

// newHTTP2 recognises HTTP/2.
func newHTTP2() Recogniser { return http2{} }

// Protocol is HTTP/2.
func (http2) Protocol() Protocol { return ProtoHTTP2 }

// Opening looks for the preface.
func (http2) Opening(dir Dir, data []byte) Verdict {
	n := min(len(data), len(preface))
	switch {
	case dir == FromServer || string(data[:n]) != preface[:n]:
		return Foreign
	case n < len(preface):
		return Unsure
	}
	return Certain
}

// Resumes never: frames alone are no proof.
func (http2) Resumes(Dir, []byte) bool { return false }

// Reader makes turns.
func (http2) Reader(c *Context, from *Takeover) Reader {
	c.Protocol = ProtoHTTP2
	return NewTurns(c, from)
}
