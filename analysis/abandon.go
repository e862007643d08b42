package analysis

import (
	"fmt"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// abandoned is the claim that the client closed while it waited for the response, and did not
// listen any more: its RST says so. Its FIN alone may be that of a client which has only finished
// sending, unless it comes long after the request.
func abandoned(p *pass) (claim, bool) {
	c, x := p.conn, p.state.Last
	up := &c.Half[reassembly.FromClient]
	if x == nil || x.Turn || x.Request == nil || !x.Request.Complete || !up.RstSeen && !hungUp(&p.state.Connection, x) || p.state.fate != nil && p.state.fate.harmed ||
		c.FirstClose != reassembly.FromClient ||
		!ledger.Seen(c.FirstCloseAt) ||
		!ledger.Whole(c) ||
		foreignReset(c, reassembly.FromClient) {
		return claim{}, false
	}
	left := c.FirstCloseAt
	if left.Time < x.Request.End.Time ||
		x.Response != nil && x.Response.Start.Time-c.Far(reassembly.FromClient) <= left.Time {
		return claim{}, false
	}
	waited := left.Time - x.Request.End.Time
	cl := claim{
		rule:       "reset-after-data",
		cause:      "client-abort",
		index:      x.Index,
		confidence: report.ConfidenceHigh,
	}
	cl.text = fmt.Sprintf(
		"The client closed the connection %s after its request, before any response came.",
		seconds(waited),
	)
	if !up.RstSeen {
		cl.confidence = report.ConfidenceMedium
	}
	cl.occ = report.Occurrence{
		Start:    x.Start().Time,
		End:      left.Time,
		Evidence: abandonEvidence(c, x, left, waited),
	}
	return cl, true
}

// hungUp reports whether the client's FIN came later than that of a client which has only finished
// sending, and nothing came in answer to the request but the server's own close.
func hungUp(s *ledger.Connection, x *reassembly.Exchange) bool {
	return x.Outcome == reassembly.Aborted && x.Response == nil && !s.Conn.MidStream &&
		s.Conn.Half[reassembly.FromClient].FinSeen &&
		shutLater(s, x)
}

// abandonEvidence shows the request, the close, and what came too late.
func abandonEvidence(
	c *reassembly.Conn,
	x *reassembly.Exchange,
	left capture.Mark,
	waited time.Duration,
) []report.Evidence {
	out := []report.Evidence{at(x.Request.End, "request", report.SideClient, "its last octet")}
	rst := c.Half[reassembly.FromClient].Rst
	if rst.Frame != left.Frame {
		out = append(
			out,
			at(left, "FIN", report.SideClient, "closes, "+seconds(waited)+" after the request"),
		)
	}
	if x.Response != nil {
		out = append(out, at(x.Response.Start, "response", report.SideServer, "comes too late"))
	}
	if !ledger.Seen(rst) {
		return out
	}
	return append(out, at(rst, "RST", report.SideClient, "nobody listens any more"))
}
