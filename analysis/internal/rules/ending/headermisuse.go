package ending

import (
	"fmt"
	"strings"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

const (
	// notDoneAfter is how long after an announced close the connection may stay open.
	notDoneAfter = 2 * time.Second
	// hangAfter is the least wait for a response that counts as a hang of a proxy that does not
	// listen (as above).
	hangAfter = 2 * time.Second
)

var HeaderMisuse = &rule.Detector{
	Name:  "header-misuse",
	Rests: rule.Content,
	Title: "connection headers misused",
	Doc: `What happens
Some header fields are about one connection only (RFC 9110 section 7.6.1). Sent to the wrong place,
or not obeyed, they make the two ends disagree about when a connection ends, or where a message
does. The second is a matter of security: what one hop takes for a body, the next may take for a
request (RFC 9112 section 11.2).

How it is recognised
From the header sections, where the capture shows them whole. proxy-connection: Proxy-Connection in
a request to an origin server (the target begins with /). dumb-proxy: a further request after
keep-alive was agreed in HTTP/1.0 is acknowledged and hangs for 2 s or more, until the other side
closes. close-ignored: a request after Connection: close had been announced, and after the client
could know. close-not-done: announced, and 2 s later and three round trips the server had still not
closed. framing-conflict: Content-Length with Transfer-Encoding, or several different lengths, or a
last coding other than chunked. hop-by-hop: Keep-Alive that Connection does not name, or fields
named there that only another hop could mean. upgrade: Upgrade without Connection: upgrade.

How cost is counted
dumb-proxy, and close-ignored if it got no answer: the wait. The others cost nothing by themselves.

When it is wrong
A body that the capture does not show whole may look like a header. Servers behind lenient proxies
may never meet the hop that is misled.`,
	Causes: []report.Cause{
		{
			Code:  "proxy-connection",
			Title: "Proxy-Connection sent to an origin server",
			Side:  report.SideClient,
			Message: "The client sends Proxy-Connection, which no standard knows, to a server " +
				"that is no proxy.",
			Remedies: []report.Remedy{
				{
					Side: report.SideClient,
					Text: "send Connection only; in a proxy, remove Proxy-Connection before " +
						"forwarding (RFC 9112 appendix C.2.2)",
				},
			},
		},
		{
			Code:  "dumb-proxy",
			Title: "proxy forwarded keep-alive and did not listen again",
			Side:  report.SideProxy,
			Message: "Keep-alive was agreed, but the next request on the connection hung until " +
				"the other side closed: a proxy that forwards Connection: keep-alive without " +
				"understanding it waits for its server to close.",
			Remedies: []report.Remedy{
				{
					Side: report.SideProxy,
					Text: "replace the proxy, or let it remove Connection and Keep-Alive and " +
						"speak HTTP/1.1 (nginx proxy_http_version 1.1 and proxy_set_header " +
						"Connection \"\")",
				},
				{
					Side: report.SideServer,
					Text: "shorten the idle timeout for HTTP/1.0 requests with Via (Apache " +
						"BrowserMatch nokeepalive)",
				},
			},
		},
		{
			Code:  "close-ignored",
			Title: "request sent after the close had been announced",
			Side:  report.SideClient,
			Message: "The client sent another request on a connection whose close had been " +
				"announced.",
			Remedies: []report.Remedy{
				{
					Side: report.SideClient,
					Text: "do not put a connection back into the pool after Connection: close " +
						"from either side",
				},
			},
		},
		{
			Code:    "close-not-done",
			Title:   "close announced and not done",
			Side:    report.SideServer,
			Message: "The server announced the close of the connection and left it open.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "close after a response with Connection: close, or do not send it",
				},
			},
		},
		{
			Code:  "framing-conflict",
			Title: "message length stated twice",
			Side:  report.SideUnknown,
			Message: "A message states its length in two ways, or in one that receivers read " +
				"differently. Where two hops differ, requests can be smuggled.",
			Remedies: []report.Remedy{
				{
					Side: report.SideClient,
					When: report.SideClient,
					Text: "send either Content-Length or Transfer-Encoding: chunked, never both",
				},
				{
					Side: report.SideServer,
					When: report.SideServer,
					Text: "send either Content-Length or Transfer-Encoding: chunked, never both",
				},
				{
					Side: report.SideProxy,
					When: report.SideProxy,
					Text: "make the length of what is forwarded anew: Content-Length once, or " +
						"chunked",
				},
				{
					Side: report.SideClient,
					When: report.SideServer,
					Text: "take such a response for an error, and close (RFC 9112 section 6.3)",
				},
				{
					Side: report.SideServer,
					When: report.SideClient,
					Text: "answer such requests with 400 and close (RFC 9112 section 6.3)",
					Settings: []report.Setting{
						{
							Product: report.HAProxy,
							Text: "option http-restrict-req-hdr-names and no option " +
								"accept-invalid-http-request",
						},
						{Product: report.Nginx, Text: "ignore_invalid_headers on"},
						{Product: report.Node, Text: "no --insecure-http-parser"},
						{Product: report.Apache, Text: "HttpProtocolOptions Strict"},
					},
				},
			},
		},
		{
			Code:  "hop-by-hop",
			Title: "field of another hop forwarded",
			Side:  report.SideUnknown,
			Message: "A field that is meant for one hop was sent on without being named in " +
				"Connection.",
			Remedies: []report.Remedy{
				{
					Side: report.SideProxy,
					Text: "remove Connection, the fields it names, Keep-Alive and Proxy-* when " +
						"forwarding",
				},
			},
		},
		{
			Code:  "upgrade",
			Title: "Upgrade without Connection: upgrade",
			Side:  report.SideClient,
			Message: "Upgrade was sent without being named in Connection, so receivers must " +
				"ignore it.",
			Remedies: []report.Remedy{
				{Side: report.SideClient, Text: "send Connection: upgrade with Upgrade"},
				{Side: report.SideProxy, Text: "nginx: proxy_set_header Connection \"upgrade\""},
			},
		},
	},
	References: []string{
		"RFC 9110 section 7.6.1", "RFC 9112 section 6.3", "RFC 9112 section 9.6",
		"RFC 9112 section 11.2", "RFC 9112 appendix C.2.2",
	},
	Exchange: runHeaders,
	Closed:   runCloseNotDone,
}

