package analysis

// clientPool is what a client does to keep and use connections.
const clientPool = "use one shared HTTP client with a connection pool for all requests"

// The same for protocols that are not HTTP.
const (
	clientPoolOther = "keep one connection open, or a pool of them, and send all requests on it"
	proxyOther      = proxyUpstream + " (nginx with FastCGI: fastcgi_keep_conn on; PostgreSQL: PgBouncer)"
	serverOther     = "keep connections open, unless the client asks for the close, as nginx does with FastCGI but for fastcgi_keep_conn on"
)

// proxyUpstream is what a proxy needs before it uses connections to what is behind it again.
const proxyUpstream = "if the client is a proxy, let it keep connections to what is behind it"

// upstreamSettings are how proxies are told so.
func upstreamSettings() []Setting {
	return []Setting{
		{
			Nginx,
			"upstream { keepalive 32 }, proxy_http_version 1.1 and proxy_set_header Connection \"\" (the default only since 1.29.7)",
		},
		{HAProxy, "http-reuse safe"},
		{Apache, "ProxyPass with enablereuse=on"},
		{Envoy, "no max_requests_per_connection of 1"},
		{Squid, "server_persistent_connections on"},
		{Traefik, "serversTransport maxIdleConnsPerHost (200 unless set)"},
	}
}

