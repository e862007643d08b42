package main

import (
	"encoding/binary"
	"fmt"
)

// talk is what is said on a connection.
type talk interface {
	// handshake plans that of TLS, if there is one.
	handshake()
	// together is how many requests the client makes at once.
	together() int
	// requests are n requests.
	requests(n int) []byte
	// responses are those to the latest n requests, and where each ends.
	responses(n int) (octets []byte, over []int)
	// farewell is what a side says before it closes; nil if nothing.
	farewell(client bool) []byte
}

// newTalk makes what is said on a connection: in clear or in TLS, by HTTP/1.1 or HTTP/2.
func newTalk(g *generator, v *visit) talk {
	plain := &clear{g: g, v: v}
	n := g.random.IntN(10)
	if n < 5 {
		return plain
	}
	v.service = 443
	return newTunnel(g, v, plain, n == 9)
}

// clear is HTTP/1.1 in clear.
type clear struct {
	g      *generator
	v      *visit
	posted bool
}

func (c *clear) handshake()           {}
func (c *clear) together() int        { return 1 }
func (c *clear) farewell(bool) []byte { return nil }

func (c *clear) requests(int) []byte {
	path, body := c.g.webPath(), 0
	method := "GET"
	if c.posted = c.g.random.IntN(20) == 0; c.posted {
		method, body = "POST", 100+c.g.random.IntN(1000)
	}
	head := fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: s%d.example\r\nUser-Agent: gen/1.0\r\n"+
		"Accept: */*\r\nCookie: session=%x\r\n", method, path, c.v.server[3], c.v.client)
	if c.posted {
		head = fmt.Appendf(head, "Content-Type: application/json\r\nContent-Length: %d\r\n", body)
	}
	return append(append(head, "\r\n"...), c.g.body[:body]...)
}

func (c *clear) responses(int) ([]byte, []int) {
	status, size := c.g.webAnswer()
	head := fmt.Appendf(
		nil,
		"HTTP/1.1 %s\r\nServer: gen/1.0\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n",
		status,
	)
	switch {
	case status[0] == '3':
		head = append(head, "ETag: \"1\"\r\n\r\n"...)
	case c.g.random.IntN(5) > 0:
		head = fmt.Appendf(head, "Content-Type: text/html\r\nContent-Length: %d\r\n\r\n", size)
		head = append(head, c.g.webBody(size)...)
	default:
		head = append(head, "Content-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"...)
		for left := size; left > 0; left -= min(left, 4096) {
			n := min(left, 4096)
			head = fmt.Appendf(head, "%x\r\n%s\r\n", n, c.g.webBody(n))
		}
		head = append(head, "0\r\n\r\n"...)
	}
	return head, []int{len(head)}
}

// webPath is something that is asked for.
func (g *generator) webPath() string {
	switch n := g.random.IntN(5000); n % 4 {
	case 0:
		return "/"
	case 1:
		return fmt.Sprintf("/api/item/%d", n)
	case 2:
		return fmt.Sprintf("/static/%d.js", n%50)
	default:
		return fmt.Sprintf("/img/%d.png?w=%d", n, n%7)
	}
}

// webAnswer is a status, and the octets of a body.
func (g *generator) webAnswer() (string, int) {
	switch n := g.random.IntN(1000); {
	case n < 100:
		return "304 Not Modified", 0
	case n < 112:
		return "404 Not Found", 150
	case n < 115:
		return "503 Service Unavailable", 200
	case n < 550:
		return "200 OK", 100 + g.random.IntN(1300)
	case n < 950:
		return "200 OK", 1400 + g.random.IntN(14000)
	}
	return "200 OK", 16000 + g.random.IntN(84000)
}

// webBody is a body of so many octets.
func (g *generator) webBody(n int) (body []byte) {
	for len(body) < n {
		body = append(body, g.body[:min(len(g.body), n-len(body))]...)
	}
	return body
}

// tunnel is TLS 1.3, and what is said in it.
type tunnel struct {
	talk
	*secure
	v *visit
}

// newTunnel makes TLS around HTTP/1.1, or around HTTP/2.
func newTunnel(g *generator, v *visit, inner talk, h2 bool) *tunnel {
	t := &tunnel{talk: inner, v: v}
	t.secure = &secure{ends: v.ends}
	t.alpn = "http/1.1"
	if h2 {
		t.talk, t.alpn = &frames{g: g, v: v}, "h2"
	}
	t.name = fmt.Sprintf("s%d.example", v.server[3])
	t.makeSecrets(g)
	return t
}

// maxRecord is the content of a record (RFC 8446 section 5.1).
const maxRecord = 1 << 14

// sealed are octets in records of a side.
func (t *tunnel) sealed(side int, octets []byte) (out []byte) {
	for len(octets) > 0 {
		n := min(len(octets), maxRecord)
		out = append(out, t.seal[side].record(contentType, octets[:n])...)
		octets = octets[n:]
	}
	return out
}

func (t *tunnel) requests(n int) []byte { return t.sealed(0, t.talk.requests(n)) }

func (t *tunnel) responses(n int) (out []byte, over []int) {
	octets, ends := t.talk.responses(n)
	from := 0
	for _, to := range ends {
		out = append(out, t.sealed(1, octets[from:to])...)
		from, over = to, append(over, len(out))
	}
	return out, over
}

// farewell is a close_notify (RFC 8446 section 6.1).
func (t *tunnel) farewell(client bool) []byte {
	side := 1
	if client {
		side = 0
	}
	return t.seal[side].record(alertType, []byte{1, 0})
}

// certificate is one of the usual size.
const certificate = 2600

