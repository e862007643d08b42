package ending

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const (
	// staleAfter is for how long a client may leave a connection half closed by the server before
	// that is worth a note: pools look at their connections every few seconds.
	staleAfter = 10 * time.Second
	// deadlockAfter is how long both sides must be silent to count as waiting for each other: as
	// long (reasoning: what a program computes between two parts of a message takes less).
	deadlockAfter = 10 * time.Second
	// waitRoundTrips is how many round trips both must take at least: on a long way, silence of a
	// few of them is no decision of a program's (reasoning).
	waitRoundTrips = 5
)

const halfCloseRule = "half-close"

// HalfClose is the rule about connections that were closed in one direction only.
var HalfClose = &rule.Detector{Rule: report.Rule{
	Name:  halfCloseRule,
	Title: "half-closed connection mishandled",
	Doc: `What happens
TCP closes each direction by itself (RFC 9293 section 3.6). A client may close its direction after
its last request and still wants the answer; a server that takes the FIN for a hang-up throws the
answer away. A client that does not notice the FIN of its server keeps a dead connection. And a body
without a length ends, for the server, only with the FIN that the client does not send: both wait.

How it is recognised
answered-by-close: a complete request, the client's FIN within 3 ms and a round trip, so that it was
no timeout, and the server closes without a response; a FIN that comes later is told as a client
that gave up (reset-after-data). stale-half-closed: the server's FIN, and the client closes 10 s or
more and five round trips later. deadlock: a request that never became complete, everything
acknowledged, and both sides silent for as long.

How cost is counted
The failed exchange as a whole. A stale connection costs nothing until it is used; that belongs to
keepalive-race.

When it is wrong
A client that gives its request up the moment it has sent it closes the same way. A server may have
meant not to answer.`,
	Causes: []report.Cause{
		{
			Code:  "answered-by-close",
			Title: "request with half-close was answered by a close",
			Side:  report.SideServer,
			Message: "The client closed its direction after a complete request, and the server " +
				"closed without an answer.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "take the end of input as the end of requests, not of the client",
					Settings: []report.Setting{
						{Product: report.Nginx, Text: "proxy_ignore_client_abort on"},
						{Product: report.Node, Text: "server.httpAllowHalfOpen = true"},
						{Product: report.Go, Text: "no cancelling by the request's context"},
						{Product: report.HAProxy, Text: "no option abortonclose"},
					},
				},
				{
					Side: report.SideClient,
					Text: "do not shut the sending direction before the response is there (curl, " +
						"nc -N and -q do when told to)",
				},
			},
		},
		{
			Code:  "stale-half-closed",
			Title: "client kept a connection that the server had closed",
			Side:  report.SideClient,
			Message: "The server closed idle connections, and the client left its side open long " +
				"after.",
			Remedies: []report.Remedy{
				{
					Side: report.SideClient,
					Text: "close a connection when its server has: watch idle connections for " +
						"EOF, or limit their idle time",
					Settings: report.GiveUpSettings(),
				},
			},
		},
		{
			Code:  "deadlock",
			Title: "both sides wait for the rest of a request",
			Side:  report.SideClient,
			Message: "The request was never complete by its own account, and both sides waited " +
				"until one gave up.",
			Remedies: []report.Remedy{
				{
					Side: report.SideClient,
					Text: "send as much as Content-Length says, or Transfer-Encoding: chunked " +
						"with its last chunk",
				},
				{
					Side:     report.SideServer,
					Text:     "limit the wait for a request",
					Settings: report.ReadLimits(),
				},
			},
		},
	},
	References: []string{"RFC 9293 section 3.6", "RFC 9112 section 9.6", "RFC 9112 section 6.3"},
},
	Rests:      rule.Content,
	When:       rule.Unended | rule.Lingered,
	Closed:     runHalfClose,
	Vocabulary: halfCloseWords,
}

