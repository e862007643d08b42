package ending

import (
	"strings"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const (
	headerMisuseRule     = "header-misuse"
	closeIgnoredCause    = "close-ignored"
	framingConflictCause = "framing-conflict"
	hopByHopCause        = "hop-by-hop"
)

const (
	// notDoneAfter is how long after an announced close the connection may stay open: a server
	// that closes does so at once (reasoning).
	notDoneAfter = 2 * time.Second
	// hangAfter is the least wait for a response that counts as a hang of a proxy that does not
	// listen: most servers answer sooner, and close idle connections later (reasoning).
	hangAfter = 2 * time.Second
	// slackRoundTrips is how many round trips either must last at least, where those are long: what
	// was sent at once, and lost and repeated once, has come by then (reasoning).
	slackRoundTrips = 3
)

// HeaderMisuse is the rule about header fields that concern one connection.
var HeaderMisuse = &rule.Detector{Rule: report.Rule{
	Name:  headerMisuseRule,
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
			Code:  closeIgnoredCause,
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
			Code:  framingConflictCause,
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
			Code:  hopByHopCause,
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
},
	Rests:      rule.Content | rule.Messages,
	When:       rule.Fields | rule.Announced | rule.Unended,
	Exchange:   runHeaders,
	Closed:     runCloseNotDone,
	Vocabulary: headerWords,
}

// runHeaders looks at the header sections of an exchange.
func runHeaders(p *rule.Pass) {
	x := p.Exchange
	if p.Draft == nil || x.Turn || x.Stream != 0 {
		return // HTTP/2 has none of the fields that are misused
	}
	for dir, m := range [...]*exchange.Message{x.Request, x.Response} {
		if m == nil || !ledger.Seen(m.HeaderEnd) ||
			m.Facts&(exchange.HasGap|exchange.Resynced|exchange.HeaderTooLong) != 0 {
			continue
		}
		for _, w := range misuses(x, m, reassembly.Dir(dir)) {
			reportMisuse(p, m, w)
		}
	}
	reportCloseIgnored(p)
}

// Words about the header of a request, and about that of a response.
var (
	proxyFieldsIn     = [...]rule.WordsID{proxyFieldsInRequest, proxyFieldsInResponse}
	keepAliveIn       = [...]rule.WordsID{keepAliveInRequest, keepAliveInResponse}
	lengthAndChunksIn = [...]rule.WordsID{lengthAndChunksInRequest, lengthAndChunksInResponse}
	lengthsDifferIn   = [...]rule.WordsID{lengthsDifferInRequest, lengthsDifferInResponse}
	lengthTwiceIn     = [...]rule.WordsID{lengthTwiceInRequest, lengthTwiceInResponse}
	oddCodingIn       = [...]rule.WordsID{oddCodingInRequest, oddCodingInResponse}
)

// misuse is one thing that a header section says wrongly.
type misuse struct {
	cause    string
	severity report.Severity
	shown    rule.Evidence
}

// misuses are what the header section of m says wrongly, which was sent in direction dir.
func misuses(x *exchange.Exchange, m *exchange.Message, dir reassembly.Dir) (all []misuse) {
	f, request := m.Facts, dir == reassembly.FromClient
	end, side := m.HeaderEnd, rule.SideOf(dir)
	if request && f.Has(exchange.HasProxyConnection) && strings.HasPrefix(x.Target, "/") {
		shown := rule.Shows(end, side, proxyConnection)
		all = append(all, misuse{"proxy-connection", report.Info, shown})
	}
	if request && f.Has(exchange.HasUpgrade) && !f.Has(exchange.ConnUpgrade) {
		all = append(all, misuse{"upgrade", report.Info, rule.Shows(end, side, upgradeUnnamed)})
	}
	switch {
	case f.Has(exchange.HopByHopLeak):
		shown := rule.Shows(end, side, proxyFieldsIn[dir])
		all = append(all, misuse{hopByHopCause, report.Info, shown})
	case f.Has(exchange.HasKeepAlive) && !f.Has(exchange.ConnKeepAlive):
		shown := rule.Shows(end, side, keepAliveIn[dir])
		all = append(all, misuse{hopByHopCause, report.Info, shown})
	}
	if c, found := framingConflict(m, dir); found {
		all = append(all, c)
	}
	return all
}

// framingConflict is what is wrong with how a message states its length, and how grave that is: a
// request that two hops read differently can hide another one.
func framingConflict(m *exchange.Message, dir reassembly.Dir) (misuse, bool) {
	end, side := m.HeaderEnd, rule.SideOf(dir)
	worst, mild := report.Medium, report.Low
	if dir == reassembly.FromClient {
		worst, mild = report.High, report.Medium
	}
	c := misuse{cause: framingConflictCause}
	switch f := m.Facts; {
	case f.Has(exchange.LengthAndChunked):
		c.severity, c.shown = worst, rule.Shows(end, side, lengthAndChunksIn[dir])
	case f.Has(exchange.LengthConflict) && m.Length < 0:
		c.severity, c.shown = worst, rule.Shows(end, side, lengthsDifferIn[dir])
	case f.Has(exchange.LengthConflict):
		c.severity, c.shown = report.Low, rule.Shows(end, side, lengthTwiceIn[dir])
	case f.Has(exchange.OddTransferEncoding):
		c.severity, c.shown = mild, rule.Shows(end, side, oddCodingIn[dir])
	default:
		return misuse{}, false
	}
	return c, true
}

// reportMisuse reports what the header section of m says wrongly.
func reportMisuse(p *rule.Pass, m *exchange.Message, w misuse) {
	side, via := w.shown.Side, p.Exchange.RequestVia
	if side == report.SideServer {
		via = p.Exchange.ResponseVia
	}
	fault, who := side, rule.Said{}
	switch {
	case via != "":
		fault, who = report.SideProxy, rule.Say(proxySends, int64(side))
	case w.cause == framingConflictCause || w.cause == hopByHopCause:
		who = rule.Say(sideSends, int64(side))
	}
	p.Report(rule.Claim{
		Rule:       headerMisuseRule,
		Cause:      w.cause,
		Confidence: report.Proven,
		Least:      w.severity,
		Most:       rule.AtMost(w.severity),
		Side:       fault,
		Says:       []rule.Said{who},
		Occ: rule.Occurrence{
			Start: m.Start.Time,
			End:   m.HeaderEnd.Time,
			Proof: []rule.Evidence{w.shown},
		},
	})
}

// reportCloseIgnored reports a request on a connection whose close had been announced, if it was
// answered nevertheless.
func reportCloseIgnored(p *rule.Pass) {
	x, n := p.Exchange, p.Draft.Notice
	if x.Request == nil || !ledger.Seen(n.At) || p.Draft.Ahead != nil ||
		x.Outcome != exchange.Complete {
		return
	}
	if n.By == reassembly.FromServer &&
		x.Request.Start.Time <= n.At.Time+p.Conn.Far(reassembly.FromClient) {
		return // the client could not know
	}
	p.Report(rule.Claim{
		Rule:       headerMisuseRule,
		Cause:      closeIgnoredCause,
		Confidence: report.Proven,
		Most:       rule.AtMost(report.Low),
		Least:      report.Info,
		Says:       []rule.Said{rule.Say(answeredNevertheless)},
		Occ: rule.Occurrence{
			Start: n.At.Time,
			End:   x.Request.Start.Time,
			Proof: closeIgnoredProof(n, x),
		},
	})
}

// closeIgnoredProof shows the announcement and the request after it.
func closeIgnoredProof(n ledger.CloseNotice, x *exchange.Exchange) []rule.Evidence {
	return []rule.Evidence{
		rule.Shows(n.At, rule.SideOf(n.By), closeAnnounced),
		rule.Shows(x.Request.Start, report.SideClient, requestAfterNotice),
	}
}

// afterNotice: the request went out on a connection whose close had been announced.
func (v *verdictOnEnd) afterNotice() bool {
	n := v.e.Announced
	if !ledger.Seen(n.At) || v.e.Pipelined || v.x.Turn || !v.answerless() ||
		n.By == reassembly.FromServer && v.lateFor(n.At.Time) <= 0 {
		return false
	}
	v.be(headerMisuseRule, closeIgnoredCause, report.ConfidenceHigh)
	v.claim.Occ.Proof = closeIgnoredProof(n, v.x)
	if closed, _, ok := closedAt(v.c, reassembly.FromServer); ok {
		v.until(max(closed.Time, v.claim.Occ.End))
	}
	v.claim.Says = []rule.Said{rule.Say(notAnswered)}
	return true
}

// dumbProxy: keep-alive was agreed in HTTP/1.0, and the next request was received and hung until
// the other side closed.
func (v *verdictOnEnd) dumbProxy() bool {
	c, x := v.c, v.x
	if !v.answerless() || v.e.Answered == 0 || !keptOld(x) {
		return false
	}
	end, reset, ok := closedAt(c, reassembly.FromServer)
	hung := end.Time - x.Request.End.Time
	// A close with the request unread in the socket makes a RST with ACK (RFC 2525 §2.17).
	if !ok || reset && !c.Half[reassembly.FromServer].RstActive ||
		hung < max(hangAfter, slackRoundTrips*c.RTTMin()) || !ledger.RequestSeenAtClose(c, x, end) {
		return false
	}
	v.be(headerMisuseRule, "dumb-proxy", report.ConfidenceMedium)
	v.until(end.Time)
	v.claim.Occ.Proof = []rule.Evidence{
		rule.Shows(v.e.Prior, report.SideServer, firstResponse),
		rule.Shows(x.Request.End, report.SideClient, nextHangs),
		rule.Shows(end, report.SideServer, closeAfterHang, rule.Ns(hung)),
	}
	return true
}

// keptOld reports whether x is a whole request that asks for keep-alive in the manner of HTTP/1.0.
func keptOld(x *exchange.Exchange) bool {
	f := x.Request.Facts
	return !x.Turn && x.Request.Complete && f.Has(exchange.ConnKeepAlive) &&
		(x.Version == "HTTP/1.0" || f.Has(exchange.HasProxyConnection))
}

// runCloseNotDone reports a close that the server announced and did not do, and the requests that
// went unanswered after one.
func runCloseNotDone(p *rule.Pass) {
	reportFate(p, headerMisuseRule)
	c, n, last := p.Conn, p.State.Ending.Notice, p.State.Last
	if !ledger.Seen(n.At) || n.By != reassembly.FromServer || !ledger.Seen(c.FirstCloseAt) ||
		p.State.Ending.Failed != nil || !ledger.Whole(c) {
		return
	}
	waited := c.FirstCloseAt.Time - n.At.Time
	if waited < max(notDoneAfter, slackRoundTrips*c.RTTMin()) || last == nil ||
		last.End().Frame != n.At.Frame || last.Response.Framing == exchange.ByClose {
		return
	}
	p.Report(rule.Claim{
		Rule:       headerMisuseRule,
		Cause:      "close-not-done",
		Confidence: report.ConfidenceHigh,
		Index:      last.Index,
		Most:       rule.AtMost(report.Info),
		Occ: rule.Occurrence{
			Start: n.At.Time,
			End:   c.FirstCloseAt.Time,
			Proof: []rule.Evidence{
				rule.Shows(n.At, report.SideServer, responseSaysClose),
				rule.Shows(c.FirstCloseAt, rule.SideOf(c.FirstClose), closedLate, rule.Ns(waited)),
			},
		},
	})
}