// handshake plans that of TLS: hellos, a certificate, and two tickets.
func (t *tunnel) handshake() {
	v := t.v
	v.upload(t.hello(true), 1) // an attempt, until it is over
	v.now += 400e3
	if err := t.enter(0); err != nil {
		panic(err) // of keys of a fixed size
	}
	alpn := append(
		[]byte{0, 16, 0, byte(len(t.alpn) + 3), 0, byte(len(t.alpn) + 1), byte(len(t.alpn))},
		t.alpn...)
	flight := append([]byte{8, 0, 0, byte(len(alpn) + 2), 0, byte(len(alpn))}, alpn...)
	flight = append(flight, message(11, certificateList(v.g))...)
	flight = append(flight, message(15, append([]byte{8, 4, 1, 0}, v.g.webBody(256)...))...)
	flight = append(flight, finished()...)
	v.download(append(t.hello(false), t.seal[1].record(handshakeType, flight)...), nil)
	v.now += 300e3
	last := t.seal[0].record(handshakeType, finished())
	if err := t.enter(1); err != nil {
		panic(err)
	}
	v.upload(last, -1)
	v.now += 100e3
	ticket := message(
		4,
		append([]byte{0, 0, 28, 32, 0, 0, 0, 1, 0, 0, 200}, append(v.g.webBody(200), 0, 0)...),
	)
	tickets := append(
		t.seal[1].record(handshakeType, ticket),
		t.seal[1].record(handshakeType, ticket)...)
	v.put(false, flagACK|flagPSH, tickets)
	v.now += v.jitter()
	v.put(true, flagACK, nil)
	v.now += gap
}

// message is a message of the handshake.
func message(kind byte, body []byte) []byte {
	return append([]byte{kind, 0, byte(len(body) >> 8), byte(len(body))}, body...)
}

// certificateList is the body of a Certificate with one that nobody can read.
func certificateList(g *generator) []byte {
	entry := append([]byte{0, certificate >> 8, certificate & 0xff}, g.webBody(certificate)...)
	entry = append(entry, 0, 0)
	return append([]byte{0, 0, byte(len(entry) >> 8), byte(len(entry))}, entry...)
}

// frames is HTTP/2, with prior knowledge of what the other side does.
type frames struct {
	g      *generator
	v      *visit
	stream uint32 // the latest that was begun
	open   []uint32
	begun  [2]bool // the sides have sent their SETTINGS
}

// Types and flags of frames (RFC 9113 section 6).
const (
	dataFrame, headersFrame, settingsFrame, windowFrame = 0, 1, 4, 8
	endStream, endHeaders, settingsAck                  = 1, 4, 1
	browserWindow                                       = 6 << 20
)

func (f *frames) handshake()           {}
func (f *frames) together() int        { return 1 + f.g.random.IntN(3) }
func (f *frames) farewell(bool) []byte { return nil }

// frame is one frame.
func frame(kind, flags byte, stream uint32, payload []byte) []byte {
	out := []byte{
		byte(len(payload) >> 16),
		byte(len(payload) >> 8),
		byte(len(payload)),
		kind,
		flags,
	}
	return append(binary.BigEndian.AppendUint32(out, stream), payload...)
}

// field is a header field whose name is in the static table, and whose value is said (RFC 7541
// section 6.2.2).
func field(index byte, value string) []byte {
	if index >= 15 {
		return append([]byte{15, index - 15, byte(len(value))}, value...)
	}
	return append([]byte{index, byte(len(value))}, value...)
}

func (f *frames) requests(n int) (out []byte) {
	if !f.begun[0] {
		f.begun[0] = true
		out = append(out, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"...)
		window := binary.BigEndian.AppendUint32([]byte{0, 4}, browserWindow)
		out = append(out, frame(settingsFrame, 0, 0, window)...)
		out = append(
			out,
			frame(windowFrame, 0, 0, binary.BigEndian.AppendUint32(nil, 2*browserWindow))...)
	} else if len(f.open) == 0 && f.stream > 0 && f.stream < 8 {
		out = append(out, frame(settingsFrame, settingsAck, 0, nil)...)
	}
	f.open = f.open[:0]
	for range n {
		f.stream = max(1, f.stream+2)
		if f.stream == 2 {
			f.stream = 1
		}
		f.open = append(f.open, f.stream)
		block := []byte{0x82, 0x87} // GET, https
		block = append(block, field(1, fmt.Sprintf("s%d.example", f.v.server[3]))...)
		block = append(block, field(4, f.g.webPath())...)
		block = append(block, field(58, "gen/1.0")...)
		out = append(out, frame(headersFrame, endStream|endHeaders, f.stream, block)...)
	}
	return out
}

func (f *frames) responses(int) (out []byte, over []int) {
	if !f.begun[1] {
		f.begun[1] = true
		out = append(out, frame(settingsFrame, 0, 0, []byte{0, 3, 0, 0, 0, 100})...)
		out = append(out, frame(settingsFrame, settingsAck, 0, nil)...)
	}
	for _, stream := range f.open {
		status, size := f.g.webAnswer()
		block := field(8, status[:3])
		if size == 0 {
			out = append(out, frame(headersFrame, endStream|endHeaders, stream, block)...)
			over = append(over, len(out))
			continue
		}
		block = append(block, field(28, fmt.Sprint(size))...)
		out = append(out, frame(headersFrame, endHeaders, stream, block)...)
		for left := size; left > 0; left -= min(left, maxRecord) {
			n, flags := min(left, maxRecord), byte(0)
			if n == left {
				flags = endStream
			}
			out = append(out, frame(dataFrame, flags, stream, f.g.webBody(n))...)
		}
		over = append(over, len(out))
	}
	return out, over
}
