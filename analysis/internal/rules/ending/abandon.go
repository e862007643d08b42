package ending

import (
	"fmt"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// abandoned is the claim that the client closed while it waited for the response, and did not
// listen any more: its RST says so. Its FIN alone may be that of a client which has only finished
// sending, unless it comes long after the request.
func abandoned(p *rule.Pass) (rule.Claim, bool) {
	c, x := p.Conn, p.State.Last
	up := &c.Half[reassembly.FromClient]
	if x == nil || x.Turn || x.Request == nil || !x.Request.Complete || !up.RstSeen &&
		!hungUp(&p.State.Connection, x) || harmed(p) || c.FirstClose != reassembly.FromClient ||
		!ledger.Seen(c.FirstCloseAt) || !ledger.Whole(c) || foreignReset(c, reassembly.FromClient) {
		return rule.Claim{}, false
	}
	left := c.FirstCloseAt
	if left.Time < x.Request.End.Time ||
		x.Response != nil && x.Response.Start.Time-c.Far(reassembly.FromClient) <= left.Time {
		return rule.Claim{}, false
	}
	waited := left.Time - x.Request.End.Time
	cl := rule.Claim{
		Rule:       "reset-after-data",
		Cause:      "client-abort",
		Index:      x.Index,
		Confidence: report.ConfidenceHigh,
	}
	cl.Text = fmt.Sprintf(
		"The client closed the connection %s after its request, before any response came.",
		rule.Seconds(waited))
	if !up.RstSeen {
		cl.Confidence = report.ConfidenceMedium
	}
	cl.Occ = rule.Occurrence{
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
		s.Conn.Half[reassembly.FromClient].FinSeen && shutLater(s, x)
}

// abandonEvidence shows the request, the close, and what came too late.
func abandonEvidence(c *reassembly.Conn, x *reassembly.Exchange, left capture.Mark,
	waited time.Duration) []report.Evidence {
	out := []report.Evidence{rule.At(x.Request.End, "request", report.SideClient, "its last octet")}
	rst := c.Half[reassembly.FromClient].Rst
	if rst.Frame != left.Frame {
		out = append(
			out,
			rule.At(left, "FIN", report.SideClient,
				"closes, "+rule.Seconds(waited)+" after the request"),
		)
	}
	if x.Response != nil {
		out = append(out,
			rule.At(x.Response.Start, "response", report.SideServer, "comes too late"))
	}
	if !ledger.Seen(rst) {
		return out
	}
	return append(out, rule.At(rst, "RST", report.SideClient, "nobody listens any more"))
}
