//go:build linux

package catalog

import (
	"slices"
	"time"

	"tcpwhy/lab/internal/own"
	"tcpwhy/lab/internal/scenario"
	"tcpwhy/lab/internal/world"
)

// resetScenarios end connections by RST, and in ways that look alike.
func resetScenarios() []scenario.Scenario {
	return slices.Concat(at(unreadBody, 10, 50), at(lingerZero, 10, 50), at(clientAbort, 10, 50),
		at(serverAbort, 10, 50), at(idleReset, 10), at(idleResetHitsRequest, 50),
		at(cleanClose, 10), at(lazyReset, 10), at(resetAfterFin, 10), at(halfClose, 10, 50),
		at(answeredByBox, 10), at(refusedTLS, 10))
}

func unreadBody(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "reset-unread-request-data",
		About: "the server answers 413 and closes while the client still sends its body: the " +
			"reset endangers the answer",
		Expect: scenario.Expect{
			Rule:  "reset-after-data",
			Cause: "unread-request-data",
			Count: 3,
			Also:  []string{"missed-reuse"},
		},
		Server: own.Server{Sockopts: prompt(), Refusal: own.Refusal{Refuse: 413}},
		Client: own.Client{
			Sockopts: prompt(),
			Count:    3,
			Body:     200_000,
			Writes:   own.Writes{Split: true},
			Pool:     own.Pool{Fresh: true},
		},
		Fix:     onServer(func(o *own.Server) { o.Drain = true }),
		Snaplen: 400,
	}
}

func lingerZero(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "reset-linger-zero",
		About: "the server sets SO_LINGER to zero and closes after each response: a reset " +
			"follows the data",
		Expect: scenario.Expect{
			Rule:  "reset-after-data",
			Cause: "linger-zero",
			Count: 4,
			Also:  []string{"missed-reuse"},
		},
		Server: own.Server{Sockopts: prompt(), Body: 3000, Keeping: own.Keeping{Linger: true}},
		Client: own.Client{Sockopts: prompt(), Count: 4, Interval: 30 * time.Millisecond},
		Fix:    onServer(func(o *own.Server) { o.Linger = false }),
	}
}

func clientAbort(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "reset-client-abort",
		About:  "the client gives up in the middle of a response and closes with SO_LINGER 0",
		Expect: scenario.Expect{Rule: "reset-after-data", Cause: "client-abort", Count: 1},
		Server: own.Server{
			Sockopts: prompt(),
			Body:     120_000,
			Writes:   own.Writes{Split: true, Piece: 10_000, PieceGap: 20 * time.Millisecond},
		},
		Client:  own.Client{Sockopts: prompt(), Count: 1, Ending: own.Ending{AbortAfter: 30_000}},
		Snaplen: 400,
	}
}

func serverAbort(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "reset-server-abort",
		About: "the server resets the connection after 5000 of 12000 octets of the body, as a " +
			"killed worker does",
		Expect: scenario.Expect{Rule: "reset-after-data", Cause: "server-abort", Count: 2},
		Server: own.Server{Sockopts: prompt(), Body: 12_000, Cuts: own.Cuts{AbortAfter: 5000}},
		Client: own.Client{Sockopts: prompt(), Count: 2},
		Fix:    onServer(func(o *own.Server) { o.AbortAfter = 0 }),
	}
}

func idleReset(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-idle-reset",
		About: "the server resets a connection that was idle for 500 ms: everything had been " +
			"delivered, nobody waited",
		Server: own.Server{
			Sockopts: prompt(),
			Body:     800,
			Keeping:  own.Keeping{LingerAfter: 500 * time.Millisecond},
		},
		Client: own.Client{
			Sockopts: prompt(),
			Count:    3,
			Ending:   own.Ending{Linger: 900 * time.Millisecond},
		},
	}
}

func idleResetHitsRequest(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "reset-idle-hits-request",
		About: "the server resets a connection idle for 1 s just as the next request is under " +
			"way: that one is sent again",
		Expect: scenario.Expect{
			Rule:  "reset-after-data",
			Cause: "idle-reset",
			Count: 3,
			Also:  []string{"missed-reuse"},
		},
		Server: own.Server{
			Sockopts: prompt(),
			Body:     800,
			Keeping:  own.Keeping{LingerAfter: time.Second},
		},
		Client: own.Client{
			Sockopts: prompt(),
			Count:    4,
			Interval: 980 * time.Millisecond,
			Pool:     own.Pool{Retry: true, Blind: true},
		},
		Fix: onServer(func(o *own.Server) { o.LingerAfter = 0 }),
	}
}

func cleanClose(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "lookalike-clean-close",
		About:  "four requests, and both sides close in order",
		Server: own.Server{Sockopts: prompt(), Body: 3000},
		Client: own.Client{Sockopts: prompt(), Count: 4},
	}
}

func lazyReset(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-client-resets-when-done",
		About: "the client closes with SO_LINGER 0 after it has read the last response: lazy, " +
			"and harmless",
		Server: own.Server{Sockopts: prompt(), Body: 3000},
		Client: own.Client{
			Sockopts: prompt(),
			Count:    4,
			Ending:   own.Ending{ResetEnd: true, Linger: 100 * time.Millisecond},
		},
	}
}

func resetAfterFin(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-reset-answers-fin",
		About: "the server closes in order after its response, and the client, which has read " +
			"it all, answers with a reset",
		Server: own.Server{Sockopts: prompt(), Body: 3000, Keeping: own.Keeping{Requests: 1}},
		Client: own.Client{Sockopts: prompt(), Count: 1, Ending: own.Ending{ResetEnd: true}},
	}
}

func halfClose(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-half-close",
		About: "the client shuts its sending side after its request, and the server answers and " +
			"closes as it should",
		Server: own.Server{Sockopts: prompt(), Body: 3000, Think: 30 * time.Millisecond},
		Client: own.Client{Sockopts: prompt(), Count: 1, Ending: own.Ending{HalfClose: true}},
	}
}

func answeredByBox(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "reset-answered-by-box",
		About: "in the middle of an upload a box answers a segment with a RST in the server's " +
			"name, with that segment's IP identification; the server goes on acknowledging",
		Expect: scenario.Expect{
			Rule:  "reset-after-data",
			Cause: "injected",
			Count: 1,
			Alone: true,
			Also:  []string{"slow-start"},
		},
		Link:    world.Link{Box: world.Box{Answer: 14}},
		Server:  own.Server{Sockopts: prompt(), Body: 120},
		Client:  own.Client{Sockopts: prompt(), Count: 1, Body: 60_000},
		Fix:     noBox,
		Snaplen: 400,
	}
}

func refusedTLS(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "reset-tls-unread-request-data",
		About: "inside TLS the server answers 413 and closes, in order, while the client still " +
			"sends its body: the reset is about what it has not read",
		Expect: scenario.Expect{
			Rule:  "reset-after-data",
			Cause: "unread-request-data",
			Also:  []string{"missed-reuse"},
		},
		Server: own.Server{Sockopts: prompt(), TLS: true, Refusal: own.Refusal{Refuse: 413}},
		Client: own.Client{
			Sockopts: prompt(),
			TLS:      true,
			Count:    2,
			Body:     200_000,
			Writes:   own.Writes{Split: true},
			Pool:     own.Pool{Fresh: true},
		},
		Snaplen: 1600,
	}
}
