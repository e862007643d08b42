package connect

import (
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// clientPool is what a client does to keep and use connections.
const clientPool = "use one shared HTTP client with a connection pool for all requests"

// The same for protocols that are not HTTP.
const (
	clientPoolOther = "keep one connection open, or a pool of them, and send all requests on it"
	proxyOther      = proxyUpstream + " (nginx with FastCGI: fastcgi_keep_conn on; PostgreSQL: " +
		"PgBouncer)"
	serverOther = "keep connections open, unless the client asks for the close, as nginx does " +
		"with FastCGI but for fastcgi_keep_conn on"
)

// proxyUpstream is what a proxy needs before it uses connections to what is behind it again.
const proxyUpstream = "if the client is a proxy, let it keep connections to what is behind it"

// upstreamSettings are how proxies are told so.
func upstreamSettings() []report.Setting {
	return []report.Setting{
		{
			Product: report.Nginx,
			Text: "upstream { keepalive 32 }, proxy_http_version 1.1 and proxy_set_header " +
				"Connection \"\" (the default only since 1.29.7)",
		},
		{Product: report.HAProxy, Text: "http-reuse safe"},
		{Product: report.Apache, Text: "ProxyPass with enablereuse=on"},
		{Product: report.Envoy, Text: "no max_requests_per_connection of 1"},
		{Product: report.Squid, Text: "server_persistent_connections on"},
		{Product: report.Traefik, Text: "serversTransport maxIdleConnsPerHost (200 unless set)"},
	}
}

const (
	missedReuseRule = "missed-reuse"

	ignoredIdleCause        = "client-ignored-idle"
	requestCloseCause       = "request-close"
	responseCloseCause      = "response-close"
	someResponsesCloseCause = "some-responses-close"
	errorCloseCause         = "error-close"
	oldVersionCause         = "http10"
	clientClosedCause       = "client-closed"
	idleTimeoutCause        = "server-idle-timeout"
	maxRequestsCause        = "server-max-requests"
	notDrainedCause         = "not-drained"
	ageLimitCause           = "age-limit"
	closeHiddenCause        = "close-hidden"
)

// MissedReuse is the rule about connections that need not have been opened.
var MissedReuse = &rule.Detector{Rule: report.Rule{
	Name:  missedReuseRule,
	Title: "a new connection where an old one could have served",
	Doc: `What happens
Each new connection costs a round trip for TCP, one or two more for TLS, and starts with a small
congestion window. A connection that is kept open (RFC 9112 section 9.3) costs none of that.

How it is recognised
A request waits for the handshake of a new connection. At that moment the same client had a
connection to the same service (address, port, name, TLS or not) that was idle with its last
response complete; or one had ended less than 60 s before for a reason that somebody chose: a
Connection: close, HTTP/1.0, a body that only the close ends, a limit of requests, a short idle
timeout or the word that there is none (Keep-Alive: timeout=0), a client that closed at once, or
after the same fraction of a second three times. Each such connection excuses one new one.
Connections that were busy at that moment excuse none, nor do those on which the server had said
GOAWAY, of which h2-goaway tells, nor those of which the capture lacks octets, nor those of another
program (User-Agent) whose close nothing had announced, unless one connection carries the requests
of several programs, as a proxy's does, nor does a connection opened in advance: its handshake
delayed nothing. A server that keeps its connections after as many first responses as it closes them
after, or more, closes after some responses, not after each; one that has closed after nothing but
errors (status 400 and above) closes because of those, which is told at low at most. It limits
requests if three connections and more ended with the same number of them, and not a third as many
carried more; a close behind an error says nothing of a limit, and a response that nobody asked for
(408 on an idle connection) nothing of what client and server speak.
A request that leaves within half a handshake, and 10 ms at most, behind it has likely waited; that
is medium and costs at least nothing, as the connection may have been
opened in advance. A request that repeats one that failed has its reason for a new connection.
close-hidden: the same where the capture cut the headers off, whoever closed first.

How cost is counted
The set-up that the request waited for (TCP and TLS), with the look-up of the name for it, unless
that is a fault of its own, and the part of its slow start that the old connection's larger windows
would have saved, of the larger message of the two: those behind all messages that it would have
carried. Low is a round trip less of that; high adds what a receive window without limit would save,
and what repeated SYNs cost, where no rule of their own claims that. Of a program that runs anew for
each request, and so can keep no connection, it is the set-up alone: what else can be
done about its slow start is that rule's.

When it is wrong
Several programs behind one address look like one client; a client that closes only once may just
have been done, and weighs little. A connection that was idle may have been reserved, or held by a
pool that had already given it up. A client that closes with more than 4096 octets of response
behind it by a RST with ACK has left some unread in its socket (RFC 2525 section 2.17), or sets
SO_LINGER to zero; one that reads all of a body into its own buffers and throws it away there shows
nothing of it, and is said to close right after the response. An idle timeout is seldom worth
raising if requests come more rarely than that.`,
	Causes: []report.Cause{
		{
			Code:  ignoredIdleCause,
			Title: "new connection although one lay idle",
			Side:  report.SideClient,
			Message: "The client opened a new connection while another one to the same service " +
				"lay idle and could have carried the request.",
			Remedies: []report.Remedy{
				{
					Side:     report.SideClient,
					Text:     clientPool,
					Settings: report.PoolSettings(),
					Other:    clientPoolOther,
				},
				{
					Side:     report.SideProxy,
					Text:     proxyUpstream,
					Settings: upstreamSettings(),
					Other:    proxyOther,
				},
			},
		},
		{
			Code:  requestCloseCause,
			Title: "client asks for close after each response",
			Side:  report.SideClient,
			Message: "The client sends Connection: close, so each request needs a connection of " +
				"its own.",
			Remedies: []report.Remedy{
				{
					Side:     report.SideClient,
					Text:     "do not send Connection: close; " + clientPool,
					Settings: report.PoolSettings(),
				},
				{Side: report.SideProxy, Text: proxyUpstream, Settings: upstreamSettings()},
			},
		},
		{
			Code:  responseCloseCause,
			Title: "server closes after each response",
			Side:  report.SideServer,
			Message: "The server closes the connection after its response, so the next request " +
				"needs a new one.",
			Remedies: []report.Remedy{
				{
					Side:  report.SideServer,
					Text:  "keep connections open",
					Other: serverOther,
					Settings: []report.Setting{
						{Product: report.Nginx, Text: "keepalive_timeout 75s"},
						{Product: report.Apache, Text: "KeepAlive On"},
						{Product: report.Node, Text: "no Connection: close among the headers"},
						{Product: report.Go, Text: "no SetKeepAlivesEnabled(false)"},
						{Product: report.Gunicorn, Text: "a worker class other than sync"},
						{Product: report.Tomcat, Text: "maxKeepAliveRequests other than 1"},
						{Product: report.IIS, Text: "allowKeepAlive true"},
						{Product: report.HAProxy, Text: "no option httpclose"},
						{
							Product: report.Python,
							Text:    "protocol_version = \"HTTP/1.1\" in the request handler",
						},
					},
				},
			},
		},
		{
			Code:  someResponsesCloseCause,
			Title: "server closes after some responses",
			Side:  report.SideServer,
			Message: "The server closes the connection after some responses, though it keeps it " +
				"after others.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "see what those requests have in common: errors, methods, bodies that " +
						"nobody read; read each request to its end, and keep the connection",
				},
			},
		},
		{
			Code:  errorCloseCause,
			Title: "server closes after errors",
			Side:  report.SideServer,
			Message: "The server closes the connection after a response that says that the " +
				"request failed, as servers do with a body that they have not read, or a request " +
				"that they cannot trust. After others it has not been seen to close.",
			Remedies: []report.Remedy{
				{
					Side: report.SideClient,
					Text: "cure the errors: the connections stay with them",
				},
				{
					Side: report.SideServer,
					Text: "accept such requests, if they are meant to work: nginx " +
						"client_max_body_size (413), large_client_header_buffers (414, 431, 400)",
				},
			},
		},
		{
			Code:  oldVersionCause,
			Title: "HTTP/1.0 without keep-alive",
			Side:  report.SideUnknown,
			Message: "HTTP/1.0 is spoken without keep-alive, so each request needs a connection " +
				"of its own.",
			Remedies: []report.Remedy{
				{
					Side: report.SideClient,
					When: report.SideClient,
					Text: "speak HTTP/1.1, or ask for keep-alive",
					Settings: []report.Setting{
						{Product: report.ApacheBench, Text: "-k"},
						{Product: report.Curl, Text: "without --http1.0"},
					},
				},
				{
					Side:     report.SideProxy,
					When:     report.SideClient,
					Text:     proxyUpstream,
					Settings: upstreamSettings(),
				},
				{
					Side: report.SideServer,
					When: report.SideServer,
					Text: "answer with HTTP/1.1 and Content-Length or chunked coding",
					Settings: []report.Setting{
						{
							Product: report.Python,
							Text:    "protocol_version = \"HTTP/1.1\" in the request handler",
						},
					},
				},
			},
		},
		{
			Code:  "close-delimited",
			Title: "response ended only by the close",
			Side:  report.SideServer,
			Message: "The response has neither Content-Length nor chunked coding, so only " +
				"closing the connection can end it.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "send Content-Length or Transfer-Encoding: chunked",
				},
			},
		},
		{
			Code:  closeHiddenCause,
			Title: "connection closed after each response",
			Side:  report.SideUnknown,
			Message: "The connection was closed right after its response, so the next request " +
				"needed a new one. The capture cut the headers off: which side asked for it is " +
				"not visible.",
			Remedies: []report.Remedy{
				{
					Side: report.SideUnknown,
					Text: "capture whole frames (tcpdump -s 0) to see who says Connection: close",
				},
				{
					Side:     report.SideClient,
					Text:     clientPool,
					Settings: report.PoolSettings(),
					Other:    clientPoolOther,
				},
				{
					Side: report.SideServer,
					Text: "keep connections open after a response",
				},
			},
		},
		{
			Code:  clientClosedCause,
			Title: "client closes right after the response",
			Side:  report.SideClient,
			Message: "The client closes each connection as soon as it has the response, or a " +
				"fraction of a second later, though the server would have kept it.",
			Remedies: []report.Remedy{
				{
					Side:     report.SideClient,
					Text:     clientPool,
					Settings: report.PoolSettings(),
					Other:    clientPoolOther,
					After:    "a pool that is too small closes what it cannot keep",
				},
			},
		},
		{
			Code:  idleTimeoutCause,
			Title: "server closes idle connections early",
			Side:  report.SideServer,
			Message: "The server did not keep the idle connection until the client needed it " +
				"again.",
			Remedies: []report.Remedy{
				{
					Side:     report.SideServer,
					Text:     "let idle connections live longer than the client's pauses",
					Settings: report.IdleSettings(),
				},
			},
		},
		{
			Code:    maxRequestsCause,
			Title:   "server limits requests per connection",
			Side:    report.SideServer,
			Message: "The server closes each connection after a number of requests.",
			Remedies: []report.Remedy{
				{
					Side:     report.SideServer,
					Text:     "raise the limit",
					Settings: report.RequestLimits(),
				},
			},
		},
		{
			Code:  notDrainedCause,
			Title: "client drops connections with unread responses",
			Side:  report.SideClient,
			Message: "The client closed the connection before it had read the whole response, so " +
				"it could not be used again.",
			Remedies: []report.Remedy{
				{
					Side: report.SideClient,
					Text: "read each response body to its end and close it",
					Settings: []report.Setting{
						{
							Product: report.Go,
							Text:    "io.Copy(io.Discard, resp.Body) before resp.Body.Close()",
						},
						{Product: report.Node, Text: "response.resume() (fetch: body.cancel())"},
						{
							Product: report.Python,
							Text:    "response.content (aiohttp: await response.read())",
						},
						{Product: report.ApacheClient, Text: "EntityUtils.consume"},
						{Product: report.OkHTTP, Text: "response.body().close() after reading"},
					},
				},
			},
		},
		{
			Code:    ageLimitCause,
			Title:   "connections end at a fixed age",
			Side:    report.SideServer,
			Message: "The server closes connections at a fixed age although they are in use.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "raise the age limit",
					Settings: []report.Setting{
						{Product: report.Nginx, Text: "keepalive_time (1 h unless set)"},
						{Product: report.Envoy, Text: "max_connection_duration"},
					},
					After: "load balancers and proxies in front of the server have such limits, " +
						"too",
				},
			},
		},
	},
	References: []string{"RFC 9112 section 9.3", "RFC 9112 section 9.6", "RFC 5681 section 3.1"},
},
	Rests: rule.Content | rule.Beginning,
	Makes: rule.ColdSetup | rule.WarmWindow,
	Joins: map[string]string{maxRequestsCause: ageLimitCause},
	Across: &rule.Comparison{
		Start: func() rule.Across { return newReuses() },
		Wants: rule.Wants(
			rule.ExchangeBegan,
			rule.ExchangeOver,
			rule.ConnDirected,
			rule.ConnClosing,
			rule.ConnLacks,
			rule.ConnHarmed,
			rule.ConnOver,
		),
		AtLeast: 2,
		Late:    true,
	},
	Vocabulary: words,
}
