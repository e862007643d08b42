package http2

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"tcpwhy/reassembly/exchange"
)

// Caps on text that is kept of a message, as of HTTP/1.
const (
	maxTarget = 2048
	maxMethod = 32
	maxRPC    = 255
)

// text is a value as text to be printed: what is not printable becomes question marks.
func (f *field) text(last *string, limit int) string {
	return exchange.KeepClean(last, []byte(f.value), limit)
}

// statusOf is the status among the fields; 0 if it is not known.
func statusOf(fields []field) int {
	for i := range fields {
		if f := &fields[i]; f.name == statusField && f.known && len(f.value) == 3 {
			if n, err := strconv.ParseUint(f.value, 10, 16); err == nil && n >= 100 {
				return int(n)
			}
		}
	}
	return 0
}

// asked reads what a request asks for. An authority takes precedence over a Host field (RFC 9113
// §8.3.1).
func (k *kept) asked(x *exchange.Exchange, fields []field) {
	for i := range fields {
		f := &fields[i]
		if !f.known {
			continue
		}
		switch f.name {
		case methodField:
			x.Method = f.text(&k.method, maxMethod)
		case pathField:
			x.Target = exchange.Keep(&k.target, []byte(f.value), maxTarget)
		case authorityField:
			x.Host = f.text(&k.host, exchange.MaxHost)
		case hostField:
			if x.Host == "" {
				x.Host = f.text(&k.host, exchange.MaxHost)
			}
		}
	}
	if x.Method == "CONNECT" && x.Target == "" { // RFC 9113 §8.5: the authority is the target
		x.Target = x.Host
	}
}

// request reads the header section of a request.
func (k *kept) request(st *stream, fields []field) {
	x, m := st.x, st.x.Request
	k.asked(&x.Exchange, fields)
	var timeout time.Duration
	grpc := false
	for i := range fields {
		f := &fields[i]
		if !f.known {
			continue
		}
		switch f.name {
		case agentField:
			x.Agent = exchange.KeepClean(&k.agent, product(f.value), exchange.MaxProduct)
		case viaField:
			m.Facts |= exchange.HasVia
			x.RequestVia = exchange.KeepClean(&k.via, forwarder(f.value), exchange.MaxProduct)
		case expectField:
			if strings.EqualFold(f.value, "100-continue") {
				m.Facts |= exchange.Expect100
			}
		case lengthField:
			announce(m, f.value)
		case typeField:
			grpc = isRPC(f.value)
		case grpcTimeoutField:
			timeout = rpcTimeout(f.value)
		case traceParentField:
			x.Trail = trailOf(f.value)
		}
	}
	st.socket = isSocket(fields)
	if grpc {
		st.becomeRPC(timeout)
	}
}

// trailOf is what a traceparent field says; nil if it does not say it as it must.
func trailOf(value string) *exchange.Trail {
	t := &exchange.Trail{}
	if t.SetTraceParent([]byte(value)); *t == (exchange.Trail{}) {
		return nil
	}
	return t
}

// response reads the header section of a final response, which may be all of it.
func (k *kept) response(st *stream, fields []field) {
	x, m := st.x, st.x.Response
	for i := range fields {
		f := &fields[i]
		if !f.known {
			continue
		}
		switch f.name {
		case serverField:
			x.Software = exchange.KeepClean(&k.software, product(f.value), exchange.MaxProduct)
		case poweredField:
			x.Powered = exchange.KeepClean(&k.powered, product(f.value), exchange.MaxProduct)
		case viaField:
			m.Facts |= exchange.HasVia
			x.ResponseVia = exchange.KeepClean(&k.via, forwarder(f.value), exchange.MaxProduct)
		case lengthField:
			announce(m, f.value)
		case typeField:
			if len(f.value) >= len(eventStream) && strings.EqualFold(
				f.value[:len(eventStream)], eventStream) {
				m.Facts |= exchange.EventStream
			}
		}
	}
	k.trailers(st, fields)
}

// eventStream is the media type of events that are sent as they happen.
const eventStream = "text/event-stream"

// trailers reads the fields behind a response.
func (k *kept) trailers(st *stream, fields []field) {
	for i := range fields {
		f := &fields[i]
		if f.name != grpcStatusField || !f.known || st.x.RPC == nil {
			continue
		}
		st.ends(f.value)
	}
}

// announce takes the value of Content-Length.
func announce(m *exchange.Message, value string) {
	m.Facts |= exchange.HasLength
	n, err := strconv.ParseUint(value, 10, 63)
	switch {
	case err != nil || m.Length >= 0 && m.Length != int64(n):
		m.Facts |= exchange.LengthConflict
		m.Length = exchange.NoLength
	case !m.Facts.Has(exchange.LengthConflict):
		m.Length = int64(n)
	}
}

// product is the first product token of User-Agent or Server, without comments (RFC 9110 §10.1.5).
func product(value string) []byte {
	if i := strings.IndexAny(value, " \t("); i >= 0 {
		value = value[:i]
	}
	return []byte(value)
}

// forwarder is the product in the comment of the last element of a Via field, or else the name in
// it (RFC 9110 §7.6.3).
func forwarder(value string) []byte {
	v := []byte(value)
	if open := bytes.LastIndexByte(v, '('); open > bytes.LastIndexByte(v, ',') {
		comment, _, _ := bytes.Cut(v[open+1:], []byte(")"))
		return product(string(bytes.TrimSpace(comment)))
	}
	v = bytes.TrimSpace(v[bytes.LastIndexByte(v, ',')+1:])
	if _, name, ok := bytes.Cut(v, []byte(" ")); ok {
		v = bytes.TrimSpace(name)
	}
	return product(string(v))
}
