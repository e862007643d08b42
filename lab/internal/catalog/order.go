//go:build linux

package catalog

import (
	"slices"
	"time"

	"tcpwhy/lab/internal/own"
	"tcpwhy/lab/internal/scenario"
	"tcpwhy/lab/internal/world"
)

// orderScenarios lose nothing: segments come late, out of order, or twice.
func orderScenarios() []scenario.Scenario {
	return slices.Concat(at(reordered, 50), at(reorderedUpload, 50), at(duplicated, 10),
		at(spuriousTimeout, 10, 50), at(overtaken, 10, 50), at(delayJump, 10))
}

func reordered(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:    "lookalike-reordered",
		About:   "every fourth segment comes 3 ms late: out of order, but nothing was lost",
		Link:    world.Link{Reorder: [2]int{0, 4}, ReorderBy: 3 * time.Millisecond},
		Server:  own.Server{Sockopts: prompt(), Body: 13_000},
		Client:  own.Client{Sockopts: prompt(), Count: 2},
		Snaplen: 400,
	}
}

func reorderedUpload(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:    "lookalike-reordered-upload",
		About:   "every fourth segment of a request comes 3 ms late: out of order, and not lost",
		Link:    world.Link{Reorder: [2]int{4, 0}, ReorderBy: 3 * time.Millisecond},
		Server:  own.Server{Sockopts: prompt(), Body: 120},
		Client:  own.Client{Sockopts: prompt(), Count: 2, Body: 13_000},
		Snaplen: 400,
	}
}

func duplicated(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "lookalike-duplicated-by-network",
		About:  "the network delivers every second response twice",
		Link:   world.Link{Duplicate: 2},
		Server: own.Server{Sockopts: prompt(), Body: 800},
		Client: own.Client{Sockopts: prompt(), Count: 6},
	}
}

func spuriousTimeout(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "spurious-timeout",
		About: "the way to the client stands still for 600 ms in the middle of 100 kB: the timer " +
			"fires, and everything arrives twice",
		Expect: scenario.Expect{
			Rule:     "retransmission-timeout",
			Cause:    "spurious",
			From:     "server",
			Also:     []string{"slow-start"},
			Timeless: true,
		},
		Link:    world.Link{Box: world.Box{StallAfter: 25, StallFor: 600 * time.Millisecond}},
		Server:  own.Server{Sockopts: prompt(), Body: 100_000},
		Client:  own.Client{Sockopts: prompt(), Count: 1},
		Fix:     noBox,
		Snaplen: 400,
	}
}

func overtaken(rtt time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "reordering-beyond-round-trip",
		About: "every 30th segment takes two round trips longer than those around it: it is " +
			"taken for lost",
		// only the client sees the order
		Expect: scenario.Expect{
			Rule:  "packet-loss",
			Cause: "reordering",
			Alone: true,
			Also:  []string{"slow-start"},
		},
		Link:    world.Link{Reorder: [2]int{0, 30}, ReorderBy: 2 * rtt},
		Server:  own.Server{Sockopts: prompt(), Body: 150_000},
		Client:  own.Client{Sockopts: prompt(), Count: 1},
		Fix:     func(s *scenario.Scenario) { s.Link.Reorder = [2]int{} },
		Snaplen: 400,
	}
}

func delayJump(time.Duration) scenario.Scenario {
	server, client := small(6)
	return scenario.Scenario{
		Name:  "lookalike-delay-jumps",
		About: "the way to the client stands still for 60 ms now and then, less than any timer",
		Link: world.Link{
			Box: world.Box{StallAfter: 2, StallFor: 60 * time.Millisecond, StallStride: 2},
		},
		Server: server, Client: client,
	}
}
