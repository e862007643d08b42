//go:build linux

package catalog

import (
	"slices"
	"time"

	"tcpwhy/lab/internal/own"
	"tcpwhy/lab/internal/scenario"
)

// failureScenarios end connections and responses too early, or refuse them.
func failureScenarios() []scenario.Scenario {
	return slices.Concat(at(keepaliveRace, 10, 50), at(staleUse, 10, 50), at(truncated, 10, 50),
		at(truncatedChunked, 10, 50), at(truncatedTLS, 10, 50), at(refused, 0, 10),
		at(restarted, 10, 50), at(backlog, 10), at(slowAccept, 10))
}

func keepaliveRace(rtt time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "keepalive-race",
		About: "the server closes after 1 s idle just as the next request is under way: the " +
			"request is lost and sent again",
		Expect: scenario.Expect{Rule: "keepalive-race", Cause: "race", Count: 3},
		Server: own.Server{Sockopts: prompt(), Body: 800, Keeping: own.Keeping{Idle: time.Second}},
		Client: own.Client{
			Sockopts: prompt(),
			Count:    4,
			Interval: time.Second - rtt/2,
			Pool:     own.Pool{Retry: true, Blind: true},
		},
		Fix: onServer(func(o *own.Server) { o.Idle = 0 }),
	}
}

func staleUse(time.Duration) scenario.Scenario {
	s := keepaliveRace(0)
	s.Name, s.Expect.Cause = "keepalive-stale-use", "stale-use"
	s.About = "the server closed after 1 s idle, and 400 ms later the client sends on that " +
		"connection without looking"
	s.Client = own.Client{
		Sockopts: prompt(),
		Count:    4,
		Interval: 1400 * time.Millisecond,
		Pool:     own.Pool{Retry: true, Blind: true},
	}
	return s
}

func truncated(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "truncated-content-length",
		About:  "the server closes in order after 5000 of the 12000 octets it announced",
		Expect: scenario.Expect{Rule: "truncated-response", Cause: "content-length", Count: 2},
		Server: own.Server{Sockopts: prompt(), Body: 12_000, Cuts: own.Cuts{CutAfter: 5000}},
		Client: own.Client{Sockopts: prompt(), Count: 2},
		Fix:    onServer(func(o *own.Server) { o.CutAfter = 0 }),
	}
}

func truncatedChunked(time.Duration) scenario.Scenario {
	s := truncated(0)
	s.Name, s.Expect.Cause = "truncated-chunked", "chunked"
	s.About = "the server closes in order in the middle of a chunk"
	s.Server = own.Server{
		Sockopts: prompt(),
		Body:     10_000,
		Cuts:     own.Cuts{CutAfter: 5000},
		Chunked:  true,
	}
	return s
}

func truncatedTLS(time.Duration) scenario.Scenario {
	s := truncated(0)
	s.Name, s.Expect.Cause = "truncated-tls-close", "tls-close"
	s.About = "the server closes the connection in the middle of a TLS record, without an alert"
	s.Server = own.Server{
		Sockopts: prompt(),
		TLS:      true,
		Body:     12_000,
		Cuts:     own.Cuts{CutStream: 6000},
	}
	s.Client = own.Client{Sockopts: prompt(), TLS: true, Count: 2}
	s.Fix = onServer(func(o *own.Server) { o.CutStream = 0 })
	return s
}

func refused(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "connection-refused",
		About:  "nothing listens on the port: each of three attempts is answered by a reset",
		Expect: scenario.Expect{Rule: "connection-refused", Cause: "refused", Count: 3},
		Server: own.Nobody{},
		Client: own.Client{Sockopts: prompt(), Count: 3, Interval: 50 * time.Millisecond},
	}
}

func restarted(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:  "connection-refused-restart",
		About: "the server is started again, and refuses connections for 400 ms",
		Expect: scenario.Expect{
			Rule:     "connection-refused",
			Cause:    "refused",
			Also:     []string{"missed-reuse"},
			Timeless: true,
		},
		Server: own.Restarting{
			Server: own.Server{Sockopts: prompt(), Body: 800},
			After:  350 * time.Millisecond,
			Down:   400 * time.Millisecond,
		},
		Client: own.Client{Sockopts: prompt(), Count: 10, Interval: 80 * time.Millisecond},
		Fix:    func(s *scenario.Scenario) { s.Server = own.Server{Sockopts: prompt(), Body: 800} },
	}
}

func backlog(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "backlog-overflow",
		About: "the server accepts nobody for 1.5 s with a backlog of one: further SYNs go " +
			"unanswered",
		Expect: scenario.Expect{
			Rule:  "syn-retransmission",
			Cause: "backlog-overflow",
			Count: 3,
			From:  "server",
		},
		Server: own.Server{
			Sockopts:  prompt(),
			Body:      800,
			Accepting: own.Accepting{Backlog: 1, AcceptAfter: 1500 * time.Millisecond},
		},
		Client: own.Client{Sockopts: prompt(), Count: 1, Parallel: 5},
	}
}

// slowAccept is seen from the client: its SYNs, or what follows them, stay without an answer for as
// long as the back-off of its own timers takes.
func slowAccept(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "backlog-slow-accept",
		About: "the server accepts one connection every 500 ms with a backlog of one, and twelve " +
			"come at once",
		Expect: scenario.Expect{
			Rule:    "syn-retransmission",
			Cause:   "backlog-overflow",
			Also:    []string{"connect-cost"},
			Pending: true,
		},
		Server: own.Server{
			Sockopts:  prompt(),
			Body:      800,
			Accepting: own.Accepting{Backlog: 1, AcceptEvery: 500 * time.Millisecond},
		},
		Client: own.Client{Sockopts: prompt(), Count: 1, Parallel: 12},
		Fix:    onServer(func(o *own.Server) { o.Accepting = own.Accepting{} }),
	}
}
