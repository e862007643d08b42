//go:build linux

package catalog

import (
	"slices"
	"time"

	"tcpwhy/lab/internal/own"
	"tcpwhy/lab/internal/peer"
	"tcpwhy/lab/internal/program"
	"tcpwhy/lab/internal/scenario"
)

// reuseScenarios open connections that a kept one would have made needless.
func reuseScenarios() []scenario.Scenario {
	return slices.Concat(at(reuseResponseClose, 10, 50), at(reuseRequestClose, 10, 50),
		at(reuseHTTP10, 10, 50), at(reuseCloseDelimited, 10, 50), at(reuseIgnoredIdle, 10, 50),
		at(reuseClientClosed, 10, 50), at(reuseIdleNginx, 10, 50), at(reuseIdleNode, 10),
		at(reuseIdleGo, 10), at(reuseIdleApache, 10), at(reuseMaxRequests, 10, 50),
		at(reuseMaxRequestsApache, 10), at(reuseLarge, 50), at(reuseAgeLimit, 10),
		at(reuseErrorClose, 50))
}

func reuseResponseClose(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "reuse-response-close",
		About:  "every response says Connection: close, so every request pays for a new connection",
		Expect: scenario.Expect{Rule: "missed-reuse", Cause: "response-close", Count: 5},
		Server: own.Server{Sockopts: prompt(), Body: 800, Keeping: own.Keeping{Requests: 1}},
		Client: own.Client{Sockopts: prompt(), Count: 6},
		Fix:    onServer(func(o *own.Server) { o.Requests = 0 }),
	}
}

func reuseErrorClose(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "reuse-error-close",
		About: "every response is an error and says Connection: close: the fixed twin accepts the " +
			"requests, and keeps the connection",
		Expect: scenario.Expect{Rule: "missed-reuse", Cause: "error-close", Count: 5},
		Server: own.Server{
			Sockopts: prompt(),
			Body:     200,
			Keeping:  own.Keeping{Requests: 1},
			Response: own.Response{Statuses: []string{"414 URI Too Long"}},
		},
		Client: own.Client{Sockopts: prompt(), Count: 6},
		Fix:    onServer(func(o *own.Server) { o.Requests, o.Statuses = 0, nil }),
	}
}

func reuseRequestClose(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "reuse-request-close",
		About:  "every request says Connection: close, and the server obeys",
		Expect: scenario.Expect{Rule: "missed-reuse", Cause: "request-close", Count: 5},
		Server: own.Server{Sockopts: prompt(), Body: 800},
		Client: own.Client{
			Sockopts: prompt(),
			Count:    6,
			Request:  own.Request{Header: "Connection: close\r\n"},
		},
		Fix: onClient(func(c *own.Client) { c.Header = "" }),
	}
}

func reuseHTTP10(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "reuse-http10",
		About: "Python's http.server answers in HTTP/1.0 as it does unless told otherwise, and " +
			"closes every time",
		Expect: scenario.Expect{Rule: "missed-reuse", Cause: "http10", Count: 5},
		Server: program.Python{Body: 800, NoDelay: true, Old: true},
		Client: own.Client{Sockopts: prompt(), Count: 6},
		Fix:    func(s *scenario.Scenario) { s.Server = program.Python{Body: 800, NoDelay: true} },
	}
}

func reuseCloseDelimited(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "reuse-close-delimited",
		About: "responses have no length: the end of the connection ends them, and every " +
			"request needs a new one",
		Expect: scenario.Expect{Rule: "missed-reuse", Cause: "close-delimited", Count: 5},
		Server: own.Server{
			Sockopts: prompt(),
			Body:     800,
			Response: own.Response{CloseDelimited: true},
		},
		Client: own.Client{Sockopts: prompt(), Count: 6},
		Fix:    onServer(func(o *own.Server) { o.CloseDelimited = false }),
	}
}

