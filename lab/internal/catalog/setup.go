//go:build linux

package catalog

import (
	"slices"
	"time"

	"tcpwhy/lab/internal/own"
	"tcpwhy/lab/internal/peer"
	"tcpwhy/lab/internal/program"
	"tcpwhy/lab/internal/scenario"
	"tcpwhy/lab/internal/world"
)

// setupScenarios open connections: too many, too often, or without an answer.
func setupScenarios() []scenario.Scenario {
	return slices.Concat(
		at(filtered, 10),
		at(unreachable, 10),
		at(prohibited, 10),
		at(reusedPort, 10, 50),
		at(manyPorts, 0),
		at(manySpare, 10, 50),
		at(churn, 10),
		at(
			selfLoss,
			10,
		),
		at(selfQueue, 20),
		at(parallelLoss, 20),
		at(neededAtOnce, 10, 50),
		at(poolOfTwo, 10, 50),
		at(workersLookalike, 10),
		at(serial, 50),
		at(serialShort, 10),
		at(parallelUsed, 10),
		at(impatient, 10),
		at(fewPorts, 10),
	)
}

func filtered(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "connection-filtered",
		About: "every SYN is lost without a word, as behind a firewall that drops, until the " +
			"client gives up",
		Expect: scenario.Expect{
			Rule:  "connection-refused",
			Cause: "filtered",
			Count: 1,
			Alone: true,
		},
		Link: world.Link{
			Drops: []world.Drop{{ToServer: true, Kind: "syn", First: 1, Times: 100}},
		},
		Server: own.Server{Sockopts: prompt(), Body: 800},
		Client: own.Client{Sockopts: prompt(), Count: 1},
	}
}

func unreachable(time.Duration) scenario.Scenario {
	s := filtered(0)
	s.Name, s.Expect = "connection-unreachable", scenario.Expect{
		Rule:  "connection-refused",
		Cause: "unreachable",
		Count: 3,
		Alone: true,
	}
	s.About = "a router answers every SYN with ICMP host unreachable"
	s.Link = world.Link{Box: world.Box{Reject: 1}}
	s.Client = own.Client{Sockopts: prompt(), Count: 3, Interval: 50 * time.Millisecond}
	return s
}

func prohibited(time.Duration) scenario.Scenario {
	s := unreachable(0)
	s.Name, s.Expect.Cause = "connection-prohibited", "filtered"
	s.About = "a firewall answers every SYN with ICMP administratively prohibited"
	s.Link.Box.Reject = 13
	return s
}

// reusedPort leaves the server with a half-open connection: the client's RST is lost, and the next
// SYN comes from the same port.
func reusedPort(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "port-reused-too-early",
		About: "the client resets each connection, the RST is lost, and it connects from the " +
			"same port again: the server answers for the old connection",
		Expect: scenario.Expect{
			Rule:  "port-exhaustion",
			Cause: "tuple-reuse",
			Count: 2,
			Also:  []string{"missed-reuse", "reset-after-data", "syn-retransmission"},
		},
		Link: world.Link{
			Drops: []world.Drop{
				{ToServer: true, Kind: "rst", First: 1},
				{ToServer: true, Kind: "rst", First: 3},
			},
		},
		Server: own.Server{Sockopts: prompt(), Body: 800},
		Client: own.Client{
			Sockopts: peer.Sockopts{NoDelay: true, Port: 40_001},
			Count:    3,
			Pool:     own.Pool{Fresh: true},
			Ending:   own.Ending{ResetEnd: true},
			Interval: 100 * time.Millisecond,
		},
		Fix: onClient(func(c *own.Client) { c.Port = 0 }),
	}
}

func manyPorts(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "time-wait-load",
		About: "the client opens and closes 400 connections a second for 13 s: their ports rest " +
			"in TIME_WAIT",
		Expect: scenario.Expect{
			Rule:  "port-exhaustion",
			Cause: "time-wait-load",
			Also:  []string{"missed-reuse"},
		},
		Server: own.Server{Sockopts: prompt(), Body: 100},
		Client: own.Client{
			Sockopts: prompt(),
			Count:    1000,
			Parallel: 6,
			Pool:     own.Pool{Fresh: true},
			Interval: 12 * time.Millisecond,
		},
		Snaplen: 400,
	}
}

func manySpare(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "parallel-over-limit",
		About: "the client opens fourteen connections in advance and uses them in turn, one " +
			"request at a time",
		Expect: scenario.Expect{Rule: "parallel-connections", Cause: "over-limit", Timeless: true},
		Server: own.Server{Sockopts: prompt(), Body: 800},
		Client: own.Client{
			Sockopts: prompt(),
			Count:    28,
			Pool:     own.Pool{Rotate: 14, Preconnect: 300 * time.Millisecond},
		},
		Fix: onClient(func(c *own.Client) { c.Rotate = 0 }),
	}
}

func churn(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "parallel-churn",
		About: "the client opens fourteen connections and closes each without a request, then " +
			"uses one",
		Expect: scenario.Expect{Rule: "parallel-connections", Cause: "churn", Timeless: true},
		Server: own.Server{Sockopts: prompt(), Body: 800},
		Client: own.Client{
			Sockopts: prompt(),
			Count:    6,
			Pool:     own.Pool{Spare: 14, SpareFor: 20 * time.Millisecond},
		},
		Fix: onClient(func(c *own.Client) { c.Spare = 0 }),
	}
}

