//go:build linux

package main

import "time"

// changeServer is for cures: it changes the scenario's server, an own one.
func changeServer(s *Scenario, change func(*Own)) {
	o := s.Server.(Own)
	change(&o)
	s.Server = o
}

// changeClient changes the scenario's client, an own one.
func changeClient(s *Scenario, change func(*Caller)) {
	c := s.Client.(Caller)
	change(&c)
	s.Client = c
}

func clientNoDelay(s *Scenario) { changeClient(s, func(c *Caller) { c.NoDelay = true }) }
func serverNoDelay(s *Scenario) { changeServer(s, func(o *Own) { o.NoDelay = true }) }

// nagleScenarios are holds by Nagle's algorithm, with and without a delayed ACK.
func nagleScenarios() []Scenario {
	var all []Scenario
	for _, family := range [][]Scenario{
		at(nagleRequest, 0, 10, 50), at(nagleResponse, 0, 10, 50), at(naglePromptRequest, 10, 50), at(naglePromptResponse, 10, 50),
		at(naglePythonServer, 10), at(naglePythonClient, 10), at(nagleMixed, 10), at(nagleThoughtful, 10), at(nagleSixth, 10), at(nagleChunked, 10),
	} {
		all = append(all, family...)
	}
	return all
}

func nagleRequest(time.Duration) Scenario {
	return Scenario{
		Name:   "nagle-delayed-ack-request",
		About:  "the client writes each request in two small pieces with Nagle on, and the server delays its ACK",
		Expect: Expect{Rule: "nagle-delayed-ack", Cause: "request"},
		Server: Own{Sockopts: Sockopts{NoDelay: true}, Body: 120},
		Client: Caller{Count: 10, Body: 64, Writes: Writes{Split: true}},
		Fix:    clientNoDelay,
	}
}

func nagleResponse(time.Duration) Scenario {
	return Scenario{
		Name:   "nagle-delayed-ack-response",
		About:  "the server writes each response in two small pieces with Nagle on, and the client delays its ACK",
		Expect: Expect{Rule: "nagle-delayed-ack", Cause: "response"},
		Server: Own{Body: 120, Writes: Writes{Split: true}},
		Client: Caller{Sockopts: Sockopts{NoDelay: true}, Count: 10},
		Fix:    serverNoDelay,
	}
}

func naglePromptRequest(time.Duration) Scenario {
	return Scenario{
		Name:   "nagle-prompt-ack-request",
		About:  "the client writes each request in two small pieces with Nagle on, and the server acknowledges at once",
		Expect: Expect{Rule: "nagle"},
		Server: Own{Sockopts: Sockopts{NoDelay: true, QuickAck: true}, Body: 120},
		Client: Caller{Count: 10, Body: 64, Writes: Writes{Split: true}},
		Fix:    clientNoDelay,
	}
}

func naglePromptResponse(time.Duration) Scenario {
	return Scenario{
		Name:   "nagle-prompt-ack-response",
		About:  "the server writes each response in two small pieces with Nagle on, and the client acknowledges at once",
		Expect: Expect{Rule: "nagle"},
		Server: Own{Body: 120, Writes: Writes{Split: true}},
		Client: Caller{Sockopts: Sockopts{NoDelay: true, QuickAck: true}, Count: 10},
		Fix:    serverNoDelay,
	}
}

func nagleChunked(time.Duration) Scenario {
	return Scenario{
		Name:   "nagle-delayed-ack-chunked",
		About:  "the server writes header, chunk and last chunk separately with Nagle on: the rest waits for a delayed ACK",
		Expect: Expect{Rule: "nagle-delayed-ack", Cause: "response"},
		Server: Own{Body: 300, Chunked: true},
		Client: Caller{Sockopts: Sockopts{NoDelay: true}, Count: 8},
		Fix:    serverNoDelay,
	}
}

func chunkedStream(time.Duration) Scenario {
	return Scenario{
		Name:  "lookalike-chunked-stream",
		About: "the server streams six chunks 20 ms apart with TCP_NODELAY",
		Server: Own{
			Sockopts: Sockopts{NoDelay: true},
			Body:     1200,
			Chunked:  true,
			Writes:   Writes{Piece: 200, PieceGap: 20 * time.Millisecond},
		},
		Client: Caller{Sockopts: Sockopts{NoDelay: true}, Count: 4},
	}
}

func naglePythonServer(time.Duration) Scenario {
	return Scenario{
		Name:   "nagle-python-http-server",
		About:  "Python's http.server writes header and body separately and leaves Nagle on",
		Expect: Expect{Rule: "nagle-delayed-ack", Cause: "response"},
		Server: Python{Body: 120},
		Client: Caller{Sockopts: Sockopts{NoDelay: true}, Count: 10},
		Fix:    func(s *Scenario) { s.Server = Python{Body: 120, NoDelay: true} },
	}
}

func naglePythonClient(time.Duration) Scenario {
	return Scenario{
		Name:   "lookalike-python-http-client",
		About:  "Python's http.client writes header and body separately, but sets TCP_NODELAY: nothing is held",
		Server: Own{Sockopts: Sockopts{NoDelay: true}, Body: 120},
		Client: PythonClient{Count: 8, Body: 64},
	}
}

func nagleMixed(time.Duration) Scenario {
	s := nagleRequest(0)
	s.Name = "nagle-and-server-think"
	s.About = "two-piece requests held until a delayed ACK, to a server that thinks 15 ms: both take time, one is a fault"
	s.Server = Own{Sockopts: Sockopts{NoDelay: true}, Body: 120, Think: 15 * time.Millisecond}
	return s
}