func runHalfClose(p *rule.Pass) {
	reportFate(p, halfCloseRule)
	reportLateAnswer(p)
	c, e := p.Conn, &p.State.Ending
	up, down := &c.Half[reassembly.FromClient], &c.Half[reassembly.FromServer]
	end, _, ok := closedAt(c, reassembly.FromClient)
	if !ok || !down.FinSeen || e.Answered == 0 || e.Failed != nil {
		return
	}
	waited := end.Time - down.Fin.Time
	if waited < atLeast(staleAfter, c) || up.LastData.Time > down.Fin.Time {
		return
	}
	p.Report(rule.Claim{
		Rule:       halfCloseRule,
		Cause:      "stale-half-closed",
		Confidence: report.ConfidenceHigh,
		Index:      -1,
		Most:       rule.AtMost(report.Info),
		Occ: rule.Occurrence{
			Exchange: -1,
			Start:    down.Fin.Time,
			End:      end.Time,
			Proof: []rule.Evidence{
				rule.Shows(down.Fin, report.SideServer, finOfServer),
				rule.Shows(end, report.SideClient, closeLater, rule.Ns(waited)),
			},
		},
	})
}

// atLeast is a time of waiting, or several round trips where those are longer.
func atLeast(d time.Duration, c *reassembly.Conn) time.Duration {
	return max(d, waitRoundTrips*c.RTTMin())
}

// halfClosed: the client closed its direction after a complete request, and was not answered.
func (v *verdictOnEnd) halfClosed() bool {
	c, x := v.c, v.x
	up := &c.Half[reassembly.FromClient]
	if x.Outcome != exchange.Aborted || x.Response != nil || x.Turn || !x.Request.Complete ||
		!up.FinSeen || up.RstSeen || c.MidStream || !ledger.Whole(c) || v.e.Orphan {
		return false
	}
	closed, _, ok := closedAt(c, reassembly.FromServer)
	if !ok || closed.Time < up.Fin.Time || ledger.ShutLater(&v.p.State.Connection, x) ||
		x.Request.Facts.Has(exchange.ConnUpgrade) {
		return false
	}
	v.be(halfCloseRule, "answered-by-close", report.ConfidenceMedium)
	onlyTime(v.claim, report.Medium)
	v.until(closed.Time)
	v.claim.Occ.Proof = []rule.Evidence{
		rule.Shows(x.Request.End, report.SideClient, requestComplete),
		rule.Shows(up.Fin, report.SideClient, finOfClient),
		rule.Shows(closed, report.SideServer, closedUnanswered, rule.Ns(closed.Time-up.Fin.Time)),
	}
	return true
}

// deadlock: the request never became complete, and nobody said anything more.
func (v *verdictOnEnd) deadlock() bool {
	c, m := v.c, v.x.Request
	if !neverComplete(c, v.x) {
		return false
	}
	first, ok := firstClose(c)
	waited := first.Time - m.End.Time
	if !ok || waited < atLeast(deadlockAfter, c) || c.Half[reassembly.FromClient].Una < m.To ||
		!quiet(c, v.x, m.End, first) {
		return false
	}
	v.be(halfCloseRule, "deadlock", report.ConfidenceMedium)
	onlyTime(v.claim, report.Medium)
	v.until(first.Time)
	if c.FirstClose == reassembly.FromClient {
		took := first.Time - v.claim.Occ.Start // by the client's own clock
		v.claim.Occ.Cost = report.Cost{Expected: took, High: took}
	}
	lack, last := missingEnd(m)
	v.claim.Says = []rule.Said{lack}
	v.claim.Occ.Proof = []rule.Evidence{
		rule.Shows(m.Start, report.SideClient, requestBegins),
		last,
		rule.Shows(first, rule.SideOf(c.FirstClose), closeAfterSilence, rule.Ns(waited)),
	}
	return true
}

// neverComplete reports whether the request of x lacks its end by its own account, though the
// capture shows all that was sent, and whether no answer came before its client had closed.
func neverComplete(c *reassembly.Conn, x *exchange.Exchange) bool {
	m, fin := x.Request, c.Half[reassembly.FromClient].Fin
	answered := x.Response != nil && !(ledger.Seen(fin) && x.Response.Start.Time > fin.Time)
	return !answered && !x.Turn && !m.Complete && len(x.Interim) == 0 &&
		m.Facts&(exchange.Expect100|exchange.HasGap) == 0 && ledger.Whole(c)
}

// firstClose is the first FIN or RST of either side; false if there was none.
func firstClose(c *reassembly.Conn) (capture.Mark, bool) {
	client, _, ok := closedAt(c, reassembly.FromClient)
	server, _, also := closedAt(c, reassembly.FromServer)
	if also && (!ok || server.Time < client.Time) {
		return server, true
	}
	return client, ok
}

