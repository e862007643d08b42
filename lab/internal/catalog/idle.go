//go:build linux

package catalog

import (
	"slices"
	"time"

	"tcpwhy/lab/internal/own"
	"tcpwhy/lab/internal/scenario"
	"tcpwhy/lab/internal/world"
)

// idleScenarios leave connections alone for long: on the way, at the client, at the server.
func idleScenarios() []scenario.Scenario {
	return slices.Concat(at(idleDropSilent, 10), at(idleDropReset, 50), at(idleKept, 10),
		at(staleHalfClosed, 10), at(deadlock, 10), at(answeredByClose, 10, 50),
		at(injected, 10, 50))
}

func idleDropSilent(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "idle-drop-silent",
		About: "a box on the way forgets connections after 25 s: the request after 31 s gets no " +
			"answer, and is sent again on a new connection",
		Expect: scenario.Expect{
			Rule:  "idle-drop",
			Count: 1,
			Alone: true,
			Also:  []string{"missed-reuse"},
		},
		Link:   world.Link{Box: world.Box{Forget: 25 * time.Second}},
		Server: own.Server{Sockopts: prompt(), Body: 800},
		Client: own.Client{
			Sockopts: prompt(),
			Count:    2,
			Interval: 31 * time.Second,
			Pool:     own.Pool{Retry: true, Blind: true},
			Ending:   own.Ending{GiveUp: 5 * time.Second},
		},
		Fix: onClient(func(c *own.Client) { c.KeepIdle = 10 }),
	}
}

func idleDropReset(time.Duration) scenario.Scenario {
	s := idleDropSilent(0)
	s.Name = "idle-drop-reset"
	s.About = "a box on the way forgets connections after 25 s: it answers the request after 31 " +
		"s with a reset of its own"
	s.Link.Box.Reset = true
	s.Expect.Also = []string{"missed-reuse", "reset-after-data"}
	return s
}

func idleKept(time.Duration) scenario.Scenario {
	s := idleDropSilent(0)
	s.Name, s.Expect, s.Fix, s.Link = "lookalike-idle-31s", scenario.Expect{}, nil, world.Link{}
	s.About = "a connection idle for 31 s, that nobody forgets"
	return s
}

func staleHalfClosed(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "half-close-stale",
		About:  "the server closes after 500 ms idle, and the client leaves its side open for 12 s",
		Expect: scenario.Expect{Rule: "half-close", Cause: "stale-half-closed", Count: 1},
		Server: own.Server{
			Sockopts: prompt(),
			Body:     800,
			Keeping:  own.Keeping{Idle: 500 * time.Millisecond},
		},
		Client: own.Client{
			Sockopts: prompt(),
			Count:    2,
			Ending:   own.Ending{Linger: 12 * time.Second},
		},
		Fix: onClient(func(c *own.Client) { c.Linger = 0 }),
	}
}

func deadlock(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "half-close-deadlock",
		About: "the client announces a body of 300 octets and sends 200: the server waits for " +
			"the rest, the client for the answer",
		Expect: scenario.Expect{Rule: "half-close", Cause: "deadlock", Count: 1},
		Server: own.Server{Sockopts: prompt(), Body: 120},
		Client: own.Client{
			Sockopts: prompt(),
			Count:    1,
			Body:     300,
			Request:  own.Request{Short: 100},
			Ending:   own.Ending{GiveUp: 12 * time.Second},
		},
		Fix: onClient(func(c *own.Client) { c.Short = 0 }),
	}
}

func answeredByClose(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "half-close-answered-by-close",
		About: "the client shuts its sending side after its request, and the server takes that " +
			"for a hang-up and closes without an answer",
		Expect: scenario.Expect{Rule: "half-close", Cause: "answered-by-close", Count: 1},
		Server: own.Server{
			Sockopts: prompt(),
			Body:     3000,
			Think:    30 * time.Millisecond,
			Keeping:  own.Keeping{HangUp: true},
		},
		Client: own.Client{Sockopts: prompt(), Count: 1, Ending: own.Ending{HalfClose: true}},
		Fix:    onServer(func(o *own.Server) { o.HangUp = false }),
	}
}

func injected(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:  "reset-injected",
		About: "a box on the way ends the response with a RST of its own after the tenth segment",
		Expect: scenario.Expect{
			Rule:  "reset-after-data",
			Cause: "injected",
			Count: 1,
			Alone: true,
			Also:  []string{"slow-start"},
		},
		Link:    world.Link{Box: world.Box{Inject: 10}},
		Server:  own.Server{Sockopts: prompt(), Body: 60_000},
		Client:  own.Client{Sockopts: prompt(), Count: 1},
		Fix:     noBox,
		Snaplen: 400,
	}
}
