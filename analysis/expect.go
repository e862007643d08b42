package analysis

import (
	"fmt"
	"time"

	"tcpwhy/reassembly"
)

// continueTimer is the least wait for 100 Continue that counts as one ended by a timer: .NET waits
// 350 ms, curl and Go 1 s, Apache HttpClient 3 s, unless told otherwise.
const continueTimer = 300 * time.Millisecond

var expectContinue = &Detector{
	Name:  "expect-continue",
	Title: "body waited for 100 Continue",
	Doc: `What happens
A client that announces a body with Expect: 100-continue sends the header and waits for the server's word (RFC 9110 section
10.1.1). A server, or a proxy, that does not know it says nothing: the client waits until its own timer ends, a second with
most, and sends the body then.

How it is recognised
The header ends, and 300 ms or more pass until the first octet of the body, with neither 100 Continue nor a final response in
between; or the 100 comes that late. The shortest timer in common use is 350 ms.

How cost is counted
The wait, less one round trip if the server would answer at once; without the Expect field the whole of it.

When it is wrong
If the program needed that time to make the body.`,
	Causes: []Cause{{Side: SideServer,
		Message: "The client announced its body with Expect: 100-continue and waited; the server did not say in time that it may be " +
			"sent.",
		Remedies: []Remedy{
			{
				Side: SideServer,
				Text: "answer 100 Continue as soon as the header is accepted: most servers do when the program begins to read " +
					"the body",
				Settings: []Setting{
					{Node, "checkContinue with response.writeContinue()"},
					{Go, "read r.Body"},
					{
						Nginx,
						"proxy_request_buffering on makes it answer itself",
					},
				},
				After: "a proxy in front must pass it on or answer it",
			},
			{
				Side: SideClient,
				Text: "do not send it for small bodies, or wait less",
				Settings: []Setting{
					{
						Curl,
						"-H 'Expect:' or --expect100-timeout",
					}, {DotNet, "ExpectContinue = false"},
					{
						ApacheClient,
						"setExpectContinueEnabled(false)",
					}, {Go, "Transport.ExpectContinueTimeout"}, {PHP, "CURLOPT_HTTPHEADER Expect:"}},
			}}}},
	References: []string{"RFC 9110 section 10.1.1", "RFC 9110 section 15.2.1"},
	exchange:   runExpect,
}

func runExpect(p *pass) {
	x, c := p.exchange, p.conn
	m := x.Request
	if x.Turn || m == nil || !m.Facts.Has(reassembly.Expect100) || m.Facts.Has(reassembly.HasGap) ||
		!mark0(m.HeaderEnd) ||
		p.job == nil {
		return
	}
	for _, s := range p.job.with(ReqApp, Think100, ClientThink) {
		if s.before.Frame != m.HeaderEnd.Frame || s.length() < continueTimer+c.RTTMin() {
			continue
		}
		fromServer := s.dir == reassembly.FromServer
		if !fromServer && granted(x, s.to) {
			continue
		}
		text := fmt.Sprintf(
			"begins %s after the header; nothing had come",
			seconds(s.to-m.HeaderEnd.Time),
		)
		role, side := "body", SideClient
		if fromServer {
			role, side, text = "answer", SideServer, fmt.Sprintf(
				"%s after the header",
				seconds(s.to-m.HeaderEnd.Time),
			)
		}
		wait := s.length()
		less := wait
		if !fromServer {
			less = max(0, wait-c.RTTMin())
		}
		p.report(
			claim{
				rule:       "expect-continue",
				confidence: ConfidenceHigh,
				lost:       []interval{{s.from, s.to}},
				occ: Occurrence{
					Start: s.from,
					End:   s.to,
					Cost:  Cost{less, less, wait},
					Evidence: []Evidence{
						at(
							m.HeaderEnd,
							"header",
							SideClient,
							"Expect: 100-continue, and no body yet",
						), at(s.end, role, side, text)},
				},
			},
		)
		return
	}
}

// granted reports whether the server had said anything to the request before the given moment.
func granted(x *reassembly.Exchange, before time.Duration) bool {
	for _, i := range x.Interim {
		if i.At.Time < before {
			return true
		}
	}
	return x.Response != nil && x.Response.Start.Time < before
}