// reportLateAnswer reports a deadlock that the client ended by closing its direction: then the
// answer came.
func reportLateAnswer(p *rule.Pass) {
	e, x := &p.State.Ending, p.State.Last
	if e.Failed != nil || x == nil || x.Turn || x.Request == nil || x.Request.Complete ||
		x.Response == nil || !ledger.ExpectsResponses(p.Conn) {
		return
	}
	start := x.Start().Time
	cl := rule.Claim{Index: x.Index, Occ: rule.Occurrence{Start: start, End: start}}
	v := &verdictOnEnd{p: p, c: p.Conn, x: x, e: e, claim: &cl}
	if v.deadlock() {
		p.Report(cl)
	}
}

// quiet reports whether nobody sent data between two moments, at which x went on.
func quiet(c *reassembly.Conn, x *exchange.Exchange, from, to capture.Mark) bool {
	for i := range c.Records {
		if r := &c.Records[i]; r.Len > 0 && r.Time > from.Time && r.Time < to.Time &&
			r.Kind != reassembly.KeepAlive && !besideMessages(c, x, r) {
			return false
		}
	}
	return true
}

// besideMessages reports whether r carries only what TLS says for itself, which is no part of the
// messages of x: session tickets, and the announcement of a close.
func besideMessages(c *reassembly.Conn, x *exchange.Exchange, r *reassembly.Record) bool {
	switch {
	case c.TLS == nil || !c.TLS.Decrypted:
		return false
	case r.Dir == reassembly.FromClient:
		return x.Request != nil && r.Seq >= x.Request.To
	}
	return x.Response == nil || r.Seq+int64(r.Len) <= x.Response.From
}

// missingEnd says what a request lacks, and shows its last octet.
func missingEnd(m *exchange.Message) (rule.Said, rule.Evidence) {
	const client = report.SideClient
	switch m.Framing {
	case exchange.ByLength:
		return rule.Say(shortRequest, m.BodyBytes, m.Length),
			rule.Shows(m.End, client, shortRequestEnds, m.BodyBytes, m.Length)
	case exchange.ByChunks:
		return rule.Say(openChunks), rule.Shows(m.End, client, openChunksEnd)
	}
	return rule.Say(endlessRequest), rule.Shows(m.End, client, endlessRequestEnds)
}

// What half-close says, by number.
const (
	finOfServer = iota + ownWords
	closeLater
	requestComplete
	finOfClient
	closedUnanswered
	shortRequest
	openChunks
	endlessRequest
	shortRequestEnds
	openChunksEnd
	endlessRequestEnds
	closeAfterSilence
)

// halfCloseWords is the vocabulary of half-close.
var halfCloseWords = vocabulary([]rule.Words{
	finOfServer: {
		Role:  "FIN",
		Text:  "the server closes",
		Facts: rule.Facts{report.Closes},
	},
	closeLater: {
		Role:  "close",
		Text:  "{s} later",
		Facts: rule.Facts{report.SinceBefore},
	},
	requestComplete: {
		Role:  "end of request",
		Text:  "nothing is missing",
		Facts: rule.Facts{report.CarriesData},
	},
	finOfClient: {
		Role:  "client's FIN",
		Text:  "closes its direction; the other stays open",
		Facts: rule.Facts{report.Closes},
	},
	closedUnanswered: {
		Role:  "server's close",
		Text:  "closes without an answer, {s} later",
		Facts: rule.Facts{report.SinceBefore, report.OwnSilent},
	},
	shortRequest:   {Text: "{n} of {n} announced octets were sent."},
	openChunks:     {Text: "The last chunk was not sent."},
	endlessRequest: {Text: "Only a close could end the request."},
	shortRequestEnds: {
		Role: "last octet", Text: "{n} of {n} announced octets were sent.",
		Facts: rule.Facts{report.CarriesData, report.BodyIs, report.SaysLengthOf},
	},
	openChunksEnd: {
		Role: "last octet", Text: "The last chunk was not sent.",
		Facts: rule.Facts{report.CarriesData, report.SaysCoding},
	},
	endlessRequestEnds: {
		Role: "last octet", Text: "Only a close could end the request.",
		Facts: rule.Facts{report.CarriesData},
	},
	closeAfterSilence: {
		Role:  "close",
		Text:  "after {s} in which nobody sent anything",
		Facts: rule.Facts{report.SinceBefore, report.PeerSilent, report.OwnSilent},
	},
})
