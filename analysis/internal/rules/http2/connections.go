package http2

import (
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

const (
	connectionsRule = "h2-connections"
	severalCause    = "several"
	churnCause      = "churn"
)

// sessionsCompared compares connections for the rules about those that need not have been opened.
var sessionsCompared = &rule.Comparison{
	Start: func() rule.Across { return &sessions{} },
	Wants: rule.Wants(rule.ExchangeBegan, rule.ExchangeOver, rule.ConnDirected, rule.ConnClosing,
		rule.ConnOver),
	AtLeast: 2,
	Late:    true,
}

// Connections is the rule about clients that open connections of HTTP/2 beside one that has room.
var Connections = &rule.Detector{Rule: report.Rule{
	Name:  connectionsRule,
	Title: "several connections of HTTP/2 where one would do",
	Doc: `What happens
One connection of HTTP/2 carries many requests at a time (RFC 9113 section 9.1 asks clients to
open no more than one to a host and port). A client that opens another one pays for its set-up,
and for the small window that it begins with; priorities and flow control of the two know nothing
of each other.

How it is recognised
A request waited for the set-up of a connection of HTTP/2 while the same client had another one to
the same service (address, port, name, TLS or not) that it had used before it asked for the new
one, that was carrying requests, that the server had not ended, and on which fewer streams were
open than the server had announced to allow (SETTINGS_MAX_CONCURRENT_STREAMS; 100 are supposed
where it had said nothing). Silent: another name, another program (User-Agent), a connection that
was itself being set up, one that was full; and where one lay idle, of which missed-reuse tells.
Connections that are opened all at once are waited for as long as one: connect-cost counts them.

How cost is counted
The set-up that the request waited for, TCP and TLS. High adds the slow start that the window of
the other connection would have saved, had it been alone there.

When it is wrong
Several programs of one host, or hosts behind one address, look like one client: each has its own
connection. A proxy that has one for each of its threads does so by design, and pays all the same.
A client may have a lower limit of streams of its own.`,
	Causes: []report.Cause{{
		Code: severalCause,
		Side: report.SideClient,
		Message: "The client opened another connection of HTTP/2 for a request that one it had " +
			"could have carried beside others.",
		Remedies: []report.Remedy{
			{
				Side: report.SideClient,
				Text: "share one client, transport or channel among all requests, and let " +
					"requests that come together wait for the first connection",
				Settings: []report.Setting{
					{Product: report.Go, Text: "one http.Transport (gRPC: one ClientConn)"},
					{Product: report.Node, Text: "one session of http2.connect for each origin"},
					{Product: report.Java, Text: "one HttpClient (gRPC: one ManagedChannel)"},
					{
						Product: report.Curl,
						Text:    "--parallel without --parallel-immediate, CURLOPT_PIPEWAIT",
					},
					{Product: report.DotNet, Text: "EnableMultipleHttp2Connections false"},
					{Product: report.Python, Text: "one httpx.Client"},
					{Product: report.OkHTTP, Text: "one OkHttpClient"},
				},
			},
		},
	}},
	References: []string{"RFC 9113 section 9.1", "RFC 9113 section 5.1.2"},
},
	Rests:      rule.Content | rule.Beginning | rule.Messages,
	Across:     sessionsCompared,
	Vocabulary: words,
}