var missedReuse = &Detector{
	Name:  "missed-reuse",
	Title: "a new connection where an old one could have served",
	Doc: `What happens
Each new connection costs a round trip for TCP, one or two more for TLS, and starts with a small congestion window. A
connection that is kept open (RFC 9112 section 9.3) costs none of that.

How it is recognised
A request waits for the handshake of a new connection. At that moment the same client had a connection to the same service
(address, port, name, TLS or not) that was idle with its last response complete; or one had ended less than 60 s before
for a reason that somebody chose: a Connection: close, HTTP/1.0, a body that only the close ends, a limit of requests, a
short idle timeout or the word that there is none (Keep-Alive: timeout=0), a client that closed at once. Each such connection excuses one new one. Connections that were
busy at that moment excuse none, nor do those of which the capture lacks octets, nor those of another program (User-Agent)
whose close nothing had announced, unless one connection carries the requests of several programs, as a proxy's does, nor does a connection opened in
advance: its handshake delayed nothing. A server that keeps its connections after as many first responses as it closes them
after, or more, closes after some responses, not after each. A request that leaves within half a handshake, and 10 ms at most, behind it has likely waited;
that is medium and costs at least nothing, as the connection may have been opened in advance. A request that repeats one that
failed has its reason for a new connection.

How cost is counted
The set-up that the request waited for (TCP and TLS), and the part of its slow start that the old connection's larger
window would have saved. Low is the set-up alone; high adds what repeated SYNs cost,
where no rule of their own claims that.

When it is wrong
Several programs behind one address look like one client; a client that closes only once may just have been done, and weighs little. A connection that was idle may have been reserved, or held by a
pool that had already given it up. A client that closes with more than 4096 octets of response behind it by a RST with ACK has
left some unread in its socket (RFC 2525 section 2.17), or sets SO_LINGER to zero; one that reads all of a body into its own
buffers and throws it away there shows nothing of it, and is said to close right after the response. An idle timeout is seldom worth raising if requests come more rarely than that.`,
	Causes: []Cause{
		{
			Code:  "client-ignored-idle",
			Title: "new connection although one lay idle",
			Side:  SideClient,
			Message: "The client opened a new connection while another one to the same service lay idle and could have " +
				"carried the request.",
			Remedies: []Remedy{
				{
					Side:     SideClient,
					Text:     clientPool,
					Settings: poolSettings(),
					Other:    clientPoolOther,
				},
				{
					Side:     SideProxy,
					Text:     proxyUpstream,
					Settings: upstreamSettings(),
					Other:    proxyOther,
				},
			},
		},
		{
			Code:    "request-close",
			Title:   "client asks for close after each response",
			Side:    SideClient,
			Message: "The client sends Connection: close, so each request needs a connection of its own.",
			Remedies: []Remedy{
				{
					Side:     SideClient,
					Text:     "do not send Connection: close; " + clientPool,
					Settings: poolSettings(),
				},
				{Side: SideProxy, Text: proxyUpstream, Settings: upstreamSettings()},
			},
		},
		{Code: "response-close", Title: "server closes after each response", Side: SideServer,
			Message: "The server closes the connection after its response, so the next request needs a new one.",
			Remedies: []Remedy{
				{
					Side:  SideServer,
					Text:  "keep connections open",
					Other: serverOther,
					Settings: []Setting{
						{
							Nginx,
							"keepalive_timeout 75s",
						}, {Apache, "KeepAlive On"}, {Node, "no Connection: close among the headers"},
						{
							Go,
							"no SetKeepAlivesEnabled(false)",
						}, {Gunicorn, "a worker class other than sync"},
						{
							Tomcat,
							"maxKeepAliveRequests other than 1",
						}, {IIS, "allowKeepAlive true"}, {HAProxy, "no option httpclose"},
						{Python, "protocol_version = \"HTTP/1.1\" in the request handler"}},
				},
			}},
		{
			Code:    "some-responses-close",
			Title:   "server closes after some responses",
			Side:    SideServer,
			Message: "The server closes the connection after some responses, though it keeps it after others.",
			Remedies: []Remedy{
				{
					Side: SideServer,
					Text: "see what those requests have in common: errors, methods, bodies that nobody read; read each " +
						"request to its end, and keep the connection",
				},
			},
		},
		{Code: "http10", Title: "HTTP/1.0 without keep-alive", Side: SideUnknown,
			Message: "HTTP/1.0 is spoken without keep-alive, so each request needs a connection of its own.",
			Remedies: []Remedy{
				{
					Side:     SideClient,
					When:     SideClient,
					Text:     "speak HTTP/1.1, or ask for keep-alive",
					Settings: []Setting{{ApacheBench, "-k"}, {Curl, "without --http1.0"}},
				},
				{
					Side:     SideProxy,
					When:     SideClient,
					Text:     proxyUpstream,
					Settings: upstreamSettings(),
				},
				{
					Side: SideServer,
					When: SideServer,
					Text: "answer with HTTP/1.1 and Content-Length or chunked coding",
					Settings: []Setting{
						{Python, "protocol_version = \"HTTP/1.1\" in the request handler"}},
				},
			}},
		{Code: "close-delimited", Title: "response ended only by the close", Side: SideServer,
			Message: "The response has neither Content-Length nor chunked coding, so only closing the connection can end it.",
			Remedies: []Remedy{
				{Side: SideServer, Text: "send Content-Length or Transfer-Encoding: chunked"},
			}},
		{Code: "client-closed", Title: "client closes right after the response", Side: SideClient,
			Message: "The client closes each connection as soon as it has the response, though the server would have kept it.",
			Remedies: []Remedy{
				{
					Side:     SideClient,
					Text:     clientPool,
					Settings: poolSettings(),
					Other:    clientPoolOther,
					After:    "a pool that is too small closes what it cannot keep",
				},
			}},
		{
			Code:    "server-idle-timeout",
			Title:   "server closes idle connections early",
			Side:    SideServer,
			Message: "The server did not keep the idle connection until the client needed it again.",
			Remedies: []Remedy{
				{
					Side:     SideServer,
					Text:     "let idle connections live longer than the client's pauses",
					Settings: idleSettings(),
				},
			},
		},
		{
			Code:    "server-max-requests",
			Title:   "server limits requests per connection",
			Side:    SideServer,
			Message: "The server closes each connection after a number of requests.",
			Remedies: []Remedy{
				{Side: SideServer, Text: "raise the limit", Settings: requestLimits()},
			},
		},
		{
			Code:    "not-drained",
			Title:   "client drops connections with unread responses",
			Side:    SideClient,
			Message: "The client closed the connection before it had read the whole response, so it could not be used again.",
			Remedies: []Remedy{
				{
					Side: SideClient,
					Text: "read each response body to its end and close it",
					Settings: []Setting{
						{
							Go,
							"io.Copy(io.Discard, resp.Body) before resp.Body.Close()",
						}, {Node, "response.resume() (fetch: body.cancel())"},
						{
							Python,
							"response.content (aiohttp: await response.read())",
						}, {ApacheClient, "EntityUtils.consume"},
						{OkHTTP, "response.body().close() after reading"}},
				},
			},
		},
		{Code: "age-limit", Title: "connections end at a fixed age", Side: SideServer,
			Message: "The server closes connections at a fixed age although they are in use.",
			Remedies: []Remedy{{Side: SideServer, Text: "raise the age limit", Settings: []Setting{
				{Nginx, "keepalive_time (1 h unless set)"}, {Envoy, "max_connection_duration"}},
				After: "load balancers and proxies in front of the server have such limits, too"}}},
	},
	References: []string{"RFC 9112 section 9.3", "RFC 9112 section 9.6", "RFC 5681 section 3.1"},
}
