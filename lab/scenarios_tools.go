//go:build linux

package main

import "time"

func secret() Sockopts { return Sockopts{NoDelay: true} }

// secureScenarios are inside TLS: the program sees turns, and no header.
func secureScenarios() []Scenario {
	var all []Scenario
	for _, family := range [][]Scenario{
		at(nagleInTLS, 10, 50), at(nagleInTLSRequest, 10), at(tlsKept, 10), at(tlsThink, 10), at(tlsBulk, 50), at(nginxTLS, 10),
		at(tlsClientClosed, 10),
	} {
		all = append(all, family...)
	}
	return all
}

func nagleInTLS(time.Duration) Scenario {
	return Scenario{
		Name:   "nagle-delayed-ack-tls-response",
		About:  "inside TLS the server writes each response in two records with Nagle on, and the client delays its ACK",
		Expect: Expect{Rule: "nagle-delayed-ack", Cause: "response"},
		Server: Own{TLS: true, Body: 120, Writes: Writes{Split: true}},
		Client: Caller{Sockopts: secret(), TLS: true, Count: 10},
		Fix:    serverNoDelay,
	}
}

func nagleInTLSRequest(time.Duration) Scenario {
	return Scenario{
		Name:   "nagle-delayed-ack-tls-request",
		About:  "inside TLS the client writes each request in two records with Nagle on, and the server delays its ACK",
		Expect: Expect{Rule: "nagle-delayed-ack", Cause: "request"},
		Server: Own{Sockopts: secret(), TLS: true, Body: 120},
		Client: Caller{TLS: true, Count: 10, Body: 64, Writes: Writes{Split: true}},
		Fix:    clientNoDelay,
	}
}

func tlsKept(time.Duration) Scenario {
	return Scenario{
		Name:   "lookalike-tls-kept",
		About:  "six requests on one connection with TLS, kept",
		Server: Own{Sockopts: secret(), TLS: true, Body: 800},
		Client: Caller{Sockopts: secret(), TLS: true, Count: 6},
	}
}

func tlsThink(time.Duration) Scenario {
	return Scenario{
		Name:   "lookalike-tls-think-40ms",
		About:  "inside TLS the server thinks 40 ms, and nothing is held",
		Server: Own{Sockopts: secret(), TLS: true, Body: 120, Think: 40 * time.Millisecond},
		Client: Caller{Sockopts: secret(), TLS: true, Count: 8},
	}
}

func tlsBulk(time.Duration) Scenario {
	return Scenario{
		Name:  "slow-start-tls",
		About: "a response of 150 kB on a new connection with TLS; with an initial window of 32 it takes fewer round trips",
		// even 32 segments are not enough at once
		Expect:  Expect{Rule: "slow-start", Count: 1, Also: []string{"slow-start"}},
		Server:  Own{Sockopts: secret(), TLS: true, Body: 150_000},
		Client:  Caller{Sockopts: secret(), TLS: true, Count: 1},
		Fix:     func(s *Scenario) { s.InitCwnd = 32 },
		Snaplen: 1600, // a handshake message must be whole
	}
}

func tlsClientClosed(time.Duration) Scenario {
	return Scenario{
		Name:   "reuse-tls-client-closed",
		About:  "the client closes its TLS connection after every response, and pays two handshakes for each request",
		Expect: Expect{Rule: "missed-reuse", Cause: "client-closed", Count: 5},
		Server: Own{Sockopts: secret(), TLS: true, Body: 800},
		Client: Caller{Sockopts: secret(), TLS: true, Count: 6, Pool: Pool{Fresh: true}},
		Fix:    func(s *Scenario) { changeClient(s, func(c *Caller) { c.Fresh = false }) },
	}
}

func nginxTLS(time.Duration) Scenario {
	return Scenario{
		Name:   "lookalike-nginx-tls-curl",
		About:  "curl asks nginx for six things on one connection with TLS",
		Server: Nginx{Body: 3000, Secure: true},
		Client: Curl{Count: 6, Secure: true},
	}
}