// nagleThoughtful shows that a server which answers later than its kernel's delayed ACK
// acknowledges the next request at once: Linux takes the connection for a one-way flow.
func nagleThoughtful(time.Duration) Scenario {
	s := nagleRequest(0)
	s.Name, s.Expect = "nagle-and-long-server-think", Expect{Rule: "nagle"}
	s.About = "two-piece requests held by Nagle's algorithm, to a server that thinks 60 ms and therefore acknowledges at once"
	s.Server = Own{Sockopts: Sockopts{NoDelay: true}, Body: 120, Think: 60 * time.Millisecond}
	return s
}

func nagleSixth(time.Duration) Scenario {
	s := nagleRequest(0)
	s.Name, s.IPv6 = "nagle-delayed-ack-ipv6", true
	s.About += ", over IPv6"
	return s
}

// pacingScenarios wait in the same places as Nagle's algorithm does, for other reasons: they must
// stay silent, but for the slow writer, whose hold costs less than it lasts.
func pacingScenarios() []Scenario {
	var all []Scenario
	for _, family := range [][]Scenario{
		at(thinkOf(40), 0, 10, 50), at(thinkOf(200), 10), at(pacedServer(40), 0, 10), at(pacedServer(50), 50),
		at(slowWriter, 0, 10, 50), at(corked, 10), at(wholeWrites, 10), at(pacedClient, 10), at(streamed, 10), at(chunkedStream, 10),
	} {
		all = append(all, family...)
	}
	return all
}

func thinkOf(ms int) func(time.Duration) Scenario {
	return func(time.Duration) Scenario {
		return Scenario{
			Name:  "lookalike-think-" + time.Duration(ms*1e6).String(),
			About: "the server thinks as long as a delayed ACK may last, and nothing is held",
			Server: Own{
				Sockopts: Sockopts{NoDelay: true},
				Body:     120,
				Think:    time.Duration(ms) * time.Millisecond,
			},
			Client: Caller{Sockopts: Sockopts{NoDelay: true}, Count: 8, Body: 64},
		}
	}
}

func pacedServer(ms int) func(time.Duration) Scenario {
	return func(time.Duration) Scenario {
		return Scenario{
			Name:  "lookalike-paced-response-" + time.Duration(ms*1e6).String(),
			About: "the server writes its header, waits as long as a hold would last, and writes the body; TCP_NODELAY is set",
			Server: Own{
				Sockopts: Sockopts{NoDelay: true},
				Body:     120,
				Writes:   Writes{Split: true, Gap: time.Duration(ms) * time.Millisecond},
			},
			Client: Caller{Sockopts: Sockopts{NoDelay: true}, Count: 8},
		}
	}
}

func pacedClient(time.Duration) Scenario {
	return Scenario{
		Name:   "lookalike-paced-request-40ms",
		About:  "the client writes its header and 40 ms later the body; TCP_NODELAY is set",
		Server: Own{Sockopts: Sockopts{NoDelay: true}, Body: 120},
		Client: Caller{
			Sockopts: Sockopts{NoDelay: true},
			Count:    8,
			Body:     64,
			Writes:   Writes{Split: true, Gap: 40 * time.Millisecond},
		},
	}
}

func slowWriter(rtt time.Duration) Scenario {
	s := Scenario{
		Name:   "nagle-slow-writer",
		About:  "the server writes the second piece 43 ms after the first with Nagle on: the hold costs less than it seems",
		Expect: Expect{Rule: "nagle-delayed-ack", Cause: "response"},
		Server: Own{Body: 120, Writes: Writes{Split: true, Gap: 43 * time.Millisecond}},
		Client: Caller{Sockopts: Sockopts{NoDelay: true}, Count: 8},
		Fix:    serverNoDelay,
	}
	if rtt == 0 {
		// A delayed ACK, at 40 to 49 ms, is earlier than the write: nothing is ever held.
		s.Name, s.Expect, s.Fix = "lookalike-slow-writer", Expect{}, nil
		s.About = "the server writes the second piece 60 ms after the first with Nagle on, later than even a delayed ACK comes"
		s.Server = Own{Body: 120, Writes: Writes{Split: true, Gap: 60 * time.Millisecond}}
	}
	return s
}

func corked(time.Duration) Scenario {
	return Scenario{
		Name:   "lookalike-cork",
		About:  "the server writes header and body separately with Nagle on, but under TCP_CORK, released at the end",
		Server: Own{Body: 120, Writes: Writes{Split: true}, Cork: true},
		Client: Caller{Sockopts: Sockopts{NoDelay: true}, Count: 8},
	}
}

func wholeWrites(time.Duration) Scenario {
	return Scenario{
		Name:   "lookalike-nagle-on-whole-writes",
		About:  "Nagle is on at both ends, and every message is one write, some longer than a segment",
		Server: Own{Body: 4000},
		Client: Caller{Count: 8, Body: 64},
	}
}

func streamed(time.Duration) Scenario {
	return Scenario{
		Name:  "lookalike-streamed-response",
		About: "the server writes six pieces of 300 octets 15 ms apart with TCP_NODELAY, as a program that streams",
		Server: Own{
			Sockopts: Sockopts{NoDelay: true},
			Body:     1800,
			Writes:   Writes{Split: true, Piece: 300, PieceGap: 15 * time.Millisecond},
		},
		Client: Caller{Sockopts: Sockopts{NoDelay: true}, Count: 4},
	}
}
