//go:build linux

package catalog

import (
	"slices"
	"time"

	"google.golang.org/grpc/codes"

	"tcpwhy/lab/internal/program"
	"tcpwhy/lab/internal/scenario"
	"tcpwhy/lab/internal/world"
)

// callScenarios are calls of gRPC between grpc-go's client and server.
func callScenarios() []scenario.Scenario {
	return slices.Concat(
		at(callsFail, 20), at(callsRefused, 10), at(callsBroken, 10), at(callsUnknown, 10),
		at(callDeadline, 40), at(callDeadlineOnServer, 40), at(callDeadlineOnTheWay, 40),
		at(callsChatty, 40), at(callsInTLS, 20), at(callsTooManyPings, 20),
		at(callsNotFound, 20), at(callCancelled, 40), at(callWatch, 20), at(callChat, 20),
		at(callsSpread, 40), at(callsOfLargeAnswers, 40), at(callsTooLarge, 40),
		at(callsShort, 40), at(callDeadlineSometimes, 100),
		at(callsPausing, 40),
	)
}

func calling(calls ...program.GRPCCall) program.GRPCClient {
	return program.GRPCClient{Calls: calls}
}

func callsFail(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "grpc-unavailable",
		About:  "each second call of Charge fails: UNAVAILABLE; Get works",
		Expect: scenario.Expect{Rule: "grpc-status", Cause: "unavailable", Timeless: true},
		Server: program.GRPCServer{Body: 200, Status: codes.Unavailable, FailEach: 2},
		Client: calling(program.GRPCCall{Method: "Get", Count: 3, Body: 40},
			program.GRPCCall{Method: "Charge", Count: 12, Body: 40, Pause: 20 * time.Millisecond}),
		Fix: func(s *scenario.Scenario) { s.Server = program.GRPCServer{Body: 200} },
	}
}

func callsRefused(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "grpc-resource-exhausted",
		About:  "each third call of Charge fails: RESOURCE_EXHAUSTED",
		Expect: scenario.Expect{Rule: "grpc-status", Cause: "resource-exhausted", Timeless: true},
		Server: program.GRPCServer{Body: 200, Status: codes.ResourceExhausted, FailEach: 3},
		Client: calling(
			program.GRPCCall{Method: "Charge", Count: 12, Body: 40, Pause: 20 * time.Millisecond}),
		Fix: func(s *scenario.Scenario) { s.Server = program.GRPCServer{Body: 200} },
	}
}

func callsTooLarge(time.Duration) scenario.Scenario {
	get := func(octets int) program.GRPCCall {
		return program.GRPCCall{
			Method: "Get", Count: 3, Body: octets, Pause: 200 * time.Millisecond,
		}
	}
	return scenario.Scenario{
		Name: "grpc-request-too-large",
		About: "three calls of Get with 5,000,000 octets, which the server refuses as they are more " +
			"than 4 MiB, and three with 400",
		Expect: scenario.Expect{Rule: "grpc-status", Cause: "request-too-large", Timeless: true},
		Server: program.GRPCServer{Body: 200},
		Client: calling(get(400), get(5_000_000)),
		Fix:    func(s *scenario.Scenario) { s.Client = calling(get(400), get(40_000)) },
	}
}

func callsShort(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-grpc-refused-whatever-its-size",
		About: "Charge has been called often enough today: RESOURCE_EXHAUSTED, for requests of 40 " +
			"octets and for those of 5,000,000",
		Expect: scenario.Expect{Also: []string{"grpc-status/resource-exhausted"}},
		Server: program.GRPCServer{Body: 200, Status: codes.ResourceExhausted, FailEach: 1},
		Client: calling(
			program.GRPCCall{Method: "Charge", Count: 4, Body: 40, Pause: 50 * time.Millisecond},
			program.GRPCCall{
				Method: "Charge", Count: 2, Body: 5_000_000, Pause: 200 * time.Millisecond,
			}),
		Fix: func(s *scenario.Scenario) { s.Server = program.GRPCServer{Body: 200} },
	}
}

func callsBroken(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "grpc-internal",
		About:  "each twelfth call of Charge fails: INTERNAL",
		Expect: scenario.Expect{Rule: "grpc-status", Cause: "failed", Timeless: true},
		Server: program.GRPCServer{Body: 200, Status: codes.Internal, FailEach: 12},
		Client: calling(
			program.GRPCCall{Method: "Charge", Count: 36, Body: 40, Pause: 20 * time.Millisecond}),
		Fix: func(s *scenario.Scenario) { s.Server = program.GRPCServer{Body: 200} },
	}
}

