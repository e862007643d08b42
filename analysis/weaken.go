package analysis

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

// weaken takes certainty from claims about a connection of which the capture lacks something. With
// one direction alone nobody can tell what a sender waited for: such claims are remarks. Where
// octets are missing, the frames that are missing with them may have told another story, and so may
// those of a direction whose times are late.
func weaken(c *reassembly.Conn, claims []claim) {
	client, server := &c.Half[reassembly.FromClient], &c.Half[reassembly.FromServer]
	oneSided := client.Segments == 0 && server.Bytes > 0 || server.Segments == 0 && client.Bytes > 0
	missing := ledger.Lacks(c, client) || ledger.Lacks(c, server)
	for i := range claims {
		switch {
		case oneSided:
			claims[i].confidence = report.ConfidenceLow
			claims[i].most = atMost(report.Info)
		case missing, c.Crossed >= time.Millisecond:
			claims[i].confidence = min(claims[i].confidence, report.ConfidenceMedium)
		}
	}
}
