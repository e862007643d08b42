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

// uploadScenarios are requests limited by a window, and requests limited by something else: what
// windowScenarios are to responses.
func uploadScenarios() []scenario.Scenario {
	return slices.Concat(at(slowStartUpload, 10, 50), at(serverWindow, 10, 50), at(idleUpload, 50),
		at(slowServer, 20), at(applicationUpload, 50), at(bandwidthUpload, 50),
		at(sendBufferUpload, 50))
}

func slowStartUpload(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "slow-start-upload",
		About: "a request of 150 kB on a new connection takes four round trips; with an " +
			"initial window of 32, three",
		Expect:  scenario.Expect{Rule: "slow-start", Cause: "request", Count: 1},
		Server:  own.Server{Sockopts: prompt(), Body: 120},
		Client:  own.Client{Sockopts: prompt(), Count: 1, Body: 150_000},
		Fix:     func(s *scenario.Scenario) { s.ClientRoute.InitCwnd = 32 },
		Snaplen: 400,
	}
}

func serverWindow(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "receive-window-fixed-upload",
		About: "the server's receive buffer is 8 kB: its window, not the client's congestion " +
			"window, limits a request of 60 kB",
		Expect: scenario.Expect{
			Rule:  "receive-window",
			Cause: "fixed-request",
			Count: 1,
			Also:  []string{"slow-start"},
		},
		Server:  own.Server{Sockopts: peer.Sockopts{NoDelay: true, RcvBuf: 8192}, Body: 120},
		Client:  own.Client{Sockopts: prompt(), Count: 1, Body: 60_000},
		Fix:     onServer(func(o *own.Server) { o.RcvBuf = 0 }),
		Snaplen: 400,
	}
}

// slowServer never closes its window: its kernel acknowledges a full one only when the program has
// read.
func slowServer(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "zero-window-slow-server-64k",
		About: "the server reads 64 kB of a request of 1 MB and pauses 50 ms, with the kernel's " +
			"own buffer: the window fills, and the ACK waits",
		Expect: scenario.Expect{
			Rule:  "zero-window",
			Cause: "request",
			Also:  []string{"slow-start", "receive-window"},
		},
		Server: own.Server{
			Sockopts: prompt(),
			Body:     120,
			Reads:    own.Reads{SlowRead: 50 * time.Millisecond},
		},
		Client:  own.Client{Sockopts: prompt(), Count: 1, Body: 1_000_000},
		Fix:     onServer(func(o *own.Server) { o.SlowRead = 0 }),
		Snaplen: 128,
	}
}

func applicationUpload(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-application-limited-upload",
		About: "the client writes 8 kB every 60 ms: its own pace, not a window, makes a request " +
			"of 80 kB slow",
		Server: own.Server{Sockopts: prompt(), Body: 120},
		Client: own.Client{
			Sockopts: prompt(),
			Count:    1,
			Body:     80_000,
			Writes:   own.Writes{Split: true, Piece: 8000, PieceGap: 60 * time.Millisecond},
		},
		Snaplen: 400,
	}
}

func bandwidthUpload(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-bandwidth-limited-upload",
		About: "the path to the server carries 2 Mbit/s, less than the initial window per " +
			"round trip: 60 kB take their time",
		Link:    world.Link{Rate: [2]int64{2_000_000, 0}},
		Server:  own.Server{Sockopts: prompt(), Body: 120},
		Client:  own.Client{Sockopts: prompt(), Count: 1, Body: 60_000},
		Snaplen: 400,
	}
}

// sendBufferUpload is limited by neither window.
func sendBufferUpload(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "send-buffer-small-upload",
		About: "the client's send buffer is 8 kB, less than the initial window: it, and no " +
			"window, limits a request of 40 kB that is written in small pieces",
		Expect: scenario.Expect{Rule: "send-buffer", Cause: "fixed-request"},
		Server: own.Server{Sockopts: prompt(), Body: 120},
		Client: own.Client{
			Sockopts: peer.Sockopts{NoDelay: true, SndBuf: 4 << 10},
			Count:    1,
			Body:     40_000,
			Writes:   own.Writes{Split: true, Piece: 1448},
		},
		Snaplen: 400,
	}
}

func idleUpload(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "slow-start-after-idle-upload",
		About: "requests of 150 kB on one connection with 3 s between them: the client's kernel " +
			"forgot the window it had",
		Expect: scenario.Expect{
			Rule:   "slow-start-after-idle",
			Cause:  "request",
			Count:  1,
			Shares: []string{"delayed-ack"},
			Also:   []string{"slow-start", "delayed-ack"},
		},
		Server: own.Server{Sockopts: prompt(), Body: 120},
		Client: own.Client{Sockopts: prompt(), Count: 2, Interval: 3 * time.Second, Body: 150_000},
		Fix: func(s *scenario.Scenario) {
			s.Sysctls = map[string]string{"net.ipv4.tcp_slow_start_after_idle": "0"}
		},
		Snaplen: 400,
	}
}
