package grpc

import (
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

const (
	statusRule         = "grpc-status"
	unavailableCause   = "unavailable"
	exhaustedCause     = "resource-exhausted"
	failedCause        = "failed"
	unimplementedCause = "unimplemented"
	tooLargeCause      = "too-large"
	askedTooMuchCause  = "request-too-large"
)

// Status is the rule about methods whose calls fail.
var Status = &rule.Detector{Rule: report.Rule{
	Name:  statusRule,
	Title: "calls of gRPC fail",
	Doc: `What happens
What became of a call of gRPC stands in its trailers, as grpc-status; the status of HTTP is 200 all
the same. So what fails looks well to whoever counts statuses of HTTP, balancers and dashboards
among them.

How it is recognised
By grpc-status of each call that its client did not cancel, per method (service and method of the
path) at one server. What counts is the share of the method's calls, to whatever client:
UNAVAILABLE, RESOURCE_EXHAUSTED, UNIMPLEMENTED, and INTERNAL, UNKNOWN or DATA_LOSS (failed).
too-large: a client cancelled a
call no later than two round trips and 50 ms after the prefix of an answer that announced more than
4 MiB, which is what clients allow unless told otherwise, and no more than 256 KiB of it had come;
not a client that took one as large of the same method. request-too-large: RESOURCE_EXHAUSTED came
as soon after the prefix of a request as large, of all calls of the method that ended so, and the
server took none as large. Silent: below a hundredth; statuses that are an answer, or the asker's
doing (NOT_FOUND, ALREADY_EXISTS, ABORTED, INVALID_ARGUMENT, UNAUTHENTICATED and the like);
UNIMPLEMENTED of the services for health checks and reflection, which many servers lack on purpose.
DEADLINE_EXCEEDED is told by grpc-deadline. In gRPC-Web the status stands in a frame behind the messages. Where the
capture shows what a proxy asked a server behind it for, a status that this one had said is told of
it alone. The capture proves what was said; why, the server's log tells.

How cost is counted
No time is counted: a failure often comes sooner than an answer. The share makes severity: from a
half of three calls and more on high (RESOURCE_EXHAUSTED and UNIMPLEMENTED: medium), from a tenth
on medium, else low; one or two alone are a remark.

When it is wrong
A service that uses UNKNOWN or INTERNAL for an ordinary result. A server that says UNAVAILABLE
while it is taken out of service on purpose. A quota that only large requests have met so far.
Statuses that a balancer made up are told as those of
the server behind the same address.`,
	Causes: []report.Cause{
		{
			Code:    unavailableCause,
			Title:   "service unavailable",
			Side:    report.SideServer,
			Message: "Calls ended with UNAVAILABLE: the service cannot take them just now.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "see what the server, or the balancer before it, ran out of: no " +
						"healthy backend, a server that shuts down, a connection that it lost",
					Settings: []report.Setting{
						{Product: report.Envoy, Text: "%RESPONSE_FLAGS% of the log (UH, UF, UO)"},
						{Product: report.Go, Text: "grpc.Server.GracefulStop in place of Stop"},
					},
				},
				{Side: report.SideClient, Text: retryPolicy},
			},
		},
		{
			Code:  exhaustedCause,
			Title: "something has been used up",
			Side:  report.SideUnknown,
			Message: "Calls ended with RESOURCE_EXHAUSTED: a quota, a limit of calls at a time, " +
				"or a message larger than the receiver allows.",
			Remedies: []report.Remedy{
				{
					Side: report.SideClient,
					Text: "ask less often, or for less at a time; " + retryPolicy,
				},
				{
					Side: report.SideServer,
					Text: "see which limit it was; of messages it is 4 MiB unless set",
					Settings: []report.Setting{
						{
							Product: report.Go,
							Text:    "grpc.MaxRecvMsgSize, MaxCallRecvMsgSize of the client",
						},
						{Product: report.Java, Text: "maxInboundMessageSize"},
					},
				},
			},
		},
		{
			Code:  failedCause,
			Title: "server failed to do what it was asked",
			Side:  report.SideServer,
			Message: "Calls ended with INTERNAL, UNKNOWN or DATA_LOSS: the server's program, or " +
				"its library, failed.",
			Remedies: []report.Remedy{{
				Side: report.SideServer,
				Text: "look for exceptions in the program's log at the times shown; UNKNOWN is " +
					"what an error without a status becomes",
			}},
		},
		{
			Code:  tooLargeCause,
			Title: "client does not take messages as large",
			Side:  report.SideClient,
			Message: "Clients cancelled calls as soon as an answer had announced its size, which " +
				"is beyond the 4 MiB that libraries allow unless told otherwise.",
			Remedies: []report.Remedy{
				{
					Side: report.SideClient,
					Text: "allow what the method answers",
					Settings: []report.Setting{
						{Product: report.Go, Text: "grpc.MaxCallRecvMsgSize"},
						{Product: report.Java, Text: "maxInboundMessageSize"},
						{Product: report.Python, Text: "grpc.max_receive_message_length"},
					},
				},
				{Side: report.SideServer, Text: "answer in pages, or by a stream of messages"},
			},
		},
		{
			Code:  askedTooMuchCause,
			Title: "server does not take messages as large",
			Side:  report.SideServer,
			Message: "Calls ended with RESOURCE_EXHAUSTED as soon as a request had announced its " +
				"size, which is beyond the 4 MiB that libraries allow unless told otherwise.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "allow what the method is asked with",
					Settings: []report.Setting{
						{Product: report.Go, Text: "grpc.MaxRecvMsgSize"},
						{Product: report.Java, Text: "maxInboundMessageSize"},
						{Product: report.Python, Text: "grpc.max_receive_message_length"},
					},
				},
				{Side: report.SideClient, Text: "send it in parts, by a stream of messages"},
			},
		},
		{
			Code:  unimplementedCause,
			Title: "server does not have the method",
			Side:  report.SideServer,
			Message: "Calls ended with UNIMPLEMENTED: the server has no such service, or no such " +
				"method.",
			Remedies: []report.Remedy{{
				Side: report.SideServer,
				Text: "compare the versions of both sides, and where the balancer sends this " +
					"service: the path of the call is the service's full name",
			}},
		},
	},
	References: []string{
		"gRPC PROTOCOL-HTTP2", "google/rpc/code.proto", "RFC 9113 section 8.1",
	},
},
	Rests: rule.Content,
	Across: &rule.Comparison{
		Start: func() rule.Across { return &statuses{at: map[method]*answers{}} },
		Wants: rule.Wants(rule.ExchangeJudged),
	},
	Vocabulary: words,
}

const retryPolicy = "repeat what may be repeated after pauses that grow and differ (retryPolicy " +
	"of the service config), and within a deadline"