func reuseIgnoredIdle(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "reuse-client-ignored-idle",
		About: "the client opens a new connection for every request while older ones are open " +
			"and idle",
		Expect: scenario.Expect{Rule: "missed-reuse", Cause: "client-ignored-idle", Count: 5},
		Server: own.Server{Sockopts: prompt(), Body: 800},
		Client: own.Client{
			Sockopts: prompt(),
			Count:    6,
			Pool:     own.Pool{Fresh: true, KeepOld: true},
		},
		Fix: onClient(func(c *own.Client) { c.Fresh = false }),
	}
}

func reuseClientClosed(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "reuse-client-closed",
		About: "the client closes after every response, though the server would have kept the " +
			"connection",
		Expect: scenario.Expect{Rule: "missed-reuse", Cause: "client-closed", Count: 5},
		Server: own.Server{Sockopts: prompt(), Body: 800},
		Client: own.Client{Sockopts: prompt(), Count: 6, Pool: own.Pool{Fresh: true}},
		Fix:    onClient(func(c *own.Client) { c.Fresh = false }),
	}
}

// idleTimeout is a client that wants something every 1.4 s, from a server that closes after 1 s.
func idleTimeout(program string, fault, fixed peer.Server) scenario.Scenario {
	return scenario.Scenario{
		Name: "reuse-server-idle-timeout-" + program,
		About: "the server closes idle connections after 1 s, and the client wants something " +
			"every 1.4 s",
		Expect: scenario.Expect{Rule: "missed-reuse", Cause: "server-idle-timeout", Count: 4},
		Server: fault,
		Client: own.Client{Sockopts: prompt(), Count: 5, Interval: 1400 * time.Millisecond},
		Fix:    func(s *scenario.Scenario) { s.Server = fixed },
	}
}

func reuseIdleNginx(time.Duration) scenario.Scenario {
	return idleTimeout("nginx", program.Nginx{Body: 800, Settings: "keepalive_timeout 1s;"},
		program.Nginx{Body: 800, Settings: "keepalive_timeout 75s;"})
}

func reuseIdleNode(time.Duration) scenario.Scenario {
	const settings = "server.keepAliveTimeout = 1000; server.keepAliveTimeoutBuffer = 0;"
	s := idleTimeout("node", program.Node{Body: 800, Settings: settings},
		program.Node{Body: 800, Settings: "server.keepAliveTimeout = 60000;"})
	s.Client = own.Client{Sockopts: prompt(), Count: 5, Interval: 2400 * time.Millisecond}
	s.About = "Node closes idle connections after 1 s, checked now and then, and the client " +
		"wants something every 2.4 s"
	return s
}

func reuseIdleGo(time.Duration) scenario.Scenario {
	return idleTimeout("go", program.GoServer{Body: 800, IdleTimeout: time.Second},
		program.GoServer{Body: 800, IdleTimeout: time.Minute})
}

func reuseIdleApache(time.Duration) scenario.Scenario {
	s := idleTimeout("apache", program.Apache{Body: 800, Settings: "KeepAliveTimeout 1"},
		program.Apache{Body: 800, Settings: "KeepAliveTimeout 60"})
	s.Client = own.Client{Sockopts: prompt(), Count: 5, Interval: 2400 * time.Millisecond}
	s.About = "Apache closes idle connections after 1 s, and the client wants something every 2.4 s"
	return s
}

func reuseMaxRequests(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "reuse-server-max-requests",
		About:  "nginx closes each connection after three requests",
		Expect: scenario.Expect{Rule: "missed-reuse", Cause: "server-max-requests", Count: 3},
		Server: program.Nginx{Body: 800, Settings: "keepalive_requests 3;"},
		Client: own.Client{Sockopts: prompt(), Count: 12},
		Fix: func(s *scenario.Scenario) {
			s.Server = program.Nginx{Body: 800, Settings: "keepalive_requests 1000;"}
		},
	}
}

