package http2

import (
	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// neverUpdatedCause is the cause that a client let no more come of responses than the window that
// it began with.
func neverUpdatedCause() report.Cause {
	return report.Cause{
		Code:  neverCause,
		Title: "window used up and never updated",
		Side:  report.SideClient,
		Message: "The client let no more come of HTTP/2 than the window that it began with: when " +
			"the server had used that up, it had to wait until the stream was given up.",
		Remedies: []report.Remedy{{
			Side: report.SideClient,
			Text: "send WINDOW_UPDATE for what was read, on the stream and on stream 0 (RFC 9113 " +
				"section 6.9): for DATA of streams that were reset or dropped, too",
			Settings: []report.Setting{
				{Product: report.Python, Text: "acknowledge_received_data of h2"},
				{Product: report.Node, Text: "read or destroy each stream"},
				{Product: report.Go, Text: "read and close each body"},
			},
		}},
	}
}

// neverUpdated reports whether a response waited for a window, to the end and for as long as
// interrupts whoever waits, that its client never made larger.
func neverUpdated(p *rule.Pass) bool {
	s := p.Exchange.Shut
	return s != nil && s.Dir == reassembly.FromServer && !s.Updated &&
		p.Draft.ShutFor() >= rule.LongPause
}

// claimNever claims such a message.
func claimNever(p *rule.Pass) {
	x, s := p.Exchange, p.Exchange.Shut
	m := p.Draft.Message(s.Dir)
	stood := p.Draft.ShutFor()
	c := rule.Claim{Confidence: report.ConfidenceMedium}
	if x.Outcome > exchange.Complete {
		c = failureClaim(p, x, p.Draft.Until)
		c.Confidence, c.Repaired = report.ConfidenceMedium, ledger.Idempotent(x.Method)
	}
	c.Rule, c.Cause = flowControlRule, neverCause
	words := streamShut
	if s.Of == exchange.OfConnection {
		words = connectionShut
	}
	if s.Of == exchange.OfConnection && s.Sent > m.BodyBytes {
		c.Confidence = report.ConfidenceHigh // others had brought the rest, and it was read
	} else {
		c.Correctness = false // a program may read nothing, and mean it
	}
	c.Says = []rule.Said{rule.Say(words, s.Sent)}
	c.Occ.Start, c.Occ.End = p.Draft.Until-stood, p.Draft.Until
	c.Occ.Cost = report.Cost{Low: stood, Expected: stood, High: max(stood, c.Occ.Cost.High)}
	c.Occ.Proof = inOrder(rule.Shows(s.Last, rule.SideOf(s.Dir), windowUsedUp),
		rule.Shows(m.End, rule.SideOf(s.Dir), standsStill, rule.Ns(stood)))
	p.Report(c)
}
