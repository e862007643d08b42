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

// nagleScenarios are holds by Nagle's algorithm, with and without a delayed ACK.
func nagleScenarios() []scenario.Scenario {
	return slices.Concat(at(nagleRequest, 0, 10, 50), at(nagleResponse, 0, 10, 50),
		at(naglePromptRequest, 10, 50), at(naglePromptResponse, 10, 50), at(naglePythonServer, 10),
		at(naglePythonClient, 10), at(nagleMixed, 10), at(nagleThoughtful, 10), at(nagleSixth, 10),
		at(nagleChunked, 10))
}

func nagleRequest(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "nagle-delayed-ack-request",
		About: "the client writes each request in two small pieces with Nagle on, and the " +
			"server delays its ACK",
		Expect: scenario.Expect{Rule: "nagle-delayed-ack", Cause: "request"},
		Server: own.Server{Sockopts: prompt(), Body: 120},
		Client: own.Client{Count: 10, Body: 64, Writes: own.Writes{Split: true}},
		Fix:    clientNoDelay,
	}
}

func nagleResponse(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "nagle-delayed-ack-response",
		About: "the server writes each response in two small pieces with Nagle on, and the " +
			"client delays its ACK",
		Expect: scenario.Expect{Rule: "nagle-delayed-ack", Cause: "response"},
		Server: own.Server{Body: 120, Writes: own.Writes{Split: true}},
		Client: own.Client{Sockopts: prompt(), Count: 10},
		Fix:    serverNoDelay,
	}
}

func naglePromptRequest(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "nagle-prompt-ack-request",
		About: "the client writes each request in two small pieces with Nagle on, and the " +
			"server acknowledges at once",
		Expect: scenario.Expect{Rule: "nagle"},
		Server: own.Server{Sockopts: peer.Sockopts{NoDelay: true, QuickAck: true}, Body: 120},
		Client: own.Client{Count: 10, Body: 64, Writes: own.Writes{Split: true}},
		Fix:    clientNoDelay,
	}
}

func naglePromptResponse(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "nagle-prompt-ack-response",
		About: "the server writes each response in two small pieces with Nagle on, and the " +
			"client acknowledges at once",
		Expect: scenario.Expect{Rule: "nagle"},
		Server: own.Server{Body: 120, Writes: own.Writes{Split: true}},
		Client: own.Client{Sockopts: peer.Sockopts{NoDelay: true, QuickAck: true}, Count: 10},
		Fix:    serverNoDelay,
	}
}

func nagleChunked(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "nagle-delayed-ack-chunked",
		About: "the server writes header, chunk and last chunk separately with Nagle on: the " +
			"rest waits for a delayed ACK",
		Expect: scenario.Expect{Rule: "nagle-delayed-ack", Cause: "response"},
		Server: own.Server{Body: 300, Chunked: true},
		Client: own.Client{Sockopts: prompt(), Count: 8},
		Fix:    serverNoDelay,
	}
}

func naglePythonServer(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "nagle-python-http-server",
		About:  "Python's http.server writes header and body separately and leaves Nagle on",
		Expect: scenario.Expect{Rule: "nagle-delayed-ack", Cause: "response"},
		Server: program.Python{Body: 120},
		Client: own.Client{Sockopts: prompt(), Count: 10},
		Fix:    func(s *scenario.Scenario) { s.Server = program.Python{Body: 120, NoDelay: true} },
	}
}

func naglePythonClient(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-python-http-client",
		About: "Python's http.client writes header and body separately, but sets TCP_NODELAY: " +
			"nothing is held",
		Server: own.Server{Sockopts: prompt(), Body: 120},
		Client: program.PythonClient{Count: 8, Body: 64},
	}
}

func nagleMixed(time.Duration) scenario.Scenario {
	s := nagleRequest(0)
	s.Name = "nagle-and-server-think"
	s.About = "two-piece requests held until a delayed ACK, to a server that thinks 15 ms: both " +
		"take time, one is a fault"
	s.Server = own.Server{
		Sockopts: prompt(),
		Body:     120,
		Think:    15 * time.Millisecond,
	}
	return s
}

// nagleThoughtful shows that a server which answers later than its kernel's delayed ACK
// acknowledges the next request at once: Linux takes the connection for a one-way flow.
func nagleThoughtful(time.Duration) scenario.Scenario {
	s := nagleRequest(0)
	s.Name, s.Expect = "nagle-and-long-server-think", scenario.Expect{Rule: "nagle"}
	s.About = "two-piece requests held by Nagle's algorithm, to a server that thinks 60 ms and " +
		"therefore acknowledges at once"
	s.Server = own.Server{
		Sockopts: prompt(),
		Body:     120,
		Think:    60 * time.Millisecond,
	}
	return s
}

func nagleSixth(time.Duration) scenario.Scenario {
	s := nagleRequest(0)
	s.Name, s.IPv6 = "nagle-delayed-ack-ipv6", true
	s.About += ", over IPv6"
	return s
}
