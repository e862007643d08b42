package ending

import (
	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// abandoned is the claim that the client closed while it waited for the response, and did not
// listen any more.
func abandoned(p *rule.Pass) (rule.Claim, bool) {
	c, x := p.Conn, p.State.Last
	if x == nil || harmed(p) || foreignReset(c, reassembly.FromClient) {
		return rule.Claim{}, false
	}
	if _, deaf := ledger.GivenUpDeaf(c); deaf {
		return rule.Claim{}, false
	}
	left, did := ledger.Left(&p.State.Connection, x)
	if !did || ledger.StreamFailed(x) || ledger.WentWrong(c) != nil || alerted(c, x) ||
		ledger.FinishUnanswered(&p.State.Connection, x) {
		return rule.Claim{}, false
	}
	sure := report.ConfidenceMedium
	if c.Half[reassembly.FromClient].RstSeen && !x.Turn {
		sure = report.ConfidenceHigh
	}
	return rule.Claim{
		Rule:       resetAfterDataRule,
		Cause:      clientAbortCause,
		Kind:       rule.Abandoned,
		Index:      x.Index,
		Confidence: sure,
		Says:       []rule.Said{rule.Say(leftUnanswered, rule.Ns(left.After))},
		Occ: rule.Occurrence{
			Start: x.Start().Time,
			End:   left.At.Time,
			Proof: abandonProof(c, x, &left),
		},
	}, true
}

// abandonProof shows the request, the close, and what came too late.
func abandonProof(c *reassembly.Conn, x *exchange.Exchange, left *ledger.Leave) []rule.Evidence {
	out := []rule.Evidence{rule.Shows(x.Request.End, report.SideClient, requestEnds)}
	rst := c.Half[reassembly.FromClient].Rst
	if rst.Frame != left.At.Frame {
		out = append(
			out,
			rule.Shows(left.At, report.SideClient, finWhileWaiting, rule.Ns(left.After)),
		)
	}
	if x.Response != nil {
		out = append(out, rule.Shows(x.Response.Start, report.SideServer, responseTooLate))
	}
	if ledger.Seen(rst) {
		out = append(out, rule.Shows(rst, report.SideClient, resetByListener))
	}
	return out
}
