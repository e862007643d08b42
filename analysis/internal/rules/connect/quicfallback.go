package connect

import (
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

const quicFallbackRule = "quic-fallback"

// QUICFallback is the rule about clients that try QUIC in vain before they connect by TCP.
var QUICFallback = &rule.Detector{Rule: report.Rule{
	Name:  quicFallbackRule,
	Title: "QUIC tried in vain before TCP",
	Doc: `What happens
HTTP/3 runs over QUIC, that is over UDP. A client that knows of it, by Alt-Svc (RFC 7838) or by an
HTTPS record, may try it first. Where UDP does not get through, or nobody answers, it waits until it
loses patience, and connects by TCP (RFC 9114 section 3.1).

How it is recognised
A client had sent an Initial packet of QUIC, version 1 or 2, which opens with the keys that
everybody knows (RFC 9001 section 5.2), and nobody had answered any of its packets when it sent a
SYN to the same address and port, for the same name if both can be read. Two round trips of the
connection and more had passed since the first: an answer takes one. Its request waited for the
connection. So a client that has both race, and connects before an answer can be there, is none.

How cost is counted
From the first Initial packet to the SYN; low is a round trip less. What the client did with an
answer that came later is not known: the request that is looked at went by TCP.

When it is wrong
Where another program of the host tried QUIC, and this one would have used TCP anyway. A server that
answers only after two round trips is slow, and may be reachable. A capture that lacks UDP of the
server's looks the same: a filter such as "tcp or udp port 443 and src host" does that.`,
	Causes: []report.Cause{{
		Side: report.SideNetwork,
		Message: "The client tried QUIC (HTTP/3), got no answer, and connected by TCP only when it " +
			"had lost patience.",
		Remedies: []report.Remedy{
			{
				Side: report.SideNetwork,
				Text: "let UDP through to the port at which the server offers HTTP/3, mostly 443, in " +
					"both directions, or reject it (ICMP port unreachable), so that clients know at " +
					"once",
			},
			{
				Side: report.SideServer,
				Text: "if no HTTP/3 is meant to be served, do not offer it: no Alt-Svc header, no h3 " +
					"in HTTPS records; it is remembered for as long as `ma` says",
				Settings: []report.Setting{
					{Product: report.Nginx, Text: "no add_header Alt-Svc"},
					{Product: report.Caddy, Text: "servers { protocols h1 h2 }"},
				},
			},
			{
				Side: report.SideClient,
				Text: "have TCP race with it after a fraction of a second (curl --http3 does, --http3-only " +
					"does not)",
			},
		},
	}},
	References: []string{"RFC 9114 section 3.1", "RFC 9001 section 5.2", "RFC 7838"},
},
	Rests:      rule.Connection,
	Beside:     true,
	When:       rule.LookedUp,
	Exchange:   runQUICFallback,
	Vocabulary: words,
}

// runQUICFallback claims what a client waited for QUIC.
func runQUICFallback(p *rule.Pass) {
	if p.Draft == nil || p.Draft.Tried == nil {
		return
	}
	q, c := p.Draft.Tried, p.Conn
	took := c.Start.Time - q.First.Time
	cl := rule.Claim{
		Rule:       quicFallbackRule,
		Confidence: report.ConfidenceHigh,
		Lost:       []report.Interval{{From: q.First.Time, To: c.Start.Time}},
		Says:       []rule.Said{rule.Say(quicTries, int64(q.Tries))},
	}
	if q.Name == "" {
		cl.Confidence = report.ConfidenceMedium
	}
	cl.Occ = rule.Occurrence{
		Start:     q.First.Time,
		End:       c.Start.Time,
		Elsewhere: true,
		Cost:      report.Cost{Low: took - c.RTTMin(), Expected: took, High: took},
		Proof: []rule.Evidence{
			rule.Shows(q.First, report.SideClient, quicInitial).With(q.Name),
			rule.Shows(c.Start, report.SideClient, quicGivenUp, rule.Ns(took)),
		},
	}
	p.Report(cl)
}
