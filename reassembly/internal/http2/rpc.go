package http2

import (
	"encoding/binary"
	"math"
	"strconv"
	"strings"
	"time"

	"tcpwhy/reassembly/exchange"
)

// gRPC over HTTP/2 (PROTOCOL-HTTP2 of the gRPC project). Of its messages only the prefixes are
// looked at, and the trailers that are one in gRPC-Web.

// prefixSize is that of a message: whether it is compressed, and its length.
const prefixSize = 5

// calls reads the messages of one direction of a call.
type calls struct {
	prefix [prefixSize]byte
	have   int
	left   int64 // octets of the message in hand that are still to come
	cut    bool  // a prefix is missing, or is none: nothing more can be counted
	// what is in hand are the trailers of gRPC-Web, and what has come of them
	trails   bool
	trailers []byte
}

// What the first octet of a prefix may be (gRPC PROTOCOL-HTTP2; PROTOCOL-WEB of gRPC-Web, whose
// trailers come behind all messages, as those of HTTP do not reach programs in browsers).
const (
	compressed  = 1
	webTrailers = 0x80
)

// maxTrailers is how many octets of such trailers are kept.
const maxTrailers = 4 << 10

// isRPC reports whether a media type is that of gRPC.
func isRPC(mediaType string) bool { return strings.HasPrefix(mediaType, "application/grpc") }

// becomeRPC makes a call of the stream.
func (st *stream) becomeRPC(timeout time.Duration) {
	r := &exchange.RPC{Status: exchange.NoRPCStatus, Timeout: timeout}
	if service, method, ok := strings.Cut(strings.TrimPrefix(st.x.Target, "/"), "/"); ok {
		var last string
		r.Service = exchange.KeepClean(&last, []byte(service), maxRPC)
		r.Method = exchange.KeepClean(&last, []byte(method), maxRPC)
	}
	st.x.RPC = r
	st.calls = &[2]calls{}
}

// rpcTimeout reads grpc-timeout: at most eight digits and a unit; 0 if it is none.
func rpcTimeout(value string) time.Duration {
	if len(value) < 2 || len(value) > 9 {
		return 0
	}
	n, err := strconv.ParseUint(value[:len(value)-1], 10, 32)
	unit, ok := map[byte]time.Duration{
		'H': time.Hour, 'M': time.Minute, 'S': time.Second,
		'm': time.Millisecond, 'u': time.Microsecond, 'n': time.Nanosecond,
	}[value[len(value)-1]]
	if err != nil || !ok || int64(n) > math.MaxInt64/int64(unit) {
		return 0
	}
	return time.Duration(n) * unit
}

// call takes n octets of dir's messages, with their content if there is any.
func (st *stream) call(dir exchange.Dir, n int64, data []byte, a *exchange.Arrival) {
	c, m := &st.calls[dir], &st.x.RPC.Messages[dir]
	for n > 0 && !c.cut {
		step := n
		switch {
		case c.left > 0:
			step = min(c.left, n)
			c.left -= step
			if c.trails {
				st.trail(c, data, step)
			}
		case data == nil:
			c.cut = true
		default:
			step = c.takePrefix(data, m, a)
		}
		c.stands(m, a)
		n -= step
		if data != nil {
			data = data[step:]
		}
	}
}

// stands says how far the messages are after octets of a. Trailers of gRPC-Web are none.
func (c *calls) stands(m *exchange.RPCMessages, a *exchange.Arrival) {
	trailing := c.prefix[0] == webTrailers
	if !trailing || c.cut {
		m.Owed = c.owed()
	}
	if !trailing && m.Count > 0 {
		m.Last = a.At
	}
}

// takePrefix takes octets of a prefix, and tells how many.
func (c *calls) takePrefix(data []byte, m *exchange.RPCMessages, a *exchange.Arrival) int64 {
	if c.have == 0 && data[0] != webTrailers {
		if m.Count == 0 {
			m.First = a.Start
		}
		m.Count++
	}
	n := copy(c.prefix[c.have:], data)
	c.have += n
	if c.have < prefixSize {
		return int64(n)
	}
	c.left, c.have = int64(binary.BigEndian.Uint32(c.prefix[1:])), 0
	if c.prefix[0] == webTrailers {
		c.trails, c.cut = c.left > 0 && c.left <= maxTrailers, c.left > maxTrailers
		return int64(n)
	}
	c.cut = c.prefix[0] > compressed
	m.Largest = max(m.Largest, c.left)
	return int64(n)
}

// trail takes n octets of the trailers of gRPC-Web, with their content if there is any.
func (st *stream) trail(c *calls, data []byte, n int64) {
	if data == nil {
		c.trails, c.trailers = false, nil
		return
	}
	if c.trailers = append(c.trailers, data[:n]...); c.left > 0 {
		return
	}
	for line := range strings.Lines(string(c.trailers)) {
		name, value, _ := strings.Cut(line, ":")
		if strings.EqualFold(strings.TrimSpace(name), "grpc-status") {
			st.ends(strings.TrimSpace(value))
		}
	}
	c.trails, c.trailers = false, nil
}

// ends takes the status that a call ended with.
func (st *stream) ends(status string) {
	if n, err := strconv.ParseUint(status, 10, 16); err == nil {
		st.x.RPC.Status = int(n)
	}
}

// owed is how much of the message in hand is still to come, as far as that is known.
func (c *calls) owed() int64 {
	switch {
	case c.cut:
		return exchange.UnknownOwed
	case c.have > 0:
		return int64(prefixSize - c.have)
	}
	return c.left
}

// skip is how many octets come before the next prefix.
func (c *calls) skip() int64 {
	switch {
	case c.cut:
		return math.MaxInt64
	case c.trails:
		return 0
	}
	return c.left
}