// runHeaders looks at the header sections of an exchange.
func runHeaders(p *rule.Pass) {
	if p.Draft == nil || p.Exchange.Turn {
		return
	}
	for _, m := range [...]*reassembly.Message{p.Exchange.Request, p.Exchange.Response} {
		if m != nil &&
			m.Facts&(reassembly.HasGap|reassembly.Resynced|reassembly.HeaderTooLong) == 0 &&
			ledger.Seen(m.HeaderEnd) {
			looksOdd(p, m, m == p.Exchange.Request)
		}
	}
	reportCloseIgnored(p)
}

// looksOdd reports what a header section says wrongly.
func looksOdd(p *rule.Pass, m *reassembly.Message, request bool) {
	f := m.Facts
	if request && f.Has(reassembly.HasProxyConnection) &&
		strings.HasPrefix(p.Exchange.Target, "/") {
		reportHeader(p, m, request, "proxy-connection", report.Info, report.Info,
			"Proxy-Connection, and a target that begins with /")
	}
	if request && f.Has(reassembly.HasUpgrade) && !f.Has(reassembly.ConnUpgrade) {
		reportHeader(p, m, request, "upgrade", report.Info, report.Info,
			"Upgrade, and Connection does not name it")
	}
	if f.Has(reassembly.HopByHopLeak) ||
		f.Has(reassembly.HasKeepAlive) && !f.Has(reassembly.ConnKeepAlive) {
		text := "Connection names Proxy-*, which is another hop's"
		if !f.Has(reassembly.HopByHopLeak) {
			text = "Keep-Alive, and Connection does not name it"
		}
		reportHeader(p, m, request, "hop-by-hop", report.Info, report.Info, text)
	}
	if text, worst := framingConflict(m, request); text != "" {
		reportHeader(p, m, request, "framing-conflict", worst, worst, text)
	}
}

// framingConflict says what is wrong with how a message states its length, and how grave that is: a
// request that two hops read differently can hide another one.
func framingConflict(m *reassembly.Message, request bool) (string, report.Severity) {
	worst := report.Medium
	if request {
		worst = report.High
	}
	switch f := m.Facts; {
	case f.Has(reassembly.LengthAndChunked):
		return "Content-Length and Transfer-Encoding", worst
	case f.Has(reassembly.LengthConflict) && m.Length < 0:
		return "Content-Length that contradicts itself", worst
	case f.Has(reassembly.LengthConflict):
		return "the same Content-Length more than once", report.Low
	case f.Has(reassembly.OddTransferEncoding) && request:
		return "Transfer-Encoding that does not end in chunked once", report.Medium
	case f.Has(reassembly.OddTransferEncoding):
		return "Transfer-Encoding that does not end in chunked once", report.Low
	}
	return "", report.Info
}

// reportHeader reports one header section.
func reportHeader(p *rule.Pass, m *reassembly.Message, request bool, cause string,
	least, most report.Severity, text string) {
	role, side, via := "request header", report.SideClient, p.Exchange.RequestVia
	if !request {
		role, side, via = "response header", report.SideServer, p.Exchange.ResponseVia
	}
	fault, who := side, ""
	switch {
	case via != "":
		fault, who = report.SideProxy, "A proxy on the side of the "+side.String()+" sends it."
	case cause == "framing-conflict" || cause == "hop-by-hop":
		who = fmt.Sprintf("The %s sends it.", side)
	}
	p.Report(
		rule.Claim{
			Rule:       "header-misuse",
			Cause:      cause,
			Confidence: report.Proven,
			Least:      least,
			Most:       rule.AtMost(most),
			Side:       fault,
			Text:       who,
			Occ: rule.Occurrence{
				Start:    m.Start.Time,
				End:      m.HeaderEnd.Time,
				Evidence: []report.Evidence{rule.At(m.HeaderEnd, role, side, text)},
			},
		},
	)
}