func callsUnknown(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "grpc-unimplemented",
		About:  "the client calls a method that the server does not have, and asks for its health",
		Expect: scenario.Expect{Rule: "grpc-status", Cause: "unimplemented", Timeless: true},
		Server: program.GRPCServer{Body: 200},
		Client: calling(
			program.GRPCCall{Method: "/grpc.health.v1.Health/Check", Count: 4},
			program.GRPCCall{Method: "Refund", Count: 4, Body: 40, Pause: 20 * time.Millisecond}),
		Fix: func(s *scenario.Scenario) {
			s.Client = calling(
				program.GRPCCall{Method: "/grpc.health.v1.Health/Check", Count: 4},
				program.GRPCCall{Method: "Get", Count: 4, Body: 40, Pause: 20 * time.Millisecond})
		},
	}
}

func callDeadlineOnTheWay(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "grpc-deadline-on-the-way",
		About: "an upload of 100 kB over 1 Mbit/s takes 0.8 s, and its deadline is 700 ms: most of " +
			"it goes by on the way",
		Expect: scenario.Expect{
			Rule: "grpc-deadline", Cause: "in-transit", Also: []string{"bandwidth", "slow-start"},
		},
		Link:   world.Link{Rate: [2]int64{1e6, 1e6}},
		Server: program.GRPCServer{Body: 200},
		Client: calling(program.GRPCCall{
			Method: "Get", Count: 3, Body: 100_000, Deadline: 700 * time.Millisecond,
			Pause: 300 * time.Millisecond,
		}),
		Fix: func(s *scenario.Scenario) {
			s.Client = calling(program.GRPCCall{
				Method: "Get", Count: 3, Body: 10_000, Deadline: 700 * time.Millisecond,
				Pause: 300 * time.Millisecond,
			})
		},
	}
}

func callDeadline(time.Duration) scenario.Scenario {
	reports := program.GRPCCall{
		Method: "Report", Count: 4, Body: 100, Deadline: 250 * time.Millisecond,
		Pause: 50 * time.Millisecond,
	}
	return scenario.Scenario{
		Name:   "grpc-deadline",
		About:  "Report takes 600 ms, and its client's deadline is 250 ms",
		Expect: scenario.Expect{Rule: "grpc-deadline", Cause: "server-late"},
		Server: program.GRPCServer{Body: 200, Think: 600 * time.Millisecond},
		Client: calling(program.GRPCCall{Method: "Get", Count: 2, Body: 40}, reports),
		Fix: func(s *scenario.Scenario) {
			s.Server = program.GRPCServer{Body: 200, Think: 30 * time.Millisecond}
		},
	}
}

func callDeadlineSometimes(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "grpc-deadline-sometimes",
		About: "each fifth call of Report takes 400 ms, the others nothing, and their deadline is " +
			"150 ms: most of it is the round trip, which leaves enough",
		Expect: scenario.Expect{Rule: "grpc-deadline", Cause: "server-late"},
		Server: program.GRPCServer{Body: 200, Think: 400 * time.Millisecond, SlowEach: 5},
		Client: calling(
			program.GRPCCall{Method: "Get", Body: 40},
			program.GRPCCall{
				Method: "Report", Count: 15, Body: 100, Deadline: 150 * time.Millisecond,
				Pause: 60 * time.Millisecond,
			}),
		Fix: func(s *scenario.Scenario) { s.Server = program.GRPCServer{Body: 200} },
	}
}

func callDeadlineOnServer(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "grpc-deadline-exceeded",
		About: "a call fails with DEADLINE_EXCEEDED by the server's own word: what it asked did not " +
			"answer in time",
		Expect: scenario.Expect{Rule: "grpc-deadline", Cause: "server-said", Timeless: true},
		Server: program.GRPCServer{Body: 200, Status: codes.DeadlineExceeded, FailEach: 2},
		Client: calling(program.GRPCCall{
			Method: "Charge", Count: 8, Body: 40, Deadline: 2 * time.Second,
			Pause: 20 * time.Millisecond,
		}),
		Fix: func(s *scenario.Scenario) { s.Server = program.GRPCServer{Body: 200} },
	}
}

func callsChatty(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "grpc-chatty",
		About:  "60 small calls of Get, each when the one before is answered; then 20 at a time",
		Expect: scenario.Expect{Rule: "grpc-chatty", Timeless: true},
		Server: program.GRPCServer{Body: 200},
		Client: calling(program.GRPCCall{Method: "Get", Count: 60, Body: 40}),
		Fix: func(s *scenario.Scenario) {
			s.Client = calling(program.GRPCCall{Method: "Get", Count: 3, Parallel: 20, Body: 40})
		},
	}
}

