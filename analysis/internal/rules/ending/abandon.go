package ending

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// abandoned is the claim that the client closed while it waited for the response, and did not
// listen any more: its RST says so. Its FIN alone may be that of a client which has only finished
// sending, unless it comes long after the request.
func abandoned(p *rule.Pass) (rule.Claim, bool) {
	c, x := p.Conn, p.State.Last
	if x == nil || harmed(p) || !leftWaiting(&p.State.Connection, x) {
		return rule.Claim{}, false
	}
	left := c.FirstCloseAt
	waited := left.Time - x.Request.End.Time
	sure := report.ConfidenceMedium
	if c.Half[reassembly.FromClient].RstSeen {
		sure = report.ConfidenceHigh
	}
	return rule.Claim{
		Rule:       resetAfterDataRule,
		Cause:      clientAbortCause,
		Index:      x.Index,
		Confidence: sure,
		Says:       []rule.Said{rule.Say(leftUnanswered, rule.Ns(waited))},
		Occ: rule.Occurrence{
			Start: x.Start().Time,
			End:   left.Time,
			Proof: abandonProof(c, x, left, waited),
		},
	}, true
}

// leftWaiting reports whether the client closed first, after the whole request of x and before it
// could know of any response, and does not wait for one.
func leftWaiting(s *ledger.Connection, x *exchange.Exchange) bool {
	c := s.Conn
	if x.Turn || x.Request == nil || !x.Request.Complete || !ledger.Whole(c) ||
		c.FirstClose != reassembly.FromClient || !ledger.Seen(c.FirstCloseAt) ||
		foreignReset(c, reassembly.FromClient) ||
		!c.Half[reassembly.FromClient].RstSeen && !hungUp(s, x) {
		return false
	}
	left := c.FirstCloseAt.Time
	answered := x.Response != nil && x.Response.Start.Time-c.Far(reassembly.FromClient) <= left
	return left >= x.Request.End.Time && !answered
}

// hungUp reports whether the client's FIN came later than that of a client which has only finished
// sending, and nothing came in answer to the request but the server's own close.
func hungUp(s *ledger.Connection, x *exchange.Exchange) bool {
	return x.Outcome == exchange.Aborted && x.Response == nil && !s.Conn.MidStream &&
		s.Conn.Half[reassembly.FromClient].FinSeen && shutLater(s, x)
}

// abandonProof shows the request, the close, and what came too late.
func abandonProof(c *reassembly.Conn, x *exchange.Exchange, left capture.Mark,
	waited time.Duration) []rule.Evidence {
	out := []rule.Evidence{rule.Shows(x.Request.End, report.SideClient, requestEnds)}
	rst := c.Half[reassembly.FromClient].Rst
	if rst.Frame != left.Frame {
		out = append(out, rule.Shows(left, report.SideClient, finWhileWaiting, rule.Ns(waited)))
	}
	if x.Response != nil {
		out = append(out, rule.Shows(x.Response.Start, report.SideServer, responseTooLate))
	}
	if ledger.Seen(rst) {
		out = append(out, rule.Shows(rst, report.SideClient, resetByListener))
	}
	return out
}
