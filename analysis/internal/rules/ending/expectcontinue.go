package ending

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// continueTimer is the least wait for 100 Continue that counts as one ended by a timer: .NET waits
// 350 ms, curl and Go 1 s, Apache HttpClient 3 s, unless told otherwise.
const continueTimer = 300 * time.Millisecond

const expectContinueRule = "expect-continue"

// ExpectContinue is the rule about bodies that waited for the server's word.
var ExpectContinue = &rule.Detector{Rule: report.Rule{
	Name:  expectContinueRule,
	Title: "body waited for 100 Continue",
	Doc: `What happens
A client that announces a body with Expect: 100-continue sends the header and waits for the server's
word (RFC 9110 section 10.1.1). A server, or a proxy, that does not know it says nothing: the client
waits until its own timer ends, a second with most, and sends the body then.

How it is recognised
The header ends, and 300 ms or more pass until the first octet of the body, with neither 100
Continue nor a final response in between; or the 100 comes that late. The shortest timer in common
use is 350 ms.

How cost is counted
The wait, less one round trip if the server would answer at once; without the Expect field the whole
of it.

When it is wrong
If the program needed that time to make the body.`,
	Causes: []report.Cause{
		{
			Side: report.SideServer,
			Message: "The client announced its body with Expect: 100-continue and waited; the " +
				"server did not say in time that it may be sent.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "answer 100 Continue as soon as the header is accepted: most servers " +
						"do when the program begins to read the body",
					Settings: []report.Setting{
						{Product: report.Node, Text: "checkContinue with response.writeContinue()"},
						{Product: report.Go, Text: "read r.Body"},
						{
							Product: report.Nginx,
							Text:    "proxy_request_buffering on makes it answer itself",
						},
					},
					After: "a proxy in front must pass it on or answer it",
				},
				{
					Side: report.SideClient,
					Text: "do not send it for small bodies, or wait less",
					Settings: []report.Setting{
						{Product: report.Curl, Text: "-H 'Expect:' or --expect100-timeout"},
						{Product: report.DotNet, Text: "ExpectContinue = false"},
						{Product: report.ApacheClient, Text: "setExpectContinueEnabled(false)"},
						{Product: report.Go, Text: "Transport.ExpectContinueTimeout"},
						{Product: report.PHP, Text: "CURLOPT_HTTPHEADER Expect:"},
					},
				},
			},
		},
	},
	References: []string{"RFC 9110 section 10.1.1", "RFC 9110 section 15.2.1"},
},
	Rests:      rule.Content | rule.Messages,
	When:       rule.Fields,
	Exchange:   runExpect,
	Vocabulary: expectWords,
}

func runExpect(p *rule.Pass) {
	x, c := p.Exchange, p.Conn
	m := x.Request
	if x.Turn || m == nil || !m.Facts.Has(exchange.Expect100) || m.Facts.Has(exchange.HasGap) ||
		!ledger.Seen(m.HeaderEnd) || p.Draft == nil {
		return
	}
	for _, w := range p.Draft.WaitsWith(report.ReqApp, report.Think100, report.ClientThink) {
		if w.Before.Frame != m.HeaderEnd.Frame || w.Length() < continueTimer+c.RTTMin() ||
			w.Dir == reassembly.FromClient && granted(x, w.To) {
			continue
		}
		p.Report(continueClaim(c, m, &w))
		return
	}
}

// continueClaim is the claim about the wait between the header of m and what ended that: its body,
// or the server's answer.
func continueClaim(c *reassembly.Conn, m *exchange.Message, w *ledger.Wait) rule.Claim {
	less, ended := max(0, w.Length()-c.RTTMin()), bodyLate
	if w.Dir == reassembly.FromServer {
		less, ended = w.Length(), answerLate
	}
	return rule.Claim{
		Rule:       expectContinueRule,
		Confidence: report.ConfidenceHigh,
		Lost:       []report.Interval{{From: w.From, To: w.To}},
		Occ: rule.Occurrence{
			Start: w.From,
			End:   w.To,
			Cost:  report.Cost{Low: less, Expected: less, High: w.Length()},
			Proof: []rule.Evidence{
				rule.Shows(m.HeaderEnd, report.SideClient, bodyAnnounced),
				rule.Shows(w.End, rule.SideOf(w.Dir), ended, rule.Ns(w.To-m.HeaderEnd.Time)),
			},
		},
	}
}

// granted reports whether the server had said anything to the request before the given moment.
func granted(x *exchange.Exchange, before time.Duration) bool {
	for _, i := range x.Interim {
		if i.At.Time < before {
			return true
		}
	}
	return x.Response != nil && x.Response.Start.Time < before
}

// What expect-continue says, by number.
const (
	bodyAnnounced = iota + ownWords
	bodyLate
	answerLate
)

// expectWords is the vocabulary of expect-continue.
var expectWords = vocabulary([]rule.Words{
	bodyAnnounced: {
		Role:  "header",
		Text:  "Expect: 100-continue, and no body yet",
		Facts: rule.Facts{report.CarriesData},
	},
	bodyLate: {
		Role:  "body",
		Text:  "begins {s} after the header; nothing had come",
		Facts: rule.Facts{report.CarriesData, report.SinceBefore, report.PeerSilent},
	},
	answerLate: {
		Role:  "answer",
		Text:  "{s} after the header",
		Facts: rule.Facts{report.SinceBefore},
	},
})
