package sentence

import (
	"fmt"
	"strings"
	"tcpwhy/analysis/report"
	"tcpwhy/output/mask"
	"tcpwhy/output/wording"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// Troubled reports whether a connection went wrong.
func Troubled(c *report.ConnInfo) bool {
	return Trouble(c) > 0 || c.State == reassembly.Refused || c.State == reassembly.Connecting
}

// Trouble is how many segments were sent again, a reset counting as one.
func Trouble(c *report.ConnInfo) uint32 {
	n := c.Retransmissions[reassembly.FromClient] + c.Retransmissions[reassembly.FromServer]
	if c.State == reassembly.Reset {
		n++
	}
	return n
}

// protocol is what the connection speaks, and what it is wrapped in if that was read.
func protocol(c *report.ConnInfo) string {
	if c.TLS != nil && c.TLS.Decrypted && c.Protocol != exchange.ProtoTLS {
		return c.Protocol.String() + " in " + c.TLS.Version
	}
	return c.Protocol.String()
}

// ConnectionFacts is a connection in one line.
func ConnectionFacts(c *report.ConnInfo) string {
	var facts []string
	if c.Protocol != exchange.ProtoUnknown {
		facts = append(facts, protocol(c))
	}
	facts = append(facts, wording.Count(len(c.Exchanges), "exchange", "exchanges"))
	facts = append(facts, http2Facts(c.HTTP2)...)
	facts = append(facts, socketFacts(c.WebSockets)...)
	if c.TLS != nil && c.TLS.SNI != "" {
		facts = append(facts, mask.Shorten(mask.Host(c.TLS.SNI), targetRoom))
	}
	if c.RTTMin > 0 {
		facts = append(facts, "round trip "+wording.Duration(c.RTTMin))
	}
	if n := Trouble(c); n > 0 && c.State != reassembly.Reset {
		facts = append(facts, wording.Count(n, "retransmission", "retransmissions"))
	} else if n > 1 {
		facts = append(facts, wording.Count(n-1, "retransmission", "retransmissions"))
	}
	facts = append(facts, wording.ConnectionEnd(c))
	return strings.Join(append(facts, processFacts(c)...), ", ")
}

// socketFacts are what is worth knowing of WebSockets on a connection.
func socketFacts(all []exchange.WebSocket) (facts []string) {
	messages, closed := 0, ""
	for i := range all {
		w := &all[i]
		first, last := &w.Sides[exchange.FromClient], &w.Sides[exchange.FromServer]
		messages += first.Messages + last.Messages
		by := exchange.FromClient
		if t := last.Close.At; t.Frame != 0 &&
			(first.Close.At.Frame == 0 || t.Time < first.Close.At.Time) {
			first, by = last, exchange.FromServer
		}
		if first.Close.At.Frame != 0 {
			closed = fmt.Sprintf("Close %d by the %s", first.Close.Code, by)
		}
	}
	if len(all) > 0 {
		facts = append(facts, wording.Count(messages, "message", "messages"))
	}
	if len(all) == 1 && closed != "" {
		facts = append(facts, closed)
	}
	return facts
}

// http2Facts are what is worth knowing of a connection of HTTP/2.
func http2Facts(h *exchange.H2Info) (facts []string) {
	if h == nil {
		return nil
	}
	if h.MostOpen > 1 {
		facts = append(facts, wording.Grouped(h.MostOpen)+" streams at a time")
	}
	for _, g := range h.GoAways {
		if g.Code != exchange.NoError {
			facts = append(facts, "GOAWAY "+g.Code.String()+" by the "+g.By.String())
		}
	}
	return facts
}