// reportCloseIgnored reports a request on a connection whose close had been announced, if it was
// answered nevertheless.
func reportCloseIgnored(p *rule.Pass) {
	x, n := p.Exchange, p.Draft.Notice
	if x.Request == nil || !ledger.Seen(n.At) || p.Draft.Ahead != nil ||
		x.Outcome != reassembly.Complete {
		return
	}
	if n.By == reassembly.FromServer &&
		x.Request.Start.Time <= n.At.Time+p.Conn.Far(reassembly.FromClient) {
		return
	}
	p.Report(
		rule.Claim{
			Rule:       "header-misuse",
			Cause:      "close-ignored",
			Confidence: report.Proven,
			Most:       rule.AtMost(report.Low),
			Least:      report.Info,
			Text:       "It was answered all the same.",
			Occ: rule.Occurrence{
				Start:    n.At.Time,
				End:      x.Request.Start.Time,
				Evidence: closeIgnored(n, x),
			},
		},
	)
}

// closeIgnored shows the announcement and the request after it.
func closeIgnored(n ledger.CloseNotice, x *reassembly.Exchange) []report.Evidence {
	return []report.Evidence{
		rule.At(n.At, "close announced", rule.SideOf(n.By), "Connection: close in this exchange"),
		rule.At(x.Request.Start, "request", report.SideClient, "sent on the same connection"),
	}
}

// afterNotice: the request went out on a connection whose close had been announced.
func (v *verdictOnEnd) afterNotice() bool {
	n := v.e.Announced
	if !ledger.Seen(n.At) || v.e.Piped || v.x.Turn || !v.answerless() {
		return false
	}
	if late, _ := v.knew(n.At.Time); n.By == reassembly.FromServer && late <= 0 {
		return false
	}
	v.be("header-misuse", "close-ignored", report.ConfidenceHigh)
	v.claim.Occ.Evidence = closeIgnored(n, v.x)
	if closed, _, ok := closedAt(v.c, reassembly.FromServer); ok {
		v.until(max(closed.Time, v.claim.Occ.End))
	}
	v.claim.Text = "It got no response."
	return true
}

// dumbProxy: keep-alive was agreed in HTTP/1.0, and the next request was received and hung until
// the other side closed.
func (v *verdictOnEnd) dumbProxy() bool {
	c, x := v.c, v.x
	if !v.answerless() || x.Turn || v.e.Answered == 0 || !x.Request.Complete ||
		!x.Request.Facts.Has(reassembly.ConnKeepAlive) || x.Version != "HTTP/1.0" &&
		!x.Request.Facts.Has(reassembly.HasProxyConnection) {
		return false
	}
	fin, reset, ok := closedAt(c, reassembly.FromServer)
	// A close with the request unread in the socket makes a RST with ACK (RFC 2525 §2.17).
	if !ok || reset && !c.Half[reassembly.FromServer].RstActive ||
		fin.Time-x.Request.End.Time < max(hangAfter, 3*c.RTTMin()) ||
		!ledger.SeenAtClose(c, x, fin) {
		return false
	}
	v.be("header-misuse", "dumb-proxy", report.ConfidenceMedium)
	v.until(fin.Time)
	v.claim.Occ.Evidence = []report.Evidence{
		rule.At(v.e.Prior, "last response", report.SideServer,
			"the first response on the connection is complete"),
		rule.At(x.Request.End, "request", report.SideClient,
			"the next one: received, and not answered"),
		rule.At(
			fin,
			closeWord(reset),
			report.SideServer,
			fmt.Sprintf("%s later the connection is closed",
				rule.Seconds(fin.Time-x.Request.End.Time)),
		),
	}
	return true
}

// closeWord is how a side closed.
func closeWord(reset bool) string {
	if reset {
		return "RST"
	}
	return "FIN"
}

// runCloseNotDone reports a close that the server announced and did not do, and the requests that
// went unanswered after one.
func runCloseNotDone(p *rule.Pass) {
	reportFate(p, "header-misuse")
	c, n := p.Conn, p.State.Ending.Notice
	if !ledger.Seen(n.At) || n.By != reassembly.FromServer || !ledger.Seen(c.FirstCloseAt) ||
		p.State.Ending.Failed != nil || !ledger.Whole(c) {
		return
	}
	waited := c.FirstCloseAt.Time - n.At.Time
	last := p.State.Last
	if waited < max(notDoneAfter, 3*c.RTTMin()) || last == nil || last.End().Frame != n.At.Frame ||
		last.Response.Framing == reassembly.ByClose {
		return
	}
	p.Report(
		rule.Claim{
			Rule:       "header-misuse",
			Cause:      "close-not-done",
			Confidence: report.ConfidenceHigh,
			Index:      last.Index,
			Most:       rule.AtMost(report.Info),
			Occ: rule.Occurrence{
				Start: n.At.Time,
				End:   c.FirstCloseAt.Time,
				Evidence: []report.Evidence{
					rule.At(n.At, "close announced", report.SideServer,
						"the response says Connection: close"),
					rule.At(c.FirstCloseAt, "close", rule.SideOf(c.FirstClose),
						fmt.Sprintf("the first FIN, %s later", rule.Seconds(waited)))},
			},
		},
	)
}
