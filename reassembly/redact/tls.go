package redact

import "encoding/binary"

// recordHeader is the length of the header of a TLS record (RFC 8446 §5.1).
const recordHeader = 5

// The types of TLS records and of messages of the handshake.
const (
	changeCipher    = 20
	alert           = 21
	handshake       = 22
	applicationData = 23
	clientHello     = 1
	serverHello     = 2
	longestRecord   = 1<<14 + 2048
)

// tlsState is what is known of one direction of a TLS connection.
type tlsState struct {
	kind   byte
	cipher bool // what follows is encrypted
	hello  bool // within a message that began in an earlier record
	left   int  // octets of it to come
}

// isTLS reports whether data begins with a TLS record.
func isTLS(data []byte) bool {
	return len(data) >= recordHeader && data[0] >= changeCipher && data[0] <= applicationData &&
		data[1] == 3 && data[2] <= 4 && binary.BigEndian.Uint16(data[3:]) <= longestRecord
}

// tlsRecord shows the header of a record.
func (r *reader) tlsRecord(seq uint32, octets []byte) {
	if !isTLS(octets) {
		r.lost()
		return
	}
	r.show(seq, octets)
	r.tls.kind = octets[0]
	r.left = int(binary.BigEndian.Uint16(octets[3:]))
	switch {
	case r.left == 0:
	case r.tls.kind != applicationData:
		r.state = content
	default:
		r.state, r.after = body, record
	}
}

// tlsContent shows what is not encrypted of the content of a record.
func (r *reader) tlsContent(seq uint32, octets []byte) {
	r.state = record
	switch r.tls.kind {
	case changeCipher:
		r.show(seq, octets[:1])
		r.tls.cipher = true
	case alert:
		if len(octets) == 2 && !r.tls.cipher {
			r.show(seq, octets)
		}
	case handshake:
		if !r.tls.cipher || isHello(octets) {
			r.tlsMessages(seq, octets)
		}
	}
}

// isHello reports whether a record holds a hello and nothing else, as it does behind the
// ChangeCipherSpec that a client sends before its second hello (RFC 8446 appendix D.4).
func isHello(octets []byte) bool {
	return len(octets) > 4 && (octets[0] == clientHello || octets[0] == serverHello) &&
		int(binary.BigEndian.Uint32(octets)&0xffffff) == len(octets)-4
}

// tlsMessages shows the headers of messages of the handshake, and of hellos what they agree on.
func (r *reader) tlsMessages(seq uint32, octets []byte) {
	const header = 4
	if r.tls.hello {
		n := min(r.tls.left, len(octets))
		r.tls.left -= n
		r.tls.hello = r.tls.left > 0
		seq, octets = seq+uint32(n), octets[n:]
	}
	for len(octets) >= header {
		size := int(binary.BigEndian.Uint32(octets) & 0xffffff)
		r.show(seq, octets[:header])
		rest := octets[header:]
		if size > len(rest) {
			r.tls.hello, r.tls.left = true, size-len(rest)
			size = len(rest)
		} else if octets[0] == clientHello || octets[0] == serverHello {
			r.show(seq+header, r.words.hello(octets[0] == clientHello, rest[:size]))
		}
		seq, octets = seq+uint32(header+size), rest[size:]
	}
}

// helloRetry is the random value by which a ServerHello is a HelloRetryRequest (RFC 8446 §4.1.3).
const helloRetry = "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91" +
	"\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c"

// cursor copies what is shown of a message, field by field.
type cursor struct {
	in, out []byte
	at      int
}

// take gives the next n octets and where they are shown; less at the end.
func (c *cursor) take(n int) (in, out []byte) {
	end := min(c.at+max(n, 0), len(c.in))
	in, out = c.in[c.at:end], c.out[c.at:end]
	c.at = end
	return in, out
}

// keep shows the next n octets.
func (c *cursor) keep(n int) []byte {
	in, out := c.take(n)
	copy(out, in)
	return in
}

// number shows a number of n octets, and gives it.
func (c *cursor) number(n int) (v int) {
	for _, octet := range c.keep(n) {
		v = v<<8 | int(octet)
	}
	return v
}

// name puts other octets in the place of the next n, the same ones for the same.
func (c *cursor) name(w words, n int) {
	const letters = 26
	in, out := c.take(n)
	if len(in) == 0 {
		return
	}
	// an identifier of any octets, as letters, so that a word stands for it
	text := make([]byte, len(in))
	for i, octet := range in {
		text[i] = 'A' + octet%letters
		if i > 0 {
			text[i] = 'A' + (octet^text[i-1])%letters
		}
	}
	copy(out, w.mapper.Word(string(text)))
}

// hello shows a ClientHello or ServerHello (RFC 8446 §4.1): versions, suites, which extensions
// there are. A session gets another name, so that it shows whether it was resumed.
func (w words) hello(client bool, in []byte) []byte {
	c := &cursor{in: in, out: make([]byte, len(in))}
	c.keep(2)
	random, out := c.take(32)
	if string(random) == helloRetry {
		copy(out, random)
	}
	c.name(w, c.number(1))
	if client {
		c.keep(c.number(2)) // suites
		c.keep(c.number(1)) // compression
	} else {
		c.keep(3)
	}
	end := c.at + 2 + c.number(2)
	for c.at+4 <= min(end, len(in)) {
		kind, size := c.number(2), c.number(2)
		w.extension(&cursor{in: at(c.in, c.at, size), out: at(c.out, c.at, size)}, kind, client)
		c.at = min(c.at+size, len(in))
	}
	return c.out
}

// at are n octets at a place, or what there is of them.
func at(p []byte, from, n int) []byte { return p[min(from, len(p)):min(from+n, len(p))] }

// extension shows an extension: names as others, keys and tickets not at all.
func (w words) extension(c *cursor, kind int, client bool) {
	const (
		serverName, groups, formats, algorithms, alpn, early, versions, share, modes = 0, 10, 11, 13,
			16, 42, 43, 51, 45
	)
	switch kind {
	case serverName:
		c.keep(3)
		name, out := c.take(c.number(2))
		copy(out, w.host(name))
	case alpn:
		w.protocols(c)
	case groups, formats, algorithms, early, versions, modes:
		c.keep(len(c.in))
	case share:
		if client {
			c.keep(2)
		}
		for c.at+2 <= len(c.in) {
			c.keep(2)
			if len(c.in) > c.at { // of a HelloRetryRequest the group alone
				c.take(c.number(2))
			}
		}
	}
}

// protocols shows the names of application protocols that are known (RFC 7301).
func (w words) protocols(c *cursor) {
	c.keep(2)
	for c.at < len(c.in) {
		name, out := c.take(c.number(1))
		switch string(name) {
		case "h2", "http/1.1", "http/1.0", "h3", "grpc-exp", "acme-tls/1":
			copy(out, name)
		default:
			copy(out, masked(name))
		}
	}
}
