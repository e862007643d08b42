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
// looked at.

// prefixSize is that of a message: whether it is compressed, and its length.
const prefixSize = 5

// calls counts the messages of one direction of a call.
type calls struct {
	prefix [prefixSize]byte
	have   int
	left   int64 // octets of the message in hand that are still to come
	cut    bool  // a prefix is missing: nothing more can be counted
}

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
func (st *stream) call(dir exchange.Dir, n int64, data []byte) {
	c := &st.calls[dir]
	for n > 0 && !c.cut {
		if c.left > 0 {
			step := min(c.left, n)
			c.left -= step
			n -= step
			if data != nil {
				data = data[step:]
			}
			continue
		}
		if data == nil {
			c.cut = true
			return
		}
		if c.have == 0 {
			st.count(dir)
		}
		step := copy(c.prefix[c.have:], data)
		c.have += step
		n -= int64(step)
		data = data[step:]
		if c.have == prefixSize {
			c.left, c.have = int64(binary.BigEndian.Uint32(c.prefix[1:])), 0
		}
	}
}

// count counts a message of dir.
func (st *stream) count(dir exchange.Dir) {
	if dir == exchange.FromClient {
		st.x.RPC.Sent++
	} else {
		st.x.RPC.Received++
	}
}

// skip is how many octets come before the next prefix.
func (c *calls) skip() int64 {
	if c.cut {
		return math.MaxInt64
	}
	return c.left
}
