//go:build linux

package catalog

import (
	"slices"
	"time"

	"tcpwhy/lab/internal/own"
	"tcpwhy/lab/internal/program"
	"tcpwhy/lab/internal/scenario"
)

// toolScenarios are curl, wrk and HAProxy.
func toolScenarios() []scenario.Scenario {
	return slices.Concat(
		at(curlApart, 10, 50),
		at(curlKept, 10, 50),
		at(wrkNginx, 0, 10, 50),
		at(
			wrkLimited,
			0,
			10,
			50,
		),
		at(wrkDropped, 20),
		at(haproxyClosing, 10, 50),
		at(haproxyKept, 10, 50),
		at(haproxyNginxLimited, 10),
	)
}

func curlApart(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "reuse-curl-in-a-loop",
		About:  "a script runs curl once for each request: each run has a connection of its own",
		Expect: scenario.Expect{Rule: "missed-reuse", Cause: "client-closed", Count: 5},
		Server: program.Nginx{Body: 800},
		Client: program.Curl{Count: 6, Apart: true},
		Fix:    func(s *scenario.Scenario) { s.Client = program.Curl{Count: 6} },
	}
}

func curlKept(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "lookalike-curl-kept",
		About:  "one run of curl with six requests: one connection, kept",
		Server: program.Nginx{Body: 800},
		Client: program.Curl{Count: 6},
	}
}

func wrkNginx(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:    "lookalike-wrk-nginx",
		About:   "wrk drives nginx for a second over four connections, all of them kept",
		Server:  program.Nginx{Body: 800},
		Client:  program.Wrk{Connections: 4},
		Snaplen: 500,
	}
}

func wrkLimited(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "reuse-server-max-requests-wrk",
		About:  "wrk drives nginx, which closes each connection after ten requests",
		Expect: scenario.Expect{Rule: "missed-reuse", Cause: "server-max-requests", Timeless: true},
		Server: program.Nginx{Body: 800, Settings: "keepalive_requests 10;"},
		Client: program.Wrk{Connections: 4},
		Fix: func(s *scenario.Scenario) {
			s.Server = program.Nginx{Body: 800, Settings: "keepalive_requests 100000;"}
		},
		Snaplen: 500,
	}
}

// dropping is a server of Node that resets the connection of each request of so many.
const dropping = `
let n = 0;
require('http').createServer((request, response) => {
  if (++n %% %d == 0) return request.socket.resetAndDestroy();
  response.end(Buffer.alloc(300, 'x'));
}).listen(%d, '%s');
`

func wrkDropped(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "reset-before-answer-wrk",
		About: "wrk drives a server that resets the connection of each 40th request: wrk opens " +
			"another one and asks on as before, and repeats nothing",
		Expect: scenario.Expect{Rule: "reset-after-data", Timeless: true},
		Server: program.NodeScript{
			Words: "each 40th request is reset", Text: dropping, Limit: 40,
		},
		Client: program.Wrk{Connections: 4},
		Fix: func(s *scenario.Scenario) {
			s.Server = program.NodeScript{Words: "answers all", Text: dropping, Limit: 1 << 30}
		},
		Snaplen: 500,
	}
}

func haproxyClosing(time.Duration) scenario.Scenario {
	client := own.Client{Sockopts: prompt(), Count: 6}
	return scenario.Scenario{
		Name: "reuse-haproxy-server-close",
		About: "HAProxy with option http-server-close opens a connection to its server for " +
			"every request",
		Expect: scenario.Expect{Rule: "missed-reuse", Cause: "request-close", Count: 5},
		Server: own.Server{Sockopts: prompt(), Body: 800},
		Client: program.Balanced{Client: client, Settings: "option http-server-close"},
		Fix: func(s *scenario.Scenario) {
			s.Client = program.Balanced{Client: client, Settings: "http-reuse always"}
		},
	}
}

func haproxyKept(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "lookalike-haproxy-kept",
		About:  "HAProxy with its defaults keeps its connection to the server",
		Server: own.Server{Sockopts: prompt(), Body: 800},
		Client: program.Balanced{
			Client:   own.Client{Sockopts: prompt(), Count: 6},
			Settings: "http-reuse safe",
		},
	}
}

func haproxyNginxLimited(time.Duration) scenario.Scenario {
	client := own.Client{Sockopts: prompt(), Count: 12}
	return scenario.Scenario{
		Name:   "reuse-haproxy-nginx-limited",
		About:  "HAProxy in front of nginx, which closes each connection after three requests",
		Expect: scenario.Expect{Rule: "missed-reuse", Cause: "server-max-requests", Count: 3},
		Server: program.Nginx{Body: 800, Settings: "keepalive_requests 3;"},
		Client: program.Balanced{Client: client, Settings: "http-reuse always"},
		Fix: func(s *scenario.Scenario) {
			s.Server = program.Nginx{Body: 800, Settings: "keepalive_requests 1000;"}
		},
	}
}
