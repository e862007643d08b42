//go:build linux

package main

import "time"

// windowScenarios are transfers limited by a window, and transfers limited by something else.
func windowScenarios() []Scenario {
	var all []Scenario
	for _, family := range [][]Scenario{
		at(slowStart, 10, 50, 100), at(coldAndWarm, 50, 100), at(afterIdle, 50, 100), at(smallResponse, 50),
		at(applicationLimited, 50), at(receiverLimited, 10, 50), at(bandwidthLimited, 50), at(zeroWindow, 10, 50), at(slowStartOffload, 50),
	} {
		all = append(all, family...)
	}
	return all
}

func slowStart(time.Duration) Scenario {
	return Scenario{
		Name:    "slow-start",
		About:   "a response of 150 kB on a new connection takes four round trips; with an initial window of 32, two",
		Expect:  Expect{Rule: "slow-start", Count: 1},
		Server:  Own{Sockopts: prompt(), Body: 150_000},
		Client:  Caller{Sockopts: prompt(), Count: 1},
		Fix:     func(s *Scenario) { s.InitCwnd = 32 },
		Snaplen: 400,
	}
}

func coldAndWarm(time.Duration) Scenario {
	s := slowStart(0)
	s.Name, s.Fix = "slow-start-cold-then-warm", nil
	s.About = "the same 150 kB twice on one connection: the first is slow, the second finds the window open"
	s.Client = Caller{Sockopts: prompt(), Count: 2}
	s.Expect.Count = 0 // the window may not have opened wholly when the second begins
	return s
}

func slowStartOffload(time.Duration) Scenario {
	s := slowStart(0)
	s.Name = "slow-start-offload"
	s.About += "; both ends have segmentation offload, so frames are larger than segments"
	s.Link.Offload = true
	return s
}

func afterIdle(time.Duration) Scenario {
	return Scenario{
		Name:    "slow-start-after-idle",
		About:   "150 kB twice on one connection with 3 s between them: the kernel forgot the window it had",
		Expect:  Expect{Rule: "slow-start-after-idle", Count: 1, Also: []string{"slow-start"}},
		Server:  Own{Sockopts: prompt(), Body: 150_000},
		Client:  Caller{Sockopts: prompt(), Count: 2, Interval: 3 * time.Second},
		Fix:     func(s *Scenario) { s.Sysctls = map[string]string{"net.ipv4.tcp_slow_start_after_idle": "0"} },
		Snaplen: 400,
	}
}

func smallResponse(time.Duration) Scenario {
	return Scenario{
		Name:    "lookalike-response-in-initial-window",
		About:   "10 kB fit into the initial window: slow start costs nothing",
		Server:  Own{Sockopts: prompt(), Body: 10_000},
		Client:  Caller{Sockopts: prompt(), Count: 1},
		Snaplen: 400,
	}
}

func applicationLimited(time.Duration) Scenario {
	return Scenario{
		Name:  "lookalike-application-limited",
		About: "the server writes 8 kB every 60 ms: its own pace, not a window, makes 80 kB slow",
		Server: Own{
			Sockopts: prompt(),
			Body:     80_000,
			Writes:   Writes{Split: true, Piece: 8000, PieceGap: 60 * time.Millisecond},
		},
		Client:  Caller{Sockopts: prompt(), Count: 1},
		Snaplen: 400,
	}
}

func receiverLimited(time.Duration) Scenario {
	return Scenario{
		Name:  "receive-window-fixed",
		About: "the client's receive buffer is 8 kB: its window, not the congestion window, limits 60 kB",
		Expect: Expect{
			Rule:  "receive-window",
			Cause: "fixed",
			Count: 1,
			Also:  []string{"slow-start"},
		},
		Server:  Own{Sockopts: prompt(), Body: 60_000},
		Client:  Caller{Sockopts: Sockopts{NoDelay: true, RcvBuf: 8192}, Count: 1},
		Fix:     func(s *Scenario) { changeClient(s, func(c *Caller) { c.RcvBuf = 0 }) },
		Snaplen: 400,
	}
}

func bandwidthLimited(time.Duration) Scenario {
	return Scenario{
		Name:    "lookalike-bandwidth-limited",
		About:   "the path carries 2 Mbit/s, less than the initial window per round trip: 60 kB take their time",
		Link:    Link{Rate: [2]int64{0, 2_000_000}},
		Server:  Own{Sockopts: prompt(), Body: 60_000},
		Client:  Caller{Sockopts: prompt(), Count: 1},
		Snaplen: 400,
	}
}

func zeroWindow(time.Duration) Scenario {
	return Scenario{
		Name:  "zero-window-slow-reader",
		About: "the client reads 64 kB and pauses 400 ms, with a receive buffer of 32 kB: its window closes",
		Expect: Expect{
			Rule:  "zero-window",
			Cause: "response",
			Also:  []string{"slow-start", "receive-window"},
		},
		Server: Own{Sockopts: prompt(), Body: 260_000},
		Client: Caller{
			Sockopts: Sockopts{NoDelay: true, RcvBuf: 32 << 10},
			Count:    1,
			Reads:    Reads{SlowRead: 400 * time.Millisecond},
		},
		Fix:     func(s *Scenario) { changeClient(s, func(c *Caller) { c.SlowRead = 0 }) },
		Snaplen: 400,
	}
}
