package analysis

import (
	"fmt"
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// abandoned is the claim that the client closed while it waited for the response, and did not listen any more: its FIN
// alone may be that of a client which has only finished sending, its RST is not.
func abandoned(p *pass) (claim, bool) {
	c, x := p.conn, p.state.last
	up := &c.Half[reassembly.FromClient]
	if x == nil || x.Turn || x.Request == nil || !x.Request.Complete || !up.RstSeen || p.state.ending.harmed ||
		c.FirstClose != reassembly.FromClient || !mark0(c.FirstCloseAt) || !whole(c) || foreignReset(c, reassembly.FromClient) {
		return claim{}, false
	}
	left := c.FirstCloseAt
	if left.Time < x.Request.End.Time || x.Response != nil && x.Response.Start.Time-c.Far(reassembly.FromClient) <= left.Time {
		return claim{}, false
	}
	waited := left.Time - x.Request.End.Time
	cl := claim{rule: "reset-after-data", cause: "client-abort", index: x.Index, confidence: ConfidenceHigh}
	cl.text = fmt.Sprintf("The client closed the connection %s after its request, before any response came.", seconds(waited))
	cl.occ = Occurrence{Start: x.Start().Time, End: left.Time, Evidence: abandonEvidence(c, x, left, waited)}
	return cl, true
}

// abandonEvidence shows the request, the close, and what came too late.
func abandonEvidence(c *reassembly.Conn, x *reassembly.Exchange, left capture.Mark, waited time.Duration) []Evidence {
	out := []Evidence{at(x.Request.End, "request", SideClient, "its last octet")}
	rst := c.Half[reassembly.FromClient].Rst
	if rst.Frame != left.Frame {
		out = append(out, at(left, "FIN", SideClient, "closes, "+seconds(waited)+" after the request"))
	}
	if x.Response != nil {
		out = append(out, at(x.Response.Start, "response", SideServer, "comes too late"))
	}
	return append(out, at(rst, "RST", SideClient, "nobody listens any more"))
}