func selfLoss(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "parallel-self-inflicted-loss",
		About: "eight connections begin large responses at once over 10 Mbit/s with a queue of " +
			"30 kB",
		Expect: scenario.Expect{
			Rule:  "parallel-connections",
			Cause: "self-inflicted-loss",
			Also: []string{
				"packet-loss",
				"retransmission-timeout",
				"slow-start",
				"bandwidth",
				"connect-cost",
			},
			Timeless: true,
		},
		Link:    world.Link{Rate: [2]int64{0, 10_000_000}, Queue: [2]int{0, 30_000}},
		Server:  own.Server{Sockopts: prompt(), Body: 60_000},
		Client:  own.Client{Sockopts: prompt(), Count: 1, Parallel: 8},
		Snaplen: 400,
	}
}

// selfQueue is a page whose responses fill a deep queue: nearly all that is sent again had arrived.
func selfQueue(time.Duration) scenario.Scenario {
	s := selfLoss(0)
	s.Name = "parallel-deep-queue"
	s.About = "twenty connections begin responses of 42 kB at once over 8 Mbit/s with a queue of " +
		"400 kB"
	s.Expect.Also = append(s.Expect.Also, "syn-retransmission", "server-think")
	s.Link = world.Link{Rate: [2]int64{0, 8_000_000}, Queue: [2]int{0, 400_000}}
	s.Server = own.Server{Sockopts: prompt(), Body: 42_000}
	s.Client = own.Client{Sockopts: prompt(), Count: 1, Parallel: 20}
	return s
}

// parallelLoss loses at random what eight connections send at once over a path that is never full.
func parallelLoss(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "parallel-random-loss",
		About: "two of a hundred frames are lost at random of what eight connections carry at " +
			"once, over a path that is never full",
		Expect: scenario.Expect{
			Rule: "packet-loss",
			Also: []string{"retransmission-timeout", "slow-start", "syn-retransmission"},
		},
		Link:    world.Link{Loss: .02, Seed: 7},
		Server:  own.Server{Sockopts: prompt(), Body: 150_000},
		Client:  own.Client{Sockopts: prompt(), Count: 1, Parallel: 8},
		Fix:     func(s *scenario.Scenario) { s.Link.Loss = 0 },
		Snaplen: 400,
	}
}

func neededAtOnce(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "connect-cost",
		About: "eight requests at the same time need eight connections, and half of their time " +
			"is set-up",
		Expect: scenario.Expect{Rule: "connect-cost", Timeless: true},
		Server: own.Server{Sockopts: prompt(), Body: 800},
		Client: own.Client{Sockopts: prompt(), Count: 1, Parallel: 8},
	}
}

func poolOfTwo(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-pool-of-two",
		About: "a Go program wants twenty things at once, and its transport allows two " +
			"connections: the others wait inside the client, which no packet shows",
		Server: own.Server{Sockopts: prompt(), Body: 800, Think: 20 * time.Millisecond},
		Client: program.GoClient{Count: 1, Parallel: 20, Drain: true, Limit: 2},
	}
}

func workersLookalike(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-two-workers",
		About: "two connections, each taken again 30 ms after it became free: nobody waited for " +
			"one",
		Server: own.Server{Sockopts: prompt(), Body: 800, Think: 20 * time.Millisecond},
		Client: own.Client{
			Sockopts: prompt(),
			Count:    8,
			Parallel: 2,
			Interval: 30 * time.Millisecond,
		},
	}
}

func serial(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "serial-requests",
		About:  "fifty requests for different things, one after the other: a round trip for each",
		Expect: scenario.Expect{Rule: "serial-requests", Timeless: true},
		Server: own.Server{Sockopts: prompt(), Body: 300},
		Client: own.Client{Sockopts: prompt(), Count: 50},
	}
}

func serialShort(time.Duration) scenario.Scenario {
	s := serial(0)
	s.Name, s.Expect = "lookalike-serial-short", scenario.Expect{}
	s.About = "fifty requests one after the other over a short path, with 20 ms of the client's " +
		"own work between them"
	s.Client = own.Client{Sockopts: prompt(), Count: 50, Interval: 20 * time.Millisecond}
	return s
}

func parallelUsed(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "lookalike-parallel-used",
		About:  "ten connections at the same time, all of them busy and kept",
		Server: own.Server{Sockopts: prompt(), Body: 800, Think: 150 * time.Millisecond},
		Client: own.Client{Sockopts: prompt(), Count: 3, Parallel: 10},
	}
}

func impatient(time.Duration) scenario.Scenario {
	server, client := small(3)
	client.Pool = own.Pool{Patience: 300 * time.Millisecond, Retry: true}
	return scenario.Scenario{
		Name: "connect-given-up-too-early",
		About: "the SYN-ACK takes 400 ms, and the client gives up after 300 and tries on another " +
			"connection, which is answered at once",
		Expect: scenario.Expect{Rule: "connection-refused", Alone: true, Pending: true},
		Link: world.Link{
			Drops: []world.Drop{{Kind: "synack", Share: .5, Late: 400 * time.Millisecond}},
			Seed:  6,
		},
		Server: server, Client: client, Fix: noDrops,
	}
}

func fewPorts(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "port-range-small",
		About: "sixty connections in 6 s from fourteen ports: the server closes each first, and " +
			"most are opened into its TIME_WAIT",
		Expect: scenario.Expect{
			Rule: "port-exhaustion",
			Also: []string{"missed-reuse"},
		},
		Sysctls: map[string]string{"net.ipv4.ip_local_port_range": "40000 40013"},
		Server:  own.Server{Sockopts: prompt(), Body: 800, Keeping: own.Keeping{Requests: 1}},
		Client:  own.Client{Sockopts: prompt(), Count: 60, Interval: 90 * time.Millisecond},
	}
}
