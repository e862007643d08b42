package ending

import (
	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const truncatedResponseRule = "truncated-response"

// TruncatedResponse is the rule about responses that the server ended in order, but too early.
var TruncatedResponse = &rule.Detector{Rule: report.Rule{
	Name:  truncatedResponseRule,
	Title: "response ended before it was complete",
	Doc: `What happens
The server closes its side, in order, before it has sent what it announced. A client that does not
compare takes a part for the whole (RFC 9112 section 8).

How it is recognised
The server's FIN comes before Content-Length is reached, before the last chunk, in the middle of the
header section, or in the middle of a TLS record. Octets are counted by sequence number, so that
frames cut by the capture do not matter. no-close-notify: within TLS, where messages can be read, a
response that only the close ends, without a close_notify of the server before its FIN (RFC 8446
section 6.1), though the same service says that on other connections that it closes: many never do.
A client that closed first, HEAD, 204 and 304, and whatever the end of the capture cuts, do not
count. A response that was ended by a reset belongs to reset-after-data. no-response: the FIN came
without an octet of a response, behind the whole request, as far as the server could know when it
closed; of a kept connection whose idle time was over that is keepalive-race.

How cost is counted
As lost data first. In time, what the user waited at the client: from the failed request to its
repetition, if the same method and target follow within a second; else until the client has the FIN.

When it is wrong
If the capture lost frames at the end that nobody acknowledged. A server that announces a length
that its content never has.`,
	Causes: []report.Cause{
		{
			Code:  "content-length",
			Title: "response shorter than its Content-Length",
			Side:  report.SideServer,
			Message: "The server closed the connection before it had sent as much as " +
				"Content-Length announced.",
			Remedies: truncationRemedies(),
		},
		{
			Code:  "chunked",
			Title: "chunked response without its last chunk",
			Side:  report.SideServer,
			Message: "The server closed the connection in the middle of a chunked response. " +
				"Clients that do not insist on the last chunk take it for whole.",
			Remedies: truncationRemedies(),
		},
		{
			Code:  "tls-close",
			Title: "TLS stream closed inside a record",
			Side:  report.SideServer,
			Message: "The server closed the connection in the middle of a TLS record: what it " +
				"was sending is cut.",
			Remedies: truncationRemedies(),
		},
		{
			Code:  noNotifyCause,
			Title: "response within TLS ended by a bare close",
			Side:  report.SideServer,
			Message: "Only the close ended the response, and the server did not say before it " +
				"that this was the end (close_notify), as it does elsewhere: nobody can tell " +
				"whether the response is whole.",
			Remedies: truncationRemedies(),
		},
		{
			Code:     "stream",
			Title:    "response ended inside its header",
			Side:     report.SideServer,
			Message:  "The server's stream ended before the header of the response did.",
			Remedies: truncationRemedies(),
		},
		{
			Code:  "no-response",
			Title: "server closed the connection without a response",
			Side:  report.SideServer,
			Message: "The server had the whole request, and closed the connection in order, without " +
				"an octet of a response.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "see what ends the program before it answers: a worker that its manager " +
						"killed after a timeout (its log says so), a process that died, a handler " +
						"that closes, a proxy without a server behind it",
					Settings: report.AnswerLimits(),
				},
				{
					Side: report.SideClient,
					Text: "repeat what is idempotent, once: what kills a worker may kill the next one",
				},
			},
		},
	},
	References: []string{"RFC 9112 section 8", "RFC 9112 section 6.3", "RFC 8446 section 6.1"},
},
	Rests: rule.Content,
	When:  rule.Unended | rule.Secured,
	Closed: func(p *rule.Pass) {
		reportFate(p, truncatedResponseRule)
		closeWithoutNotice(p)
	},
	Across: &rule.Comparison{
		Start: func() rule.Across { return &closeNotices{} },
		Wants: rule.Wants(rule.ConnOver),
	},
	Vocabulary: truncatedWords,
}

func truncationRemedies() []report.Remedy {
	return []report.Remedy{
		{
			Side: report.SideServer,
			Text: "see what ends the response early: crashes, a length computed before the " +
				"content was changed, a full disk under a proxy's temporary files, timeouts",
			Settings: report.AnswerLimits(),
		},
		{
			Side: report.SideClient,
			Text: "treat a response that is shorter than announced, or without its last chunk, " +
				"as failed; do not cache it",
		},
	}
}

// truncated: the server closed in order before the end of the response.
func (v *verdictOnEnd) truncated() bool {
	const unsureLength = exchange.Resynced | exchange.LengthConflict |
		exchange.LengthAndChunked
	x, m := v.x, v.x.Response
	if x.Outcome != exchange.Truncated || m == nil || m.Facts&unsureLength != 0 {
		return false
	}
	cause, lack := truncation(v.c, x)
	if cause == "" {
		return false
	}
	down, sure := &v.c.Half[reassembly.FromServer], report.Proven
	if down.Missing > 0 || m.Facts.Has(exchange.HasGap) {
		sure = report.ConfidenceMedium
	}
	v.be(truncatedResponseRule, cause, sure)
	v.claim.Unsafe = !x.Turn && !ledger.Idempotent(x.Method)
	v.claim.Says = []rule.Said{lack}
	v.claim.Occ.Proof = truncationProof(v.c, x)
	v.until(down.Fin.Time)
	return true
}

