package http2

import (
	"slices"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const (
	resetRule     = "h2-reset"
	deadlineCause = "deadline"
	failedCause   = "failed"
	protocolCause = "protocol"
	calmCause     = "calm"
	http11Cause   = "http11"
)

const (
	// leastDeadline is the shortest wait that counts as one (reasoning: services ask each other
	// with timeouts of tens of milliseconds; programs that change their mind do so sooner).
	leastDeadline = 20 * time.Millisecond
	// leastTrips is how many round trips it is at least: the first can bring no answer.
	leastTrips = 2
)

// Reset is the rule about streams that one side ends before their end.
var Reset = &rule.Detector{Rule: report.Rule{
	Name:  resetRule,
	Title: "stream of HTTP/2 reset",
	Doc: `What happens
RST_STREAM ends one stream, and leaves the connection and its other streams alone (RFC 9113
section 6.4). Its code says why: the client no longer wants the answer, or one side cannot go on.

How it is recognised
By a RST_STREAM before the whole response had come. deadline: the client reset streams (CANCEL, or
NO_ERROR) that had no answer, each after the same time since its request, three times at least at
different moments, and these are half of all that it gave up at that service; 20 ms and two round
trips at least. failed: the server gave up (INTERNAL_ERROR, CONNECT_ERROR, CANCEL, NO_ERROR, or a
code of its own). protocol: one side says that the other broke a rule (PROTOCOL_ERROR,
FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, STREAM_CLOSED, COMPRESSION_ERROR). calm: ENHANCE_YOUR_CALM,
the client asks too much. http11: the server wants HTTP/1.1 for that request. Silent: a response
that was complete, as servers end uploads that they do not want, pushed streams, tunnels, event
streams (but by INTERNAL_ERROR or CONNECT_ERROR of the server), single requests that the client gave
up, calls of gRPC with a deadline, and
REFUSED_STREAM, which the server never processed; and where the capture lacks octets.

How cost is counted
What the client waited in vain: from the request to its repetition, if the same is asked for
within a second, or at once, else until it has the reset. Of event streams nothing.

When it is wrong
A code says what its sender believed. People do not leave after the same time three times, but
polls that are given up by design do. A repetition may have been the next request for the same.`,
	Causes: []report.Cause{
		{
			Code:  deadlineCause,
			Title: "requests given up after the same time",
			Side:  report.SideServer,
			Message: "The client gave requests up after a fixed time, on a connection of HTTP/2 " +
				"that it kept.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "see what the program waited for, and stop working for who has left",
					Settings: []report.Setting{
						{Product: report.Go, Text: "the request's Context"},
						{Product: report.Node, Text: "the event aborted of the stream"},
						{
							Product: report.Nginx,
							Text:    "proxy_read_timeout below the client's timeout",
						},
						{Product: report.Envoy, Text: "route timeout below the client's"},
					},
				},
				{
					Side: report.SideClient,
					Text: "set the timeout to what the slowest good answer takes; repeat with " +
						"pauses",
				},
			},
		},
		{
			Code:  failedCause,
			Title: "server gave streams up",
			Side:  report.SideServer,
			Message: "The server reset streams before their response was whole: it could not go " +
				"on.",
			Remedies: []report.Remedy{{
				Side: report.SideServer,
				Text: "look for the error in its log, and in that of what is behind it; answer " +
					"with a status (502, 503, 504) instead",
				Settings: []report.Setting{
					{
						Product: report.Nginx,
						Text: "error_log, proxy_read_timeout or grpc_read_timeout (60 s of " +
							"silence unless set), proxy_buffering",
					},
					{Product: report.Go, Text: "panics in handlers, http.ErrAbortHandler"},
					{Product: report.Node, Text: "stream.close and uncaught errors"},
					{Product: report.HAProxy, Text: "termination_state of the log"},
					{Product: report.Envoy, Text: "%RESPONSE_FLAGS% of the log"},
				},
			}},
		},
		{
			Code:  protocolCause,
			Title: "stream broke the rules of HTTP/2",
			Side:  report.SideUnknown,
			Message: "One side reset streams because in its eyes the other broke a rule of " +
				"HTTP/2.",
			Remedies: []report.Remedy{{
				Side: report.SideUnknown,
				Text: "look the code up (RFC 9113 section 7), and update the program that it " +
					"accuses; FLOW_CONTROL_ERROR: data beyond the window; PROTOCOL_ERROR: often " +
					"a header field that HTTP/2 forbids (Connection, upper case)",
			}},
		},
		{
			Code:    calmCause,
			Title:   "server asks the client to calm down",
			Side:    report.SideClient,
			Message: "The server reset streams with ENHANCE_YOUR_CALM: the client asks too much.",
			Remedies: []report.Remedy{
				{
					Side: report.SideClient,
					Text: "send fewer requests, resets and PINGs; repeat with growing pauses",
				},
				{
					Side: report.SideServer,
					Text: "see whether the limit is meant so",
					Settings: []report.Setting{
						{Product: report.Node, Text: "maxSessionMemory, streamResetBurst"},
						{Product: report.Envoy, Text: "max_inbound_frames and its like"},
						{Product: report.HAProxy, Text: "tune.h2.fe.glitches-threshold"},
					},
				},
			},
		},
		{
			Code:  http11Cause,
			Title: "server wants HTTP/1.1",
			Side:  report.SideServer,
			Message: "The server reset streams with HTTP_1_1_REQUIRED: they have to be asked " +
				"again.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "do not offer h2 (ALPN) for names or paths that need HTTP/1.1, such " +
						"as those with NTLM or client certificates by path",
				},
				{
					Side: report.SideClient,
					Text: "remember which paths need HTTP/1.1",
					Settings: []report.Setting{
						{Product: report.Curl, Text: "--http1.1"},
						{Product: report.Go, Text: "Transport.Protocols"},
						{Product: report.Java, Text: "HttpClient.Version.HTTP_1_1"},
					},
				},
			},
		},
	},
	References: []string{
		"RFC 9113 section 6.4", "RFC 9113 section 7", "RFC 9113 section 8.1",
	},
},
	Rests:    rule.Content | rule.Messages,
	Beside:   true,
	When:     rule.Streams,
	Exchange: runReset,
	Across: &rule.Comparison{
		Start: func() rule.Across { return &deadlines{} },
		Wants: 0,
	},
	Vocabulary: words,
}