func callsPausing(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "grpc-chatty-with-pauses",
		About: "60 small calls of Get, each 12 ms after the one before is answered, which the client " +
			"works on meanwhile; then 20 at a time",
		Expect: scenario.Expect{Rule: "grpc-chatty", Timeless: true},
		Server: program.GRPCServer{Body: 200},
		Client: calling(
			program.GRPCCall{Method: "Get", Count: 60, Body: 40, Pause: 12 * time.Millisecond}),
		Fix: func(s *scenario.Scenario) {
			s.Client = calling(program.GRPCCall{
				Method: "Get", Count: 3, Parallel: 20, Body: 40,
			})
		},
	}
}

func callsSpread(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "lookalike-grpc-calls-by-the-clock",
		About:  "60 small calls of Get, 30 ms apart: a program that has something else to do",
		Server: program.GRPCServer{Body: 200},
		Client: calling(
			program.GRPCCall{Method: "Get", Count: 60, Body: 40, Pause: 30 * time.Millisecond}),
	}
}

func callsOfLargeAnswers(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-grpc-large-answers",
		About: "seven calls with answers of 600 kB: grpc-go measures the path by PINGs, and lets " +
			"more come by WINDOW_UPDATEs, which are no calls",
		// the windows that it begins with, and those of TCP, are what they cost
		Expect: scenario.Expect{Also: []string{"h2-flow-control", "slow-start", "receive-window"}},
		Server: program.GRPCServer{Body: 600_000},
		Client: calling(program.GRPCCall{
			Method: "Get", Count: 7, Body: 40, Pause: 60 * time.Millisecond,
		}),
	}
}

func callsInTLS(time.Duration) scenario.Scenario {
	s := callsFail(0)
	s.Name = "grpc-unavailable-tls"
	s.Server = program.GRPCServer{
		Body: 200, Status: codes.Unavailable, FailEach: 2, Secure: true,
	}
	client := s.Client.(program.GRPCClient)
	client.Secure = true
	s.Client = client
	s.Expect.Keyed = true
	s.Fix = func(s *scenario.Scenario) { s.Server = program.GRPCServer{Body: 200, Secure: true} }
	return s
}

func callsTooManyPings(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "grpc-keepalive-too-often",
		About: "the client's keepalive sends a PING every 10 s, and the server allows one in five " +
			"minutes: it ends the connection with the call that is watched (too_many_pings)",
		// h2-goaway leaves what speaks of PINGs to h2-ping; the cured call is watched to its end,
		// and takes longer.
		Expect: scenario.Expect{Rule: "h2-ping", Cause: "too-many", Timeless: true},
		Server: program.GRPCServer{Body: 200, Events: 1, Every: 50 * time.Second},
		Client: program.GRPCClient{
			Calls: []program.GRPCCall{{Method: "Watch", Deadline: 45 * time.Second}},
			Ping:  10 * time.Second,
		},
		Fix: func(s *scenario.Scenario) {
			s.Server = program.GRPCServer{
				Body: 200, Events: 1, Every: 44 * time.Second, MinPing: 5 * time.Second,
			}
		},
	}
}

func callsNotFound(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "lookalike-grpc-not-found",
		About:  "of 21 calls one asks for an order that does not exist: NOT_FOUND is its answer",
		Server: program.GRPCServer{Body: 200},
		Client: calling(program.GRPCCall{Method: "Get", Count: 20, Body: 40},
			program.GRPCCall{Method: "Missing", Body: 40}),
	}
}

func callCancelled(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-grpc-cancelled",
		About: "a program that has a deadline of 5 s loses interest in three calls after 200 ms, " +
			"300 ms and 450 ms: CANCEL, but no deadline",
		Server: program.GRPCServer{Body: 200, Think: 600 * time.Millisecond},
		Client: calling(cancelled(200), cancelled(300), cancelled(450)),
	}
}

func cancelled(after int) program.GRPCCall {
	return program.GRPCCall{
		Method: "Report", Body: 40, Deadline: 5 * time.Second,
		Cancel: time.Duration(after) * time.Millisecond,
	}
}

func callWatch(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-grpc-watch",
		About: "a call watches: a message, 30 s of nothing, another message; Get is called " +
			"meanwhile",
		Server: program.GRPCServer{Body: 200, Events: 2, Every: 30 * time.Second},
		Client: calling(
			program.GRPCCall{Method: "Get", Count: 2, Body: 40},
			program.GRPCCall{
				Method:   "Watch",
				Body:     20,
				Deadline: 50 * time.Second,
				Cancel:   31 * time.Second,
			},
		),
	}
}

func callChat(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "lookalike-grpc-chat",
		About:  "a bidirectional call, eight messages to and fro, 100 ms between them",
		Server: program.GRPCServer{},
		Client: calling(program.GRPCCall{
			Method: "Chat", Talk: 8, Body: 60, Pause: 100 * time.Millisecond,
		}),
	}
}