// unanswered: the server closed in order, having the whole request, without any response.
func (v *verdictOnEnd) unanswered() bool {
	c, x := v.c, v.x
	fin, reset, ok := closedAt(c, reassembly.FromServer)
	if !ok || reset || x.Turn || !v.answerless() || !x.Request.Complete ||
		x.Method == "CONNECT" || c.FirstClose != reassembly.FromServer || c.MidStream ||
		!ledger.RequestSeenAtClose(c, x, fin) ||
		c.Half[reassembly.FromClient].Una < x.Request.To {
		return false
	}
	v.be(truncatedResponseRule, "no-response", report.ConfidenceHigh)
	v.until(fin.Time)
	v.claim.Occ.Proof = []rule.Evidence{
		rule.Shows(x.Request.End, report.SideClient, requestWhole),
		rule.Shows(fin, report.SideServer, finUnanswered, rule.Ns(fin.Time-x.Request.End.Time)),
	}
	return true
}

// truncation is the cause, and what is missing; no cause if nothing says that something is.
func truncation(c *reassembly.Conn, x *exchange.Exchange) (cause string, lack rule.Said) {
	m := x.Response
	switch {
	case x.Turn && c.TLS != nil:
		return "tls-close", rule.Say(lastRecordCut)
	case x.Turn:
		return "", rule.Said{}
	case x.Request == nil || m.Facts&(exchange.HeaderTooLong|exchange.BadChunk) != 0:
		return "", rule.Said{}
	case m.HeaderBytes == 0 && m.HeaderEnd.Frame == 0:
		return "stream", rule.Say(headerCut)
	case m.Framing == exchange.ByLength && m.BodyBytes < m.Length:
		return "content-length", rule.Say(shortOfLength, m.BodyBytes, m.Length)
	case m.Framing == exchange.ByChunks && !m.Facts.Has(exchange.HasGap):
		return "chunked", rule.Say(lastChunkMissing, m.BodyBytes)
	}
	return "", rule.Said{}
}

// truncationProof shows the request, what was announced, the last octet and the FIN.
func truncationProof(c *reassembly.Conn, x *exchange.Exchange) []rule.Evidence {
	m := x.Response
	head := rule.Shows(m.Start, report.SideServer, responseBegins)
	if m.Framing == exchange.ByLength && !x.Turn {
		head = rule.Shows(m.Start, report.SideServer, lengthAnnounced, m.Length)
	} else if m.Framing == exchange.ByChunks {
		head = rule.Shows(m.Start, report.SideServer, chunksAnnounced)
	}
	return []rule.Evidence{
		rule.Shows(x.Start(), report.SideClient, requestBegins),
		head,
		rule.Shows(m.End, report.SideServer, bodyUntilFIN, m.BodyBytes),
		rule.Shows(c.Half[reassembly.FromServer].Fin, report.SideServer, finInOrder),
	}
}

// What truncated-response says, by number.
const (
	lastRecordCut = iota + ownWords
	headerCut
	shortOfLength
	lastChunkMissing
	endsWithClose
	finUnannounced
	responseBegins
	lengthAnnounced
	chunksAnnounced
	bodyUntilFIN
	finInOrder
	requestWhole
	finUnanswered
)

// truncatedWords is the vocabulary of truncated-response.
var truncatedWords = vocabulary([]rule.Words{
	lastRecordCut: {
		Text:  "The last record is not complete.",
		Facts: rule.Facts{report.RecordOpen},
	},
	headerCut: {
		Text:  "The header of the response is not complete.",
		Facts: rule.Facts{report.HeaderOpen},
	},
	shortOfLength: {
		Text:  "{n} of {octets} came, then FIN.",
		Facts: rule.Facts{report.BodyIs, report.SaysLengthOf},
	},
	lastChunkMissing: {
		Text:  "{octets} came, then FIN, and no last chunk.",
		Facts: rule.Facts{report.Told, report.SaysCoding},
	},
	endsWithClose: {
		Role: "response", Text: "announces no length: the close is to end it",
		Facts: rule.Facts{report.CarriesData},
	},
	finUnannounced: {
		Role: "FIN", Text: "without a close_notify before it",
		Facts: rule.Facts{report.Closes},
	},
	responseBegins: {
		Role: "header", Text: "the response begins",
		Facts: rule.Facts{report.CarriesData},
	},
	lengthAnnounced: {
		Role: "header", Text: "Content-Length: {id}",
		Facts: rule.Facts{report.CarriesData, report.SaysLengthOf},
	},
	chunksAnnounced: {
		Role: "header", Text: "Transfer-Encoding: chunked",
		Facts: rule.Facts{report.CarriesData, report.SaysCoding},
	},
	bodyUntilFIN: {
		Role:  "last octet",
		Text:  "{octets} of body so far",
		Facts: rule.Facts{report.CarriesData},
	},
	requestWhole: {
		Role:  "request",
		Text:  "its last octet",
		Facts: rule.Facts{report.CarriesData},
	},
	finUnanswered: {
		Role:  "FIN",
		Text:  "closes without a response, {s} after the request",
		Facts: rule.Facts{report.Closes, report.SinceBefore, report.OwnSilent},
	},
	finInOrder: {
		Role:  "FIN",
		Text:  "closes, in order",
		Facts: rule.Facts{report.Closes},
	},
})