func reuseMaxRequestsApache(time.Duration) scenario.Scenario {
	s := reuseMaxRequests(0)
	s.Name += "-apache"
	s.About = "Apache closes each connection after MaxKeepAliveRequests 3, which are four"
	s.Expect.Count = 2
	s.Server = program.Apache{Body: 800, Settings: "MaxKeepAliveRequests 3"}
	s.Fix = func(s *scenario.Scenario) {
		s.Server = program.Apache{Body: 800, Settings: "MaxKeepAliveRequests 1000"}
	}
	return s
}

func reuseLarge(time.Duration) scenario.Scenario {
	s := reuseResponseClose(0)
	s.Name = "reuse-response-close-large"
	s.About = "every response is 100 kB and says Connection: close: each request pays for a " +
		"handshake and for slow start"
	s.Expect.Count, s.Expect.Also = 2, []string{"slow-start"}
	s.Server = own.Server{Sockopts: prompt(), Body: 100_000, Keeping: own.Keeping{Requests: 1}}
	s.Client = own.Client{Sockopts: prompt(), Count: 3}
	s.Snaplen = 400
	return s
}

func reuseAgeLimit(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "reuse-age-limit-nginx",
		About:  "nginx closes connections that are older than 2 s, though they are in use",
		Expect: scenario.Expect{Rule: "missed-reuse", Cause: "age-limit"},
		Server: program.Nginx{Body: 800, Settings: "keepalive_time 2s;"},
		Client: own.Client{
			Sockopts: prompt(),
			Count:    76,
			Interval: 40 * time.Millisecond,
			Uneven:   true,
		},
		Fix: func(s *scenario.Scenario) {
			s.Server = program.Nginx{Body: 800, Settings: "keepalive_time 1h;"}
		},
	}
}

// reuseLookalikes open connections that were needed.
func reuseLookalikes() []scenario.Scenario {
	return slices.Concat(at(parallelBusy, 10, 50), at(preconnect, 10, 50), at(single, 10, 50),
		at(idleEnd, 10), at(unevenLimit, 10))
}

func parallelBusy(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-parallel-busy",
		About: "four connections at the same time, each kept and each busy whenever another is " +
			"opened",
		Server: own.Server{Sockopts: prompt(), Body: 800, Think: 120 * time.Millisecond},
		Client: own.Client{Sockopts: prompt(), Count: 3, Parallel: 4},
	}
}

func preconnect(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-preconnect",
		About: "the connection was opened 400 ms before the first request was wanted, as a " +
			"browser does, and then kept",
		Server: own.Server{Sockopts: prompt(), Body: 800},
		Client: own.Client{
			Sockopts: prompt(),
			Count:    5,
			Pool:     own.Pool{Preconnect: 400 * time.Millisecond},
		},
	}
}

func single(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-single-request",
		About: "one request on one connection, which the response closes: nothing could have " +
			"been reused",
		Server: own.Server{Sockopts: prompt(), Body: 800, Keeping: own.Keeping{Requests: 1}},
		Client: own.Client{Sockopts: prompt(), Count: 1},
	}
}

func idleEnd(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-idle-timeout-unused",
		About: "the server closes a kept connection after 700 ms idle, and nobody wanted it any " +
			"more",
		Server: own.Server{
			Sockopts: prompt(),
			Body:     800,
			Keeping:  own.Keeping{Idle: 700 * time.Millisecond},
		},
		Client: own.Client{Sockopts: prompt(), Count: 4, Ending: own.Ending{Linger: time.Second}},
	}
}

func unevenLimit(time.Duration) scenario.Scenario {
	s := reuseMaxRequests(0)
	s.Name += "-uneven"
	s.About = "nginx closes each connection after 17 requests, which the client sends at uneven " +
		"intervals: not an age"
	s.Expect = scenario.Expect{Rule: "missed-reuse", Cause: "server-max-requests", Count: 4}
	s.Server = program.Nginx{Body: 800, Settings: "keepalive_requests 17;"}
	s.Client = own.Client{
		Sockopts: prompt(),
		Count:    76,
		Interval: 40 * time.Millisecond,
		Uneven:   true,
	}
	return s
}
