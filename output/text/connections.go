package text

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"tcpwhy/analysis/report"
	"tcpwhy/output/mask"
	"tcpwhy/output/page"
	"tcpwhy/output/wording"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const maxConnections = 5

// connections names those that went wrong or carry the worst finding; if there are few, all of
// them.
func (t *textReport) connections() {
	conns := t.worthNaming()
	if len(conns) == 0 {
		return
	}
	t.Heading("Connections")
	for _, c := range conns[:min(maxConnections, len(conns))] {
		label := fmt.Sprintf("%6d  ", c.ID)
		ends := c.Client.String() + " -> " + c.Server.String()
		t.Row(label, page.Plain, ends, wording.Duration(c.Duration), page.Plain)
		t.Para(strings.Repeat(" ", len(label)), connectionFacts(c), page.Faint)
	}
	if more := len(conns) - maxConnections; more > 0 {
		least := ""
		if len(t.report.Conns) < t.report.Connections {
			least = "at least " // who else is like these is not listed
		}
		t.Para("        ", "and "+least+wording.Grouped(more)+" more like these", page.Plain)
	}
}

// worthNaming are the connections to name, those of findings first.
func (t *textReport) worthNaming() []*report.ConnInfo {
	named := map[int]bool{}
	for _, f := range t.report.Findings {
		if f.Severity > report.Info && len(f.Occurrences) > 0 {
			named[f.Occurrences[0].Connection] = true
		}
	}
	few := len(t.report.Conns) <= 3
	var conns []*report.ConnInfo
	for i := range t.report.Conns {
		c := &t.report.Conns[i]
		if few || named[c.ID] || troubled(c) {
			conns = append(conns, c)
		}
	}
	slices.SortStableFunc(conns, func(a, b *report.ConnInfo) int {
		return cmp.Or(boolOrder(named[a.ID], named[b.ID]), cmp.Compare(trouble(b), trouble(a)))
	})
	return conns
}

// boolOrder puts true before false.
func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// troubled reports whether a connection went wrong.
func troubled(c *report.ConnInfo) bool {
	return trouble(c) > 0 || c.State == reassembly.Refused || c.State == reassembly.Connecting
}

// trouble is how many segments were sent again, a reset counting as one.
func trouble(c *report.ConnInfo) uint32 {
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

// connectionFacts is a connection in one line.
func connectionFacts(c *report.ConnInfo) string {
	var facts []string
	if c.Protocol != exchange.ProtoUnknown {
		facts = append(facts, protocol(c))
	}
	facts = append(facts, wording.Count(len(c.Exchanges), "exchange", "exchanges"))
	facts = append(facts, http2Facts(c.HTTP2)...)
	facts = append(facts, socketFacts(c.WebSockets)...)
	if c.TLS != nil && c.TLS.SNI != "" {
		facts = append(facts, mask.Shorten(mask.Host(c.TLS.SNI), textTarget))
	}
	if c.RTTMin > 0 {
		facts = append(facts, "round trip "+wording.Duration(c.RTTMin))
	}
	if n := trouble(c); n > 0 && c.State != reassembly.Reset {
		facts = append(facts, wording.Count(n, "retransmission", "retransmissions"))
	} else if n > 1 {
		facts = append(facts, wording.Count(n-1, "retransmission", "retransmissions"))
	}
	return strings.Join(append(facts, wording.ConnectionEnd(c)), ", ")
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