// toolScenarios are curl, wrk and HAProxy.
func toolScenarios() []Scenario {
	var all []Scenario
	for _, family := range [][]Scenario{
		at(curlApart, 10, 50), at(curlKept, 10, 50), at(wrkNginx, 0, 10, 50), at(wrkLimited, 0, 10, 50), at(haproxyClosing, 10, 50), at(haproxyKept, 10, 50),
		at(haproxyNginxLimited, 10),
	} {
		all = append(all, family...)
	}
	return all
}

func curlApart(time.Duration) Scenario {
	return Scenario{
		Name:   "reuse-curl-in-a-loop",
		About:  "a script runs curl once for each request: each run has a connection of its own",
		Expect: Expect{Rule: "missed-reuse", Cause: "client-closed", Count: 5},
		Server: Nginx{Body: 800},
		Client: Curl{Count: 6, Apart: true},
		Fix:    func(s *Scenario) { s.Client = Curl{Count: 6} },
	}
}

func curlKept(time.Duration) Scenario {
	return Scenario{
		Name:   "lookalike-curl-kept",
		About:  "one run of curl with six requests: one connection, kept",
		Server: Nginx{Body: 800},
		Client: Curl{Count: 6},
	}
}

func wrkNginx(time.Duration) Scenario {
	return Scenario{
		Name:    "lookalike-wrk-nginx",
		About:   "wrk drives nginx for a second over four connections, all of them kept",
		Server:  Nginx{Body: 800},
		Client:  Wrk{Connections: 4},
		Snaplen: 500,
	}
}

func wrkLimited(time.Duration) Scenario {
	return Scenario{
		Name:    "reuse-server-max-requests-wrk",
		About:   "wrk drives nginx, which closes each connection after ten requests",
		Expect:  Expect{Rule: "missed-reuse", Cause: "server-max-requests", Timeless: true},
		Server:  Nginx{Body: 800, Settings: "keepalive_requests 10;"},
		Client:  Wrk{Connections: 4},
		Fix:     func(s *Scenario) { s.Server = Nginx{Body: 800, Settings: "keepalive_requests 100000;"} },
		Snaplen: 500,
	}
}

func haproxyClosing(time.Duration) Scenario {
	client := Caller{Sockopts: prompt(), Count: 6}
	return Scenario{
		Name:   "reuse-haproxy-server-close",
		About:  "HAProxy with option http-server-close opens a connection to its server for every request",
		Expect: Expect{Rule: "missed-reuse", Cause: "request-close", Count: 5},
		Server: Own{Sockopts: prompt(), Body: 800},
		Client: Balanced{Caller: client, Settings: "option http-server-close"},
		Fix:    func(s *Scenario) { s.Client = Balanced{Caller: client, Settings: "http-reuse always"} },
	}
}

func haproxyKept(time.Duration) Scenario {
	return Scenario{
		Name:   "lookalike-haproxy-kept",
		About:  "HAProxy with its defaults keeps its connection to the server",
		Server: Own{Sockopts: prompt(), Body: 800},
		Client: Balanced{Caller: Caller{Sockopts: prompt(), Count: 6}, Settings: "http-reuse safe"},
	}
}

func haproxyNginxLimited(time.Duration) Scenario {
	client := Caller{Sockopts: prompt(), Count: 12}
	return Scenario{
		Name:   "reuse-haproxy-nginx-limited",
		About:  "HAProxy in front of nginx, which closes each connection after three requests",
		Expect: Expect{Rule: "missed-reuse", Cause: "server-max-requests", Count: 3},
		Server: Nginx{Body: 800, Settings: "keepalive_requests 3;"},
		Client: Balanced{Caller: client, Settings: "http-reuse always"},
		Fix:    func(s *Scenario) { s.Server = Nginx{Body: 800, Settings: "keepalive_requests 1000;"} },
	}
}
