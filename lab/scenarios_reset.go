//go:build linux

package main

import "time"

// resetScenarios end connections by RST, and in ways that look alike.
func resetScenarios() []Scenario {
	var all []Scenario
	for _, family := range [][]Scenario{
		at(unreadBody, 10, 50), at(lingerZero, 10, 50), at(clientAbort, 10, 50), at(serverAbort, 10, 50), at(idleReset, 10), at(idleResetHitsRequest, 50),
		at(cleanClose, 10), at(lazyReset, 10), at(resetAfterFin, 10), at(halfClose, 10, 50),
	} {
		all = append(all, family...)
	}
	return all
}

func unreadBody(time.Duration) Scenario {
	return Scenario{
		Name:  "reset-unread-request-data",
		About: "the server answers 413 and closes while the client still sends its body: the reset endangers the answer",
		Expect: Expect{
			Rule:  "reset-after-data",
			Cause: "unread-request-data",
			Count: 3,
			Also:  []string{"missed-reuse"},
		},
		Server:  Own{Sockopts: prompt(), Refusal: Refusal{Refuse: 413}},
		Client:  Caller{Sockopts: prompt(), Count: 3, Body: 200_000, Writes: Writes{Split: true}, Pool: Pool{Fresh: true}},
		Fix:     func(s *Scenario) { changeServer(s, func(o *Own) { o.Drain = true }) },
		Snaplen: 400,
	}
}

func lingerZero(time.Duration) Scenario {
	return Scenario{
		Name:  "reset-linger-zero",
		About: "the server sets SO_LINGER to zero and closes after each response: a reset follows the data",
		Expect: Expect{
			Rule:  "reset-after-data",
			Cause: "linger-zero",
			Count: 4,
			Also:  []string{"missed-reuse"},
		},
		Server: Own{Sockopts: prompt(), Body: 3000, Keeping: Keeping{Linger: true}},
		Client: Caller{Sockopts: prompt(), Count: 4, Interval: 30 * time.Millisecond},
		Fix:    func(s *Scenario) { changeServer(s, func(o *Own) { o.Linger = false }) },
	}
}

func clientAbort(time.Duration) Scenario {
	return Scenario{
		Name:   "reset-client-abort",
		About:  "the client gives up in the middle of a response and closes with SO_LINGER 0",
		Expect: Expect{Rule: "reset-after-data", Cause: "client-abort", Count: 1},
		Server: Own{
			Sockopts: prompt(),
			Body:     120_000,
			Writes:   Writes{Split: true, Piece: 10_000, PieceGap: 20 * time.Millisecond},
		},
		Client:  Caller{Sockopts: prompt(), Count: 1, Ending: Ending{AbortAfter: 30_000}},
		Snaplen: 400,
	}
}

func serverAbort(time.Duration) Scenario {
	return Scenario{
		Name:   "reset-server-abort",
		About:  "the server resets the connection after 5000 of 12000 octets of the body, as a killed worker does",
		Expect: Expect{Rule: "reset-after-data", Cause: "server-abort", Count: 2},
		Server: Own{Sockopts: prompt(), Body: 12_000, Cuts: Cuts{AbortAfter: 5000}},
		Client: Caller{Sockopts: prompt(), Count: 2},
		Fix:    func(s *Scenario) { changeServer(s, func(o *Own) { o.AbortAfter = 0 }) },
	}
}

func idleReset(time.Duration) Scenario {
	return Scenario{
		Name:   "lookalike-idle-reset",
		About:  "the server resets a connection that was idle for 500 ms: everything had been delivered, nobody waited",
		Server: Own{Sockopts: prompt(), Body: 800, Keeping: Keeping{LingerAfter: 500 * time.Millisecond}},
		Client: Caller{Sockopts: prompt(), Count: 3, Ending: Ending{Linger: 900 * time.Millisecond}},
	}
}

func idleResetHitsRequest(time.Duration) Scenario {
	return Scenario{
		Name:  "reset-idle-hits-request",
		About: "the server resets a connection idle for 1 s just as the next request is under way: that one is sent again",
		Expect: Expect{
			Rule:  "reset-after-data",
			Cause: "idle-reset",
			Count: 3,
			Also:  []string{"missed-reuse"},
		},
		Server: Own{Sockopts: prompt(), Body: 800, Keeping: Keeping{LingerAfter: time.Second}},
		Client: Caller{
			Sockopts: prompt(),
			Count:    4,
			Interval: 980 * time.Millisecond,
			Pool:     Pool{Retry: true, Blind: true},
		},
		Fix: func(s *Scenario) { changeServer(s, func(o *Own) { o.LingerAfter = 0 }) },
	}
}

func cleanClose(time.Duration) Scenario {
	return Scenario{
		Name:   "lookalike-clean-close",
		About:  "four requests, and both sides close in order",
		Server: Own{Sockopts: prompt(), Body: 3000},
		Client: Caller{Sockopts: prompt(), Count: 4},
	}
}

func lazyReset(time.Duration) Scenario {
	return Scenario{
		Name:   "lookalike-client-resets-when-done",
		About:  "the client closes with SO_LINGER 0 after it has read the last response: lazy, and harmless",
		Server: Own{Sockopts: prompt(), Body: 3000},
		Client: Caller{
			Sockopts: prompt(),
			Count:    4,
			Ending:   Ending{ResetEnd: true, Linger: 100 * time.Millisecond},
		},
	}
}

func resetAfterFin(time.Duration) Scenario {
	return Scenario{
		Name:   "lookalike-reset-answers-fin",
		About:  "the server closes in order after its response, and the client, which has read it all, answers with a reset",
		Server: Own{Sockopts: prompt(), Body: 3000, Keeping: Keeping{Requests: 1}},
		Client: Caller{Sockopts: prompt(), Count: 1, Ending: Ending{ResetEnd: true}},
	}
}

func halfClose(time.Duration) Scenario {
	return Scenario{
		Name:   "lookalike-half-close",
		About:  "the client shuts its sending side after its request, and the server answers and closes as it should",
		Server: Own{Sockopts: prompt(), Body: 3000, Think: 30 * time.Millisecond},
		Client: Caller{Sockopts: prompt(), Count: 1, Ending: Ending{HalfClose: true}},
	}
}
