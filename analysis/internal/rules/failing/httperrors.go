package failing

import (
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

const (
	errorsRule       = "http-errors"
	serverErrorCause = "server-error"
	unavailableCause = "unavailable"
	gatewayCause     = "bad-gateway"
	tooManyCause     = "too-many-requests"
	tooSlowCause     = "request-timeout"
)

// HTTPErrors is the rule about endpoints that answer with errors.
var HTTPErrors = &rule.Detector{Rule: report.Rule{
	Name:  errorsRule,
	Title: "endpoint answers with errors",
	Doc: `What happens
A server that cannot do what it is asked says so by a status: 5xx if it is its own doing, 429 if
the client asks too often, 408 if it got the request too slowly (RFC 9110 section 15.6, RFC 6585
section 4). On the wire all is well, and the user has nothing.

How it is recognised
By the status of each response, per endpoint: method and path, in which numbers, identifiers and
dates are placeholders. What counts is the share of the endpoint's responses, to whatever client,
or of all responses of the service, whichever is graver: a service that is down need not have been
asked for anything twice. A 408 is the client's doing if the request was not whole, or most of the
time passed while it was sent; else the server's. Silent: below a hundredth, other 4xx (the request
was wrong), and a 408 that answers no request, as some servers send to idle connections, or what
nobody listened to any more. The capture proves what was said; why, the server's log tells. Where
it shows what a proxy asked servers behind it for, errors that those gave are told of them alone,
and where a finding says why one of them did not answer, the proxy's 502, 503 and 504 are a remark
beside it.

How cost is counted
No time is counted: an error often comes sooner than a good answer. The share makes severity: from
a half of three responses and more on high (429 and 408: medium), from a tenth on medium, else low;
one or two alone are a remark.

When it is wrong
A health check that is meant to answer 503 while a server is taken out of service. An API that uses
a 5xx status for an ordinary result.`,
	Causes: []report.Cause{
		{
			Code:    serverErrorCause,
			Title:   "server failed to do what it was asked",
			Side:    report.SideServer,
			Message: "The server answered with a 5xx status: its program failed.",
			Remedies: []report.Remedy{{
				Side: report.SideServer,
				Text: "look for exceptions in the program's log at the times shown",
			}},
		},
		{
			Code:    unavailableCause,
			Title:   "service unavailable",
			Side:    report.SideServer,
			Message: "The server answered 503: it is overloaded, or has nobody to hand requests to.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "see which limit was reached: no healthy server behind the balancer, a full " +
						"queue, workers or connections that are all in use; send Retry-After",
					Settings: []report.Setting{
						{Product: report.HAProxy, Text: "maxconn and timeout queue"},
						{Product: report.Envoy, Text: "circuit_breakers thresholds"},
						{Product: report.Nginx, Text: "limit_req and limit_conn (503 unless set)"},
						{Product: report.Gunicorn, Text: "--workers and --threads"},
					},
				},
				{Side: report.SideClient, Text: slower},
			},
		},
		{
			Code:  gatewayCause,
			Title: "proxy got no good answer from its own server",
			Side:  report.SideServer,
			Message: "A proxy answered 502 or 504: the server behind it refused, reset or closed " +
				"the connection, or took too long.",
			Remedies: []report.Remedy{{
				Side: report.SideServer,
				Text: "capture between the proxy and its server at the same time; let the server " +
					"keep idle connections longer than the proxy does, and compare timeouts",
				Settings: []report.Setting{
					{
						Product: report.Nginx,
						Text: "error_log, proxy_read_timeout or grpc_read_timeout, " +
							"keepalive_timeout",
					},
					{
						Product: report.HAProxy,
						Text:    "timeout server, and termination_state of the log",
					},
					{Product: report.Envoy, Text: "route timeout, and %RESPONSE_FLAGS% of the log"},
				},
				After: "AWS load balancers: the idle timeout, and target_status_code of the log",
			}},
		},
		{
			Code:    tooManyCause,
			Title:   "client asks too often",
			Side:    report.SideClient,
			Message: "The server answered 429: the client sent more requests than it may.",
			Remedies: []report.Remedy{
				{Side: report.SideClient, Text: slower},
				{
					Side: report.SideServer,
					Text: "send Retry-After, and see whether the limit is meant so",
				},
			},
		},
		{
			Code:    tooSlowCause,
			Title:   "server ran out of time for a request",
			Side:    report.SideUnknown,
			Message: "The server answered 408: it had waited long enough.",
			Remedies: []report.Remedy{
				{Side: report.SideClient, Text: "send requests without pauses"},
				{
					Side: report.SideServer,
					Text: "if the request had come, see what else the program waited for; if not, " +
						"wait longer for requests",
					Settings: report.ReadLimits(),
				},
			},
		},
	},
	References: []string{
		"RFC 9110 section 15.6", "RFC 9110 section 10.2.3", "RFC 6585 section 4",
	},
},
	Rests: rule.Content | rule.Messages,
	Across: &rule.Comparison{
		Start: func() rule.Across { return newStatuses() },
		Wants: rule.Wants(rule.ExchangeJudged),
	},
	Vocabulary: words,
}

const slower = "repeat later, after the time in Retry-After or after pauses that grow and differ, and " +
	"limit how many requests are under way at once"
