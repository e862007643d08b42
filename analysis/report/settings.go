package report

// The settings that several rules ask for, by product, the most common first: where nothing is
// known of the product, a finding names the first few.

// PoolSettings are what a client does to keep and use connections.
func PoolSettings() []Setting {
	return []Setting{
		{
			Go,
			"one http.Client with Transport.MaxIdleConnsPerHost as large as the parallel requests",
		},
		{Node, "http.Agent({keepAlive: true})"},
		{Python, "requests.Session or httpx.Client"},
		{Java, "one HttpClient"},
		{PHP, "one Guzzle client or cURL handle"},
		{Curl, "all URLs in one call or one libcurl handle"},
		{ApacheClient, "PoolingHttpClientConnectionManager with setMaxConnPerRoute"},
		{OkHTTP, "one OkHttpClient with its ConnectionPool"},
		{DotNet, "one HttpClient (IHttpClientFactory)"},
		{Ruby, "Net::HTTP.start with all requests in its block"},
		{Perl, "LWP::UserAgent->new(keep_alive => 10)"},
		{ApacheBench, "-k"},
		{Wrk, "no Connection: close among its headers"},
	}
}

// IdleSettings are how long servers keep idle connections, with what they do unless told otherwise.
func IdleSettings() []Setting {
	return []Setting{
		{Nginx, "keepalive_timeout (75 s unless set)"},
		{Apache, "KeepAliveTimeout (5 s unless set)"},
		{Node, "server.keepAliveTimeout (5 s unless set) with headersTimeout above it"},
		{Go, "Server.IdleTimeout"},
		{Gunicorn, "--keep-alive (2 s unless set)"},
		{Uvicorn, "--timeout-keep-alive (5 s unless set)"},
		{Tomcat, "keepAliveTimeout of the Connector"},
		{Jetty, "ServerConnector.idleTimeout (30 s unless set)"},
		{IIS, "connectionTimeout of the site (120 s unless set)"},
		{Kestrel, "Limits.KeepAliveTimeout (130 s unless set)"},
		{HAProxy, "timeout http-keep-alive"},
		{Envoy, "idle_timeout of common_http_protocol_options (1 h unless set)"},
		{Lighttpd, "server.max-keep-alive-idle"},
		{Caddy, "servers { timeouts { idle } } (5 min unless set)"},
		{Varnish, "timeout_idle (5 s unless set)"},
		{Squid, "client_idle_pconn_timeout (2 min unless set)"},
		{Traefik, "respondingTimeouts.idleTimeout (180 s unless set)"},
		{Python, "timeout of the request handler"},
	}
}

// GiveUpSettings are how long clients keep idle connections.
func GiveUpSettings() []Setting {
	return []Setting{
		{Go, "Transport.IdleConnTimeout"},
		{Node, "agentkeepalive freeSocketTimeout (undici keepAliveTimeout)"},
		{ApacheClient, "evictIdleConnections"},
		{Java, "jdk.httpclient.keepalive.timeout"},
		{OkHTTP, "ConnectionPool keepAliveDuration"},
		{DotNet, "SocketsHttpHandler.PooledConnectionIdleTimeout"},
		{Python, "aiohttp keepalive_timeout or httpx keepalive_expiry"},
		{Curl, "CURLOPT_MAXAGE_CONN"},
	}
}

// RequestLimits are how many requests servers allow on one connection.
func RequestLimits() []Setting {
	return []Setting{
		{Nginx, "keepalive_requests (1000 unless set)"},
		{Apache, "MaxKeepAliveRequests (100 unless set)"},
		{Tomcat, "maxKeepAliveRequests (100 unless set)"},
		{Node, "server.maxRequestsPerSocket"},
		{Lighttpd, "server.max-keep-alive-requests"},
		{Envoy, "max_requests_per_connection"},
		{Gunicorn, "--max-requests (it restarts workers)"},
		{Uvicorn, "--limit-max-requests (it ends the process)"},
	}
}

// PoolLimits are how many connections clients open at a time.
func PoolLimits() []Setting {
	return []Setting{
		{Go, "Transport.MaxConnsPerHost"},
		{Node, "Agent maxSockets (undici connections)"},
		{ApacheClient, "setMaxConnPerRoute (2 in version 4 and 5 in version 5 unless set)"},
		{Java, "http.maxConnections"},
		{Python, "HTTPAdapter pool_maxsize or httpx.Limits"},
		{OkHTTP, "Dispatcher.maxRequestsPerHost (5 unless set)"},
		{DotNet, "MaxConnectionsPerServer"},
		{ApacheBench, "-c"},
		{Wrk, "-c"},
	}
}

// Http2Settings are how servers offer HTTP/2.
func Http2Settings() []Setting {
	return []Setting{
		{Nginx, "http2 on"},
		{Apache, "Protocols h2 http/1.1"},
		{HAProxy, "alpn h2"},
		{Node, "http2.createSecureServer"},
		{Tomcat, "UpgradeProtocol Http2Protocol"},
		{Caddy, "by itself"},
		{Go, "by itself with TLS"},
	}
}

// BacklogSettings are how long the queue of connections that wait to be accepted may be.
func BacklogSettings() []Setting {
	return []Setting{
		{Nginx, "listen ... backlog= (511 unless set)"},
		{Apache, "ListenBacklog (511 unless set)"},
		{Node, "server.listen({backlog}) (511 unless set)"},
		{Gunicorn, "--backlog (2048 unless set)"},
		{Uvicorn, "--backlog (2048 unless set)"},
		{Tomcat, "acceptCount (100 unless set)"},
		{Jetty, "ServerConnector.acceptQueueSize"},
		{HAProxy, "backlog"},
		{Python, "socketserver request_queue_size (5 unless set)"},
	}
}

// ReadLimits are how long servers wait for a request to be complete.
func ReadLimits() []Setting {
	return []Setting{
		{Nginx, "client_body_timeout"},
		{Apache, "RequestReadTimeout"},
		{Go, "Server.ReadTimeout"},
		{Node, "server.requestTimeout"},
		{HAProxy, "timeout http-request"},
		{Tomcat, "connectionUploadTimeout"},
		{Gunicorn, "--timeout"},
	}
}

// AnswerLimits are after which time servers, and proxies for them, give a response up.
func AnswerLimits() []Setting {
	return []Setting{
		{Nginx, "proxy_read_timeout and send_timeout"},
		{Apache, "Timeout and ProxyTimeout"},
		{Gunicorn, "--timeout (30 s unless set)"},
		{HAProxy, "timeout server"},
		{Envoy, "route timeout (15 s unless set)"},
		{Node, "server.timeout"},
		{Go, "Server.WriteTimeout"},
		{PHP, "FPM request_terminate_timeout"},
	}
}

// NoDelaySettings are how programs send small segments at once.
func NoDelaySettings() []Setting {
	return []Setting{
		{Node, "socket.setNoDelay(true)"},
		{
			Java,
			"Socket.setTcpNoDelay(true) (com.sun.net.httpserver -Dsun.net.httpserver.nodelay=true)",
		},
		{Python, "sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)"},
		{Nginx, "tcp_nodelay on"},
		{PHP, "TCP_NODELAY by socket_set_option"},
		{HAProxy, "option http-no-delay"},
		{Ruby, "socket.setsockopt(:TCP, :NODELAY, 1), in WEBrick by its AcceptCallback"},
		{Curl, "--tcp-nodelay (on unless --no-tcp-nodelay)"},
		{Go, "by itself unless SetNoDelay(false)"},
		{Apache, "by itself"},
	}
}