// runReset claims a stream that was reset before its end.
func runReset(p *rule.Pass) {
	x := p.Exchange
	if x.Reset == nil || x.Request == nil || x.Pushed || x.Method == "CONNECT" ||
		!ledger.StreamFailed(x) || lacksEnd(p.Conn, x) || neverUpdated(p) {
		return
	}
	listens := p.Draft.Streams()
	if listens && !brokeDown(x.Reset) {
		return
	}
	cause, side := causeOfReset(x)
	if cause == "" || cause == deadlineCause && !mayBeDeadline(p, x) {
		return
	}
	cl := failureClaim(p, x, x.Reset.At.Time)
	cl.Rule, cl.Cause, cl.Side = resetRule, cause, side
	cl.Repaired = x.Response == nil
	cl.Unsafe = side != report.SideClient && !ledger.Idempotent(x.Method)
	if cause == protocolCause {
		cl.Confidence = report.ConfidenceMedium
	}
	took := x.Reset.At.Time - x.Start().Time
	if x.Reset.By == reassembly.FromClient {
		cl.Occ.Cost = report.Cost{Low: took, Expected: took, High: took}
	}
	if cause == deadlineCause {
		cl.Referred, cl.Correctness, cl.Unsafe = true, false, false
		cl.Num[numWait], cl.Num[numWhole] = int64(took), int64(x.Reset.At.Time-p.Draft.From)
	}
	if listens { // what came until then was of use, and whether more would have come nobody knows
		cl.Failure, cl.Correctness, cl.Repaired, cl.Unsafe = nil, false, false, false
		cl.Least, cl.Alone = report.Medium, rule.AtMost(report.Low)
		cl.Occ.Start, cl.Occ.Cost = x.Reset.At.Time, report.Cost{}
	}
	asked, reset := resetProof(x, took)
	cl.Occ.Proof = []rule.Evidence{asked, reset}
	p.Report(cl)
}

// brokeDown reports whether the server says that it failed: what else ends a stream to which its
// client listens may be meant.
func brokeDown(r *exchange.StreamReset) bool {
	return r.By == reassembly.FromServer &&
		(r.Code == exchange.InternalError || r.Code == exchange.ConnectError)
}

// lacksEnd reports whether the response may have been whole, as the capture lacks octets of the
// server's.
func lacksEnd(c *reassembly.Conn, x *exchange.Exchange) bool {
	const gap, resync = exchange.CaveatFramesGap, exchange.CaveatFramesLost
	return x.Response != nil && x.Response.Facts.Has(exchange.HasGap) || !ledger.Whole(c) ||
		slices.Contains(c.Caveats, gap) || slices.Contains(c.Caveats, resync)
}

// resetProof shows the request, and the reset of its stream.
func resetProof(x *exchange.Exchange, took time.Duration) (asked, reset rule.Evidence) {
	asked = rule.Shows(x.Start(), report.SideClient, asksOnStream, int64(x.Stream))
	side, code := rule.SideOf(x.Reset.By), x.Reset.Code.String()
	if x.Response == nil {
		reset = rule.Shows(x.Reset.At, side, resetsUnanswered, rule.Ns(took)).With(code)
	} else {
		reset = rule.Shows(x.Reset.At, side, resetsInMiddle, rule.Ns(took)).With(code)
	}
	return asked, reset
}

// causeOfReset is why a stream was reset, and by whose fault; "" if that is no fault, or another
// rule's.
func causeOfReset(x *exchange.Exchange) (string, report.Side) {
	by, peer := rule.SideOf(x.Reset.By), rule.SideOf(x.Reset.By.Peer())
	switch x.Reset.Code {
	case exchange.RefusedStream:
		return "", by
	case exchange.EnhanceYourCalm:
		return calmCause, peer
	case exchange.HTTP11Required:
		return http11Cause, report.SideServer
	case exchange.NoError, exchange.Cancel:
		if x.RPC != nil && x.RPC.Timeout > 0 {
			return "", by // both sides know when it is over
		}
		if by == report.SideClient {
			return deadlineCause, report.SideServer
		}
		return failedCause, by
	case exchange.InternalError, exchange.ConnectError:
		if by == report.SideClient {
			return "", by // what failed there, nothing shows
		}
		return failedCause, by
	}
	if x.Reset.Code > exchange.HTTP11Required && by == report.SideServer {
		return failedCause, by
	}
	return protocolCause, peer
}

// mayBeDeadline reports whether the client may have given x up because a timer said so: nothing had
// come, and for long enough.
func mayBeDeadline(p *rule.Pass, x *exchange.Exchange) bool {
	took := x.Reset.At.Time - x.Start().Time
	return x.Response == nil && x.Request.Complete &&
		took >= max(leastDeadline, leastTrips*p.Conn.RTTMin())
}
