package ledger

import (
	"slices"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// Reusable reports whether x left its connection fit for another request (RFC 9112 §9.3). A stream
// does, however it ended, unless that was with its connection; a WebSocket carries no other one.
func Reusable(c *reassembly.Conn, x *exchange.Exchange) bool {
	if c.Protocol == exchange.ProtoWebSocket {
		return false
	}
	if x.Stream != 0 {
		return !x.Refused && (x.Reset != nil || x.Outcome == exchange.Complete)
	}
	if x.Outcome != exchange.Complete || x.Response == nil || x.Turn {
		return x.Outcome == exchange.Complete && x.Turn
	}
	return ReasonNotReusable(x) == ""
}

// ReasonNotReusable is the cause, in the words of missed-reuse, why the connection cannot carry
// another request after x; "" if it can. Who asked first is blamed: a server that echoes the
// client's close only obeys.
func ReasonNotReusable(x *exchange.Exchange) string {
	var req exchange.Facts
	if x.Request != nil {
		req = x.Request.Facts
	}
	resp := x.Response.Facts
	old := x.Version == "HTTP/1.0" || x.Version == "HTTP/0.9"
	switch {
	case req.Has(exchange.ConnClose):
		return "request-close"
	case old && !req.Has(exchange.ConnKeepAlive):
		return "http10"
	case resp.Has(exchange.ConnClose):
		return "response-close"
	case x.Response.Framing == exchange.ByClose && x.ResponseVersion == "HTTP/1.0":
		return "http10"
	case x.Response.Framing == exchange.ByClose:
		return "close-delimited"
	case x.ResponseVersion == "HTTP/1.0" && !resp.Has(exchange.ConnKeepAlive):
		return "http10"
	}
	return ""
}

// endsByClose reports whether only the close of the connection ends x's response.
func endsByClose(x *exchange.Exchange) bool {
	return x != nil && !x.Turn && x.Response != nil && x.Response.Framing == exchange.ByClose
}

// ExpectsResponses reports whether the connection carries requests that want a response: HTTP, or
// what may be HTTP where the capture hides it. Other protocols say goodbye to a peer that has
// closed, and mean nothing by it.
func ExpectsResponses(c *reassembly.Conn) bool {
	switch c.Protocol {
	case exchange.ProtoTunnel, exchange.ProtoWebSocket:
		return false
	case exchange.ProtoUnknown:
		return slices.Contains(c.Caveats, exchange.CaveatPayloadCut) ||
			slices.Contains(c.Caveats, reassembly.CaveatSnapped)
	}
	return true
}

// GoneAway reports whether the server has said that it takes no more streams (RFC 9113 §6.8),
// before its client said that it goes.
func GoneAway(c *reassembly.Conn) bool {
	return c.HTTP2 != nil && len(c.HTTP2.GoAways) > 0 &&
		c.HTTP2.GoAways[0].By == reassembly.FromServer
}

// WentWrong is the first GOAWAY with an error (RFC 9113 §7); nil if there was none.
func WentWrong(c *reassembly.Conn) *exchange.GoAway {
	if c.HTTP2 == nil {
		return nil
	}
	for i := range c.HTTP2.GoAways {
		if g := &c.HTTP2.GoAways[i]; g.Code != exchange.NoError {
			return g
		}
	}
	return nil
}

// Idempotent reports whether a request of that method may be repeated without harm (RFC 9110
// §9.2.2).
func Idempotent(method string) bool {
	switch method {
	case "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE":
		return true
	}
	return false
}

// CloseNotice is a message that said that the connection closes after its exchange (RFC 9112 §9.6).
type CloseNotice struct {
	At capture.Mark // the end of that exchange
	By reassembly.Dir
}
