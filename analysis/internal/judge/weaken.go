package judge

import (
	"slices"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
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

// WeakenEndings takes certainty from claims about how a connection or its requests ended, where the
// capture cut frames that may hold the reason: a header, a status or an alert would tell another
// story, and so may what came before the first exchange of a connection that the capture begins in
// the middle of. Sequence numbers and flags show that something broke, and not why.
func WeakenEndings(c *reassembly.Conn, claims []rule.Claim) {
	hidden := hidesContent(c)
	for i := range claims {
		if hidden || c.MidStream && claims[i].Index == 0 {
			limit(&claims[i], report.ConfidenceMedium, report.Medium)
		}
	}
}

// hidesContent reports whether the capture cut headers or TLS records of the connection, or lacks
// those of its beginning.
func hidesContent(c *reassembly.Conn) bool {
	return (c.MidStream || slices.Contains(c.Caveats, reassembly.CaveatSnapped)) &&
		(c.TLS != nil || slices.Contains(c.Caveats, exchange.CaveatPayloadCut) ||
			slices.Contains(c.Caveats, exchange.CaveatTLSGap))
}

// WeakenCut takes certainty from claims about a TLS handshake that the end of the capture cut while
// it went on: connections that nobody asks for anything begin like others, and what those lose
// costs nobody time. One in which nothing goes on any more for as long as nobody waits (see
// ledger.Silence) hangs, and what holds it is told.
func WeakenCut(c *reassembly.Conn, x *exchange.Exchange, claims []rule.Claim) {
	if x.Attempt == nil || !x.Attempt.Secure || x.Outcome != exchange.Incomplete {
		return
	}
	if _, last := ledger.NextInTLS(c); last == nil || c.End.Time-last.Time >= ledger.Silence(c) {
		return
	}
	for i := range claims {
		if claims[i].Failure == nil && !claims[i].Referred {
			limit(&claims[i], report.ConfidenceLow, report.Info)
			cost := &claims[i].Occ.Cost
			*cost = report.Cost{High: max(cost.Expected, cost.High)} // if anybody waited at all
		}
	}
}

// limit sets how sure and how grave a claim is at most.
func limit(c *rule.Claim, sure report.Confidence, most report.Severity) {
	c.Confidence = min(c.Confidence, sure)
	c.Least = min(c.Least, most)
	c.Most = rule.AtMost(min(c.Most.Severity(), most))
}
