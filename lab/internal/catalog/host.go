//go:build linux

package catalog

import (
	"slices"
	"time"

	"tcpwhy/lab/internal/own"
	"tcpwhy/lab/internal/scenario"
	"tcpwhy/lab/internal/world"
)

// hostScenarios have hosts, and places of capture, that are not those of all others.
func hostScenarios() []scenario.Scenario {
	return slices.Concat(at(sharedIDs, 20), at(stridingIDs, 10), at(paddedACKs, 10),
		at(twoTaps, 20))
}

// bare turns timestamps off: a full segment has 1460 octets, and a pure ACK is less than Ethernet
// carries at least.
func bare() map[string]string {
	return map[string]string{"net.ipv4.tcp_timestamps": "0"}
}

func sharedIDs(time.Duration) scenario.Scenario {
	sysctls := bare()
	sysctls["net.ipv4.ip_default_ttl"] = "128"
	return scenario.Scenario{
		Name: "lookalike-ip-ids-of-all-flows",
		About: "the server counts IP identifications over all its flows, and has others: while " +
			"it thinks for 2 s over an answer they go on by five, and nothing is lost",
		Link:    world.Link{Stacks: [2]world.Stack{1: sharing(1)}},
		Sysctls: sysctls,
		Server: own.Server{
			Sockopts: prompt(),
			Body:     800,
			Outlier:  own.Outlier{LongThink: 2 * time.Second, LongEvery: 5},
		},
		Client: own.Client{Sockopts: prompt(), Count: 6},
	}
}

// sharing is a host with one sequence of identifications and other flows.
func sharing(stride int) world.Stack {
	return world.Stack{FirstID: 40_000, Stride: stride, Elsewhere: 400 * time.Millisecond}
}

func stridingIDs(time.Duration) scenario.Scenario {
	server, client := small(4)
	return scenario.Scenario{
		Name: "lost-retransmission-ids-by-256",
		About: "the second response is lost, and so are the two copies sent after it; the " +
			"server's IP identifications go up by 256, so the client's capture shows how many",
		Expect: scenario.Expect{
			Rule:  "retransmission-timeout",
			Cause: "lost-retransmission",
			Count: 1,
		},
		Link: world.Link{
			Drops:  []world.Drop{{Kind: "data", First: 2, Times: 3}},
			Stacks: [2]world.Stack{1: {FirstID: 256, Stride: 256}},
		},
		Server: server, Client: client, Fix: noDrops,
	}
}

func paddedACKs(time.Duration) scenario.Scenario {
	server, client := small(4)
	client.Interval = 2 * time.Second
	return scenario.Scenario{
		Name: "lookalike-padded-acks",
		About: "the client's pure ACKs are filled up with six zeros within the length of IP: " +
			"they are no data, and the next request, 2 s later, is no copy of them",
		Expect:  scenario.Expect{Pending: true},
		Link:    world.Link{Stacks: [2]world.Stack{{Pad: true}}},
		Sysctls: bare(),
		Server:  server, Client: client,
	}
}

func twoTaps(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-router-two-taps",
		About: "a router is captured on both its sides, and every frame is there twice, 3 ms " +
			"apart: one hop less to live, other addresses of Ethernet, and nothing sent again",
		Expect:  scenario.Expect{From: "middle", Alone: true, Pending: true},
		Link:    world.Link{Router: 3 * time.Millisecond},
		Server:  own.Server{Sockopts: prompt(), Body: 10_000},
		Client:  own.Client{Sockopts: prompt(), Count: 4},
		Snaplen: 400,
	}
}
