//go:build linux

package main

import "time"

// idleScenarios leave connections alone for long: on the way, at the client, at the server.
func idleScenarios() []Scenario {
	var all []Scenario
	for _, family := range [][]Scenario{
		at(idleDropSilent, 10), at(idleDropReset, 50), at(idleKept, 10), at(staleHalfClosed, 10), at(deadlock, 10),
		at(answeredByClose, 10, 50), at(injected, 10, 50),
	} {
		all = append(all, family...)
	}
	return all
}

func idleDropSilent(time.Duration) Scenario {
	return Scenario{
		Name:   "idle-drop-silent",
		About:  "a box on the way forgets connections after 25 s: the request after 31 s gets no answer, and is sent again on a new connection",
		Expect: Expect{Rule: "idle-drop", Count: 1, Alone: true, Also: []string{"missed-reuse"}},
		Link:   Link{Box: Box{Forget: 25 * time.Second}},
		Server: Own{Sockopts: prompt(), Body: 800},
		Client: Caller{
			Sockopts: prompt(),
			Count:    2,
			Interval: 31 * time.Second,
			Pool:     Pool{Retry: true, Blind: true},
			Ending:   Ending{GiveUp: 5 * time.Second},
		},
		Fix: func(s *Scenario) { changeClient(s, func(c *Caller) { c.KeepIdle = 10 }) },
	}
}

func idleDropReset(time.Duration) Scenario {
	s := idleDropSilent(0)
	s.Name = "idle-drop-reset"
	s.About = "a box on the way forgets connections after 25 s: it answers the request after 31 s with a reset of its own"
	s.Link.Box.Reset = true
	s.Expect.Also = []string{"missed-reuse", "reset-after-data"}
	return s
}

func idleKept(time.Duration) Scenario {
	s := idleDropSilent(0)
	s.Name, s.Expect, s.Fix, s.Link = "lookalike-idle-31s", Expect{}, nil, Link{}
	s.About = "a connection idle for 31 s, that nobody forgets"
	return s
}

func staleHalfClosed(time.Duration) Scenario {
	return Scenario{
		Name:   "half-close-stale",
		About:  "the server closes after 500 ms idle, and the client leaves its side open for 12 s",
		Expect: Expect{Rule: "half-close", Cause: "stale-half-closed", Count: 1},
		Server: Own{Sockopts: prompt(), Body: 800, Keeping: Keeping{Idle: 500 * time.Millisecond}},
		Client: Caller{Sockopts: prompt(), Count: 2, Ending: Ending{Linger: 12 * time.Second}},
		Fix:    func(s *Scenario) { changeClient(s, func(c *Caller) { c.Linger = 0 }) },
	}
}

func deadlock(time.Duration) Scenario {
	return Scenario{
		Name:   "half-close-deadlock",
		About:  "the client announces a body of 300 octets and sends 200: the server waits for the rest, the client for the answer",
		Expect: Expect{Rule: "half-close", Cause: "deadlock", Count: 1},
		Server: Own{Sockopts: prompt(), Body: 120},
		Client: Caller{
			Sockopts: prompt(),
			Count:    1,
			Body:     300,
			Request:  Request{Short: 100},
			Ending:   Ending{GiveUp: 12 * time.Second},
		},
		Fix: func(s *Scenario) { changeClient(s, func(c *Caller) { c.Short = 0 }) },
	}
}

func answeredByClose(time.Duration) Scenario {
	return Scenario{
		Name:   "half-close-answered-by-close",
		About:  "the client shuts its sending side after its request, and the server takes that for a hang-up and closes without an answer",
		Expect: Expect{Rule: "half-close", Cause: "answered-by-close", Count: 1},
		Server: Own{Sockopts: prompt(), Body: 3000, Think: 30 * time.Millisecond, Keeping: Keeping{HangUp: true}},
		Client: Caller{Sockopts: prompt(), Count: 1, Ending: Ending{HalfClose: true}},
		Fix:    func(s *Scenario) { changeServer(s, func(o *Own) { o.HangUp = false }) },
	}
}

func injected(time.Duration) Scenario {
	return Scenario{
		Name:  "reset-injected",
		About: "a box on the way ends the response with a RST of its own after the tenth segment",
		Expect: Expect{
			Rule:  "reset-after-data",
			Cause: "injected",
			Count: 1,
			Alone: true,
			Also:  []string{"slow-start"},
		},
		Link:    Link{Box: Box{Inject: 10}},
		Server:  Own{Sockopts: prompt(), Body: 60_000},
		Client:  Caller{Sockopts: prompt(), Count: 1},
		Fix:     noBox,
		Snaplen: 400,
	}
}
