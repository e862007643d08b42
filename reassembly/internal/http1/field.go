package http1

import (
	"bytes"
	"encoding/base64"

	"tcpwhy/reassembly/exchange"
)

// header is what the header section of one message has said about framing so far.
type header struct {
	length      int64 // NoLength, badLength, or what Content-Length said
	emptyLength bool  // a Content-Length without value, which a folded line may still supply
	coded       bool  // a Transfer-Encoding other than identity was named
	chunked     bool  // the last coding named is chunked
	oddCoding   bool  // chunked is not last, or comes twice
	h2c         bool  // Upgrade names h2c
	websocket   bool  // Upgrade names websocket
	trail       exchange.Trail
	last        fieldName
}

// fieldName is a field that matters here.
type fieldName uint8

const (
	otherField fieldName = iota
	connectionField
	keepAliveField
	lengthField
	codingField
	upgradeField
	proxyConnectionField
	expectField
	hostField
	agentField
	serverField
	typeField
	viaField
	poweredField
	acceptField   // Accept-Encoding
	encodingField // Content-Encoding
	requestIDField
	traceParentField
	forwardedForField
	settingsField // HTTP2-Settings
)

// nameField recognises a field name, by its length first.
func nameField(b []byte) fieldName {
	switch {
	case len(b) == 4 && foldEq(b, "host"):
		return hostField
	case len(b) == 3 && foldEq(b, "via"):
		return viaField
	case len(b) == 6:
		return pick(b, "server", serverField, "expect", expectField)
	case len(b) == 7:
		return pick(b, "upgrade", upgradeField, "", otherField)
	case len(b) == 10 && foldEq(b, "user-agent"):
		return agentField
	case len(b) == 10:
		return pick(b, "connection", connectionField, "keep-alive", keepAliveField)
	case len(b) == 11:
		return pick(b, "traceparent", traceParentField, "", otherField)
	case len(b) == 12 && foldEq(b, "x-request-id"):
		return requestIDField
	case len(b) == 12:
		return pick(b, "content-type", typeField, "x-powered-by", poweredField)
	case len(b) == 14:
		return pick(b, "content-length", lengthField, "http2-settings", settingsField)
	case len(b) == 15:
		return pick(b, "accept-encoding", acceptField, "x-forwarded-for", forwardedForField)
	case len(b) == 16:
		return pick(b, "proxy-connection", proxyConnectionField, "content-encoding", encodingField)
	case len(b) == 17:
		return pick(b, "transfer-encoding", codingField, "", otherField)
	}
	return otherField
}

func pick(b []byte, s string, f fieldName, s2 string, f2 fieldName) fieldName {
	if foldEq(b, s) {
		return f
	}
	if foldEq(b, s2) {
		return f2
	}
	return otherField
}

// field takes one line of a header section, without its line end and not empty.
func (h *reader) field(s *side, line []byte) {
	if blank(line[0]) {
		// RFC 9112 §5.2: an obsolete fold continues the field before it.
		s.msg.Facts |= exchange.BadHeader
		h.value(s, trimBlank(line), true)
		return
	}
	colon := 0
	for colon < len(line) && line[colon] != ':' {
		colon++
	}
	s.head.last = otherField
	if colon == len(line) || colon == 0 {
		s.msg.Facts |= exchange.BadHeader
		return
	}
	name := trimBlank(line[:colon])
	// RFC 9112 §5.1: no white space between name and colon.
	if len(name) != colon || !isToken(name) {
		s.msg.Facts |= exchange.BadHeader
	}
	s.head.last = nameField(name)
	if s.head.last != otherField {
		h.value(s, trimBlank(line[colon+1:]), false)
	}
}

// value takes the value of field s.head.last, or the part of it on a folded line.
func (h *reader) value(s *side, v []byte, folded bool) {
	hd, m := &s.head, s.msg
	switch hd.last {
	case connectionField:
		m.Facts |= connectionFacts(v)
	case keepAliveField:
		m.Facts |= exchange.HasKeepAlive
		if s.dir == exchange.FromServer && s.x != nil {
			keepAlive(&s.x.Exchange, v)
		}
	case lengthField:
		m.Facts |= exchange.HasLength | hd.contentLength(v, folded)
	case codingField:
		hd.codings(v)
	case upgradeField:
		m.Facts |= exchange.HasUpgrade
		hd.h2c = hd.h2c || foldEq(v, "h2c")
		hd.websocket = hd.websocket || foldEq(v, "websocket")
	case proxyConnectionField:
		m.Facts |= exchange.HasProxyConnection
	case viaField:
		m.Facts |= exchange.HasVia
		h.nameForwarder(s, v)
	case expectField:
		if foldEq(v, "100-continue") {
			m.Facts |= exchange.Expect100
		}
	case requestIDField, traceParentField, forwardedForField:
		if s.dir == exchange.FromClient && !folded {
			hd.follow(v)
		}
	case settingsField:
		h.settings = decodeSettings(v)
	case typeField:
		m.Facts |= mediaFacts(v)
	case encodingField:
		m.Facts |= encodingFacts(v)
	case acceptField:
		m.Facts |= acceptFacts(v)
	default:
		if !folded {
			h.nameParty(s, v)
		}
	}
}

// maxSettings is the longest HTTP2-Settings that are read: each setting has 6 octets, and RFC 9113
// and others define some ten.
const maxSettings = 1 << 10

// decodeSettings is the payload of SETTINGS that HTTP2-Settings hold, as far as it can be read (RFC
// 7540 §3.2.1).
func decodeSettings(v []byte) []byte {
	if len(v) > maxSettings {
		return nil
	}
	out := make([]byte, base64.RawURLEncoding.DecodedLen(len(v)))
	n, _ := base64.RawURLEncoding.Decode(out, bytes.TrimRight(v, "="))
	return out[:n]
}

