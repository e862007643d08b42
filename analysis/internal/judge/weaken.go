package judge

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

// Weaken takes certainty from claims about a connection of which the capture lacks something. With
// one direction alone nobody can tell what a sender waited for: such claims are remarks. Where
// octets are missing, the frames that are missing with them may have told another story, and so may
// those of a direction whose times are late.
func Weaken(c *reassembly.Conn, claims []rule.Claim) {
	client, server := &c.Half[reassembly.FromClient], &c.Half[reassembly.FromServer]
	oneSided := client.Segments == 0 && server.Bytes > 0 || server.Segments == 0 && client.Bytes > 0
	missing := ledger.Lacks(c, client) || ledger.Lacks(c, server)
	for i := range claims {
		switch {
		case claims[i].Referred:
			// its rule's across grades it
		case oneSided:
			claims[i].Confidence = report.ConfidenceLow
			claims[i].Most = rule.AtMost(report.Info)
		case missing, c.Crossed >= time.Millisecond:
			claims[i].Confidence = min(claims[i].Confidence, report.ConfidenceMedium)
		}
	}
}
