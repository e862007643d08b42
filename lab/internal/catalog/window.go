//go:build linux

package catalog

import (
	"slices"
	"time"

	"tcpwhy/lab/internal/own"
	"tcpwhy/lab/internal/peer"
	"tcpwhy/lab/internal/scenario"
	"tcpwhy/lab/internal/world"
)

// windowScenarios are transfers limited by a window, and transfers limited by something else.
func windowScenarios() []scenario.Scenario {
	return slices.Concat(at(slowStart, 10, 50, 100), at(coldAndWarm, 50, 100),
		at(afterIdle, 50, 100), at(smallResponse, 50), at(applicationLimited, 50),
		at(receiverLimited, 10, 50), at(bandwidthLimited, 50), at(zeroWindow, 10, 50),
		at(slowStartOffload, 50), at(noScaling, 50), at(slowWindow, 50), at(requestWindow, 10, 50),
		at(bulkBBR, 50), at(sendBuffer, 50), at(sendBufferTwin, 80), at(shortReads, 20))
}

func slowStart(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "slow-start",
		About: "a response of 150 kB on a new connection takes four round trips; with an " +
			"initial window of 32, two",
		Expect:  scenario.Expect{Rule: "slow-start", Count: 1},
		Server:  own.Server{Sockopts: prompt(), Body: 150_000},
		Client:  own.Client{Sockopts: prompt(), Count: 1},
		Fix:     func(s *scenario.Scenario) { s.ServerRoute.InitCwnd = 32 },
		Snaplen: 400,
	}
}

func coldAndWarm(time.Duration) scenario.Scenario {
	s := slowStart(0)
	s.Name, s.Fix = "slow-start-cold-then-warm", nil
	s.About = "the same 150 kB twice on one connection: the first is slow, the second finds the " +
		"window open"
	s.Client = own.Client{Sockopts: prompt(), Count: 2}
	s.Expect.Count = 0 // the window may not have opened wholly when the second begins
	return s
}

func slowStartOffload(time.Duration) scenario.Scenario {
	s := slowStart(0)
	s.Name = "slow-start-offload"
	s.About += "; both ends have segmentation offload, so frames are larger than segments"
	s.Link.Offload = true
	return s
}

func afterIdle(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "slow-start-after-idle",
		About: "150 kB twice on one connection with 3 s between them: the kernel forgot the " +
			"window it had",
		Expect: scenario.Expect{
			Rule:  "slow-start-after-idle",
			Count: 1,
			Also:  []string{"slow-start"},
		},
		Server: own.Server{Sockopts: prompt(), Body: 150_000},
		Client: own.Client{Sockopts: prompt(), Count: 2, Interval: 3 * time.Second},
		Fix: func(s *scenario.Scenario) {
			s.Sysctls = map[string]string{"net.ipv4.tcp_slow_start_after_idle": "0"}
		},
		Snaplen: 400,
	}
}

func smallResponse(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:    "lookalike-response-in-initial-window",
		About:   "10 kB fit into the initial window: slow start costs nothing",
		Server:  own.Server{Sockopts: prompt(), Body: 10_000},
		Client:  own.Client{Sockopts: prompt(), Count: 1},
		Snaplen: 400,
	}
}

func applicationLimited(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:  "lookalike-application-limited",
		About: "the server writes 8 kB every 60 ms: its own pace, not a window, makes 80 kB slow",
		Server: own.Server{
			Sockopts: prompt(),
			Body:     80_000,
			Writes:   own.Writes{Split: true, Piece: 8000, PieceGap: 60 * time.Millisecond},
		},
		Client:  own.Client{Sockopts: prompt(), Count: 1},
		Snaplen: 400,
	}
}

func receiverLimited(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "receive-window-fixed",
		About: "the client's receive buffer is 8 kB: its window, not the congestion window, " +
			"limits 60 kB",
		Expect: scenario.Expect{
			Rule:  "receive-window",
			Cause: "fixed",
			Count: 1,
			Also:  []string{"slow-start"},
		},
		Server:  own.Server{Sockopts: prompt(), Body: 60_000},
		Client:  own.Client{Sockopts: peer.Sockopts{NoDelay: true, RcvBuf: 8192}, Count: 1},
		Fix:     onClient(func(c *own.Client) { c.RcvBuf = 0 }),
		Snaplen: 400,
	}
}

func bandwidthLimited(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-bandwidth-limited",
		About: "the path carries 2 Mbit/s, less than the initial window per round trip: 60 kB " +
			"take their time",
		Link:    world.Link{Rate: [2]int64{0, 2_000_000}},
		Server:  own.Server{Sockopts: prompt(), Body: 60_000},
		Client:  own.Client{Sockopts: prompt(), Count: 1},
		Snaplen: 400,
	}
}

func zeroWindow(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "zero-window-slow-reader",
		About: "the client reads 64 kB and pauses 400 ms, with a receive buffer of 32 kB: its " +
			"window closes",
		Expect: scenario.Expect{
			Rule:  "zero-window",
			Cause: "response",
			Also:  []string{"slow-start", "receive-window"},
		},
		Server: own.Server{Sockopts: prompt(), Body: 260_000},
		Client: own.Client{
			Sockopts: peer.Sockopts{NoDelay: true, RcvBuf: 32 << 10},
			Count:    1,
			Reads:    own.Reads{SlowRead: 400 * time.Millisecond},
		},
		Fix:     onClient(func(c *own.Client) { c.SlowRead = 0 }),
		Snaplen: 400,
	}
}