// follow takes the value of a field that says by which way a request has come.
func (hd *header) follow(v []byte) {
	switch hd.last {
	case requestIDField:
		hd.trail.SetRequestID(v)
	case traceParentField:
		hd.trail.SetTraceParent(v)
	case forwardedForField:
		hd.trail.SetForwarded(v)
	}
}

// keepTrail hands what was said of the way to the request's exchange, once all of it is known.
func (hd *header) keepTrail(x *exchange.Parts) {
	if hd.trail != (exchange.Trail{}) {
		trail := hd.trail
		x.Trail = &trail
	}
}

// nameParty keeps what tells who speaks.
func (h *reader) nameParty(s *side, v []byte) {
	switch {
	case s.x == nil: // an interim response
	case s.head.last == hostField && s.dir == exchange.FromClient:
		s.x.Host = exchange.KeepClean(&h.text.host, v, exchange.MaxHost)
	case s.head.last == agentField && s.dir == exchange.FromClient:
		s.x.Agent = exchange.KeepClean(&h.text.agent, product(v), exchange.MaxProduct)
	case s.head.last == serverField && s.dir == exchange.FromServer:
		s.x.Software = exchange.KeepClean(&h.text.software, product(v), exchange.MaxProduct)
	case s.head.last == poweredField && s.dir == exchange.FromServer:
		s.x.Powered = exchange.KeepClean(&h.text.powered, product(v), exchange.MaxProduct)
	}
}

// nameForwarder keeps who forwarded a message last: every hop appends itself (RFC 9110 §7.6.3).
func (h *reader) nameForwarder(s *side, v []byte) {
	if s.x == nil {
		return
	}
	by := exchange.KeepClean(&h.text.via, forwarder(v), exchange.MaxProduct)
	if s.dir == exchange.FromClient {
		s.x.RequestVia = by
	} else {
		s.x.ResponseVia = by
	}
}

// forwarder is the product in the comment of the last element of a Via field, or else the name in
// it.
func forwarder(v []byte) []byte {
	open := bytes.LastIndexByte(v, '(')
	if comma := bytes.LastIndexByte(v, ','); open > comma {
		comment := v[open+1:]
		if end := bytes.IndexByte(comment, ')'); end >= 0 {
			comment = comment[:end]
		}
		return product(trimBlank(comment))
	} else if comma >= 0 {
		v = v[comma+1:]
	}
	v = trimBlank(v)
	if space := bytes.IndexByte(v, ' '); space >= 0 {
		v = trimBlank(v[space:]) // behind the version
	}
	return product(v)
}

// badLength stands in for a length that is no number, or more than one.
const badLength = -2

// contentLength takes one Content-Length value (RFC 9112 §6.3). A list of equal numbers is no
// number, but says which length is meant.
func (hd *header) contentLength(v []byte, folded bool) exchange.Facts {
	if len(v) == 0 {
		hd.emptyLength = hd.emptyLength || !folded
		return 0
	}
	if folded && !hd.emptyLength {
		hd.length = badLength
		return exchange.LengthConflict
	}
	hd.emptyLength = false
	var facts exchange.Facts
	for item, rest := nextItem(v); ; item, rest = nextItem(rest) {
		n, ok := decimal(item)
		if !ok || hd.length != exchange.NoLength && n != hd.length {
			hd.length = badLength
			return exchange.LengthConflict
		}
		hd.length = n
		if rest == nil {
			return facts
		}
		facts = exchange.LengthConflict
	}
}

// codings takes a Transfer-Encoding value (RFC 9112 §6.1). identity was withdrawn and means
// nothing.
func (hd *header) codings(v []byte) {
	for item, rest := nextItem(v); ; item, rest = nextItem(rest) {
		switch {
		case foldEq(item, "chunked"):
			hd.oddCoding = hd.oddCoding || hd.chunked
			hd.chunked, hd.coded = true, true
		case foldEq(item, "identity"):
			hd.oddCoding = true
		case len(item) > 0:
			hd.oddCoding = hd.oddCoding || hd.chunked
			hd.chunked, hd.coded = false, true
		}
		if rest == nil {
			return
		}
	}
}

// connectionFacts reads the options of a Connection field (RFC 9110 §7.6.1).
func connectionFacts(v []byte) exchange.Facts {
	var facts exchange.Facts
	for item, rest := nextItem(v); ; item, rest = nextItem(rest) {
		switch {
		case foldEq(item, "close"):
			facts |= exchange.ConnClose
		case foldEq(item, "keep-alive"):
			facts |= exchange.ConnKeepAlive
		case foldEq(item, "upgrade"):
			facts |= exchange.ConnUpgrade
		case foldEq(item, "proxy-connection"),
			foldEq(item, "proxy-authorization"),
			foldEq(item, "proxy-authenticate"):
			facts |= exchange.HopByHopLeak
		}
		if rest == nil {
			return facts
		}
	}
}

// keepAlive reads timeout (seconds) and max of a response's Keep-Alive field (RFC 2068 §19.7.1.1).
func keepAlive(x *exchange.Exchange, v []byte) {
	for item, rest := nextItem(v); ; item, rest = nextItem(rest) {
		if n, ok := parameter(item, "timeout="); ok {
			x.KeepAliveTimeout, x.NotKept = n, n == 0
		}
		if n, ok := parameter(item, "max="); ok {
			x.KeepAliveMax = n
		}
		if rest == nil {
			return
		}
	}
}

func parameter(item []byte, name string) (int, bool) {
	if len(item) <= len(name) || !foldEq(item[:len(name)], name) {
		return 0, false
	}
	n, ok := decimal(item[len(name):])
	return int(n), ok && n < 1<<31
}
