package ending

import (
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const (
	socketCloseRule = "websocket-close"
	protocolCause   = "protocol-error"
	policyCause     = "policy"
	tooBigCause     = "too-big"
	failedCause     = "server-error"
	restartCause    = "restart"
	noCloseCause    = "no-close"
)

// WebSocketClose is the rule about WebSockets that do not end as both sides wanted.
var WebSocketClose = &rule.Detector{Rule: report.Rule{
	Name:  socketCloseRule,
	Title: "WebSocket ends for another reason than that it was over",
	Doc: `What happens
Whoever ends a WebSocket says why by a code (RFC 6455 section 7.4). 1000 and 1001 are a farewell;
others say that something went wrong, and programs often connect again at once without telling
anybody. If a connection just ends, its peer calls that 1006.

How it is recognised
By the code of the Close frame that came first: 1002, 1003, 1007 and 1010 (protocol-error), 1008
(policy), 1009 (too-big), 1011 and 1014 (server-error), 1012 and 1013 (restart). no-close: the
server's side ended the connection, or the stream, by FIN or RST, and neither side had sent a Close.
Silent: 1000, 1001, no code (1005) and those that programs define themselves (3000 and more); a
client that ends without a Close, as one does that is killed or leaves a page; an end after silence,
as long as idle-drop tells of; captures that lack octets of the WebSocket. The reason in a
Close frame is not looked at.

How cost is counted
No time is counted. Medium if it comes back, low once; restart is low.

When it is wrong
A program that uses a code in another sense. Whether 1008 was meant for a client that broke a rule
or for one that had to log in again, the server's log tells.`,
	Causes: []report.Cause{
		{
			Code:  failedCause,
			Title: "server failed",
			Side:  report.SideServer,
			Message: "The WebSocket was closed with 1011 or 1014: the program, or the one " +
				"behind it, met something that it had not expected.",
			Remedies: []report.Remedy{{
				Side: report.SideServer,
				Text: "look for exceptions in the program's log at the times shown; in some " +
					"libraries 1011 also means that a Ping was not answered in time",
			}},
		},
		{
			Code:  tooBigCause,
			Title: "message too big for its receiver",
			Side:  report.SideUnknown,
			Message: "The WebSocket was closed with 1009: a message was larger than its receiver " +
				"allows.",
			Remedies: []report.Remedy{
				{Side: report.SideClient, Text: "send less at a time"},
				{
					Side: report.SideServer,
					Text: "allow larger messages, if they are meant",
					Settings: []report.Setting{
						{Product: report.Node, Text: "ws maxPayload (100 MiB unless set)"},
						{Product: report.Python, Text: "websockets max_size (1 MiB unless set)"},
						{
							Product: report.Go,
							Text:    "SetReadLimit (coder/websocket: 32 KiB unless set)",
						},
						{
							Product: report.Java,
							Text:    "setMaxTextMessageBufferSize (Tomcat: 8 KiB unless set)",
						},
					},
				},
			},
		},
		{
			Code:  protocolCause,
			Title: "one side broke the protocol",
			Side:  report.SideUnknown,
			Message: "The WebSocket was closed with 1002, 1003, 1007 or 1010: its peer had sent " +
				"something that is not allowed, or not understood.",
			Remedies: []report.Remedy{{
				Side: report.SideUnknown,
				Text: "see what the other side sent right before: a text that is not UTF-8, a " +
					"frame changed on the way, an extension that one of them lacks",
			}},
		},
		{
			Code:  policyCause,
			Title: "against the server's rules",
			Side:  report.SideUnknown,
			Message: "The WebSocket was closed with 1008: its peer broke a rule of the program, " +
				"such as a login that had ended, or too many messages.",
			Remedies: []report.Remedy{{
				Side: report.SideServer,
				Text: "see in the program's log which rule it was; say it by a code of your own " +
					"(4000 to 4999)",
			}},
		},
		{
			Code:  restartCause,
			Title: "service restarts, or is overloaded",
			Side:  report.SideServer,
			Message: "The WebSocket was closed with 1012 or 1013: the service restarts, or asks " +
				"to come back later.",
			Remedies: []report.Remedy{{
				Side: report.SideClient,
				Text: "connect again after pauses that grow and differ, so that not all come at " +
					"once",
			}},
		},
		{
			Code:  noCloseCause,
			Title: "ended without a Close",
			Side:  report.SideServer,
			Message: "The server's side ended the connection without a Close frame: programs " +
				"see that as 1006.",
			Remedies: []report.Remedy{{
				Side: report.SideServer,
				Text: "see what ended it: a process that was killed or restarted, a proxy that " +
					"was reloaded, a limit on how long connections may live",
				Settings: []report.Setting{
					{Product: report.Nginx, Text: "worker_shutdown_timeout, and reloads"},
					{Product: report.HAProxy, Text: "hard-stop-after"},
					{Product: report.Envoy, Text: "max_connection_duration, drain_timeout"},
				},
			}},
		},
	},
	References: []string{"RFC 6455 section 7.4", "RFC 6455 section 7.1.5", "RFC 8441"},
},
	Rests:      rule.Content,
	When:       rule.Sockets,
	Closed:     runSockets,
	Across:     &rule.Comparison{Start: func() rule.Across { return &bares{} }},
	Vocabulary: socketWords,
}

// runSockets looks at how the WebSockets of a connection ended.
func runSockets(p *rule.Pass) {
	for _, w := range p.Conn.WebSockets {
		by, first := firstFarewell(w)
		switch {
		case first != nil:
			if cause := causeOfClose(first.Code); cause != "" {
				p.Report(closeClaim(w, by, first, cause))
			}
		case endedByServer(p.Conn, w) && rested(w):
			p.Report(silent(p.Conn, w, bareClaim(w)))
		case endedByServer(p.Conn, w):
			p.Report(bareClaim(w))
		}
	}
}

// causeOfClose is the cause that a code belongs to; "" if it is none.
func causeOfClose(code int) string {
	switch code {
	case 1002, 1003, 1007, 1010:
		return protocolCause
	case 1008:
		return policyCause
	case 1009:
		return tooBigCause
	case 1011, 1014:
		return failedCause
	case 1012, 1013:
		return restartCause
	}
	return ""
}

// closeClaim is that of a WebSocket which was closed with a code.
func closeClaim(
	w *exchange.WebSocket, by reassembly.Dir, first *exchange.WebSocketClose, cause string,
) rule.Claim {
	cl := socketClaim(w, socketCloseRule, cause, first.At)
	if cause == restartCause {
		cl.Least = report.Low
	}
	cl.Confidence = report.Proven
	cl.Occ.Proof = []rule.Evidence{
		rule.Shows(first.At, rule.SideOf(by), saysClose, int64(first.Code)),
	}
	return cl
}

// bareClaim is that of one which ended without a Close.
func bareClaim(w *exchange.WebSocket) rule.Claim {
	cl := socketClaim(w, socketCloseRule, noCloseCause, w.Ended.At)
	cl.Confidence = report.ConfidenceHigh
	cl.Occ.Proof = []rule.Evidence{endOfSocket(w)}
	return cl
}

// What websocket-close says, by number.
const (
	saysClose = iota + ownWords
)

// socketWords is the vocabulary of websocket-close.
var socketWords = vocabulary([]rule.Words{
	saysClose: {
		Role: "Close", Text: "code {id}",
		Facts: rule.Facts{report.CarriesData},
	},
})