func noScaling(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "receive-window-no-scaling",
		About: "window scaling is off: no more than 64 kB are ever in flight, though the " +
			"congestion window is larger",
		Expect: scenario.Expect{
			Rule:  "receive-window",
			Cause: "no-window-scaling",
			Count: 1,
			Also:  []string{"slow-start"},
		},
		Sysctls:     map[string]string{"net.ipv4.tcp_window_scaling": "0"},
		ServerRoute: world.Route{InitCwnd: 30},
		Server:      own.Server{Sockopts: prompt(), Body: 600_000},
		Client:      own.Client{Sockopts: prompt(), Count: 1},
		Fix:         func(s *scenario.Scenario) { s.Sysctls = nil },
		Snaplen:     400,
	}
}

func slowWindow(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "receive-window-autotuning",
		About: "the client's window begins at 64 kB and grows with the transfer, more slowly " +
			"than the server, with an initial window of 100, could send",
		Expect: scenario.Expect{
			Rule:  "receive-window",
			Cause: "autotuning",
			Count: 1,
			Also:  []string{"slow-start"},
		},
		ServerRoute: world.Route{InitCwnd: 100},
		Server:      own.Server{Sockopts: prompt(), Body: 600_000},
		Client:      own.Client{Sockopts: prompt(), Count: 1},
		Fix: func(s *scenario.Scenario) {
			s.Sysctls = map[string]string{"net.ipv4.tcp_rmem": "4096 4194304 6291456"}
		},
		Snaplen: 400,
	}
}

func requestWindow(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "zero-window-slow-server",
		About: "the server reads 64 kB of the request and pauses 300 ms, with a receive buffer " +
			"of 32 kB: its window closes",
		Expect: scenario.Expect{
			Rule:  "zero-window",
			Cause: "request",
			Also:  []string{"slow-start", "receive-window"},
		},
		Server: own.Server{
			Sockopts: peer.Sockopts{NoDelay: true, RcvBuf: 32 << 10},
			Body:     120,
			Reads:    own.Reads{SlowRead: 300 * time.Millisecond},
		},
		Client:  own.Client{Sockopts: prompt(), Count: 1, Body: 260_000},
		Fix:     onServer(func(o *own.Server) { o.SlowRead = 0 }),
		Snaplen: 400,
	}
}

func bulkBBR(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:    "slow-start-bbr",
		About:   "a response of 300 kB on a new connection with BBR, which paces",
		Expect:  scenario.Expect{Rule: "slow-start", Count: 1, Timeless: true},
		Sysctls: map[string]string{world.CongestionControl: "bbr"},
		Server:  own.Server{Sockopts: prompt(), Body: 300_000},
		Client:  own.Client{Sockopts: prompt(), Count: 1},
		Snaplen: 400,
	}
}

// sendBuffer is limited by neither window: TCP_INFO says sndbuf_limited.
func sendBuffer(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "send-buffer-small",
		About: "the server's send buffer is 8 kB, less than the initial window: it, and no " +
			"window, limits 40 kB that are written in small pieces",
		Expect: scenario.Expect{Rule: "send-buffer", Cause: "fixed"},
		Server: own.Server{
			Sockopts: peer.Sockopts{NoDelay: true, SndBuf: 4 << 10},
			Body:     40_000,
			Writes:   own.Writes{Piece: 1448},
		},
		Client:  own.Client{Sockopts: prompt(), Count: 1},
		Snaplen: 400,
	}
}

// sendBufferTwin has a twin without the limit.
func sendBufferTwin(time.Duration) scenario.Scenario {
	s := sendBuffer(0)
	s.Name = "send-buffer-16k"
	s.About = "the server's send buffer is 32 kB as its kernel counts (SO_SNDBUF of 16 kB): it, " +
		"and no window, limits 300 kB that are written in small pieces"
	s.Expect.Also = []string{"slow-start"}
	s.Server = own.Server{
		Sockopts: peer.Sockopts{NoDelay: true, SndBuf: 16 << 10},
		Body:     300_000,
		Writes:   own.Writes{Piece: 1448},
	}
	s.Fix = onServer(func(v *own.Server) { v.SndBuf = 0 })
	return s
}

// shortReads has a window that moves in the steps of the reader, by updates later than a round
// trip.
func shortReads(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "reader-slow-in-small-steps",
		About: "the client reads 12 kB and pauses 50 ms, with a receive buffer of 30 kB: whoever " +
			"waits for its window waits for the reader, though the window never closes for long",
		Expect: scenario.Expect{
			Rule:    "zero-window",
			Cause:   "response",
			Also:    []string{"slow-start", "receive-window"},
			Pending: true,
		},
		Server: own.Server{Sockopts: prompt(), Body: 600_000},
		Client: own.Client{
			Sockopts: peer.Sockopts{NoDelay: true, RcvBuf: 30_000},
			Count:    1,
			Reads:    own.Reads{ReadSize: 12_000, SlowRead: 50 * time.Millisecond},
		},
		Fix:     onClient(func(c *own.Client) { c.SlowRead = 0 }),
		Snaplen: 200,
	}
}
