//go:build linux

package catalog

import (
	"slices"
	"time"

	"tcpwhy/lab/internal/own"
	"tcpwhy/lab/internal/scenario"
	"tcpwhy/lab/internal/world"
)

// pathMTUScenarios pass small packets and not large ones.
func pathMTUScenarios() []scenario.Scenario {
	return slices.Concat(at(blackHole, 10, 50), at(blackHoleRequest, 10), at(blackHoleGivenUp, 10),
		at(mtuTold, 10))
}

// blackHole lets the server find out by itself, after some timeouts.
func blackHole(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "path-mtu-black-hole",
		About: "packets over 1400 octets to the client vanish without a word; after three " +
			"timeouts the server's kernel tries smaller ones",
		Expect: scenario.Expect{
			Rule:  "path-mtu",
			Count: 1,
			From:  "server",
			Alone: true,
			Also:  []string{"packet-loss"},
		},
		Link:    world.Link{Box: world.Box{MTU: [2]int{0, 1400}}},
		Sysctls: map[string]string{"net.ipv4.tcp_mtu_probing": "1"},
		Server:  own.Server{Sockopts: prompt(), Body: 6000},
		Client:  own.Client{Sockopts: prompt(), Count: 1},
		Fix:     func(s *scenario.Scenario) { s.Link.Box.Tell = true },
	}
}

func blackHoleRequest(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "path-mtu-black-hole-request",
		About: "packets over 1400 octets to the server vanish without a word: a small request " +
			"passes, a large one never",
		Expect: scenario.Expect{
			Rule:     "path-mtu",
			Count:    1,
			Alone:    true,
			Timeless: true,
			Also:     []string{"packet-loss"},
		},
		Link:   world.Link{Box: world.Box{MTU: [2]int{1400, 0}}},
		Server: own.Server{Sockopts: prompt(), Body: 120},
		Client: own.Client{
			Sockopts: prompt(),
			Count:    1,
			Body:     6000,
			Ending:   own.Ending{GiveUp: 5 * time.Second},
		},
		Fix: func(s *scenario.Scenario) { s.Link.Box.Tell = true },
	}
}

// blackHoleGivenUp loses everything that the server may send at first, so that no small segment is
// acknowledged behind it.
func blackHoleGivenUp(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "path-mtu-black-hole-given-up",
		About: "packets over 1400 octets to the client vanish without a word: all of the first " +
			"flight, until the client gives up after 5 s",
		Expect: scenario.Expect{
			Rule:     "path-mtu",
			Count:    1,
			From:     "server",
			Alone:    true,
			Timeless: true,
			Also:     []string{"packet-loss"},
		},
		Link:   world.Link{Box: world.Box{MTU: [2]int{0, 1400}}},
		Server: own.Server{Sockopts: prompt(), Body: 30_000},
		Client: own.Client{
			Sockopts: prompt(),
			Count:    1,
			Ending:   own.Ending{GiveUp: 5 * time.Second},
		},
		Fix: func(s *scenario.Scenario) { s.Link.Box.Tell = true },
	}
}

func mtuTold(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-path-mtu-told",
		About: "packets over 1400 octets to the client are lost, and the router says so at " +
			"once, as it should",
		// the first large segment is lost indeed
		Expect: scenario.Expect{Also: []string{"packet-loss"}},
		Link:   world.Link{Box: world.Box{MTU: [2]int{0, 1400}, Tell: true}},
		Server: own.Server{Sockopts: prompt(), Body: 6000},
		Client: own.Client{Sockopts: prompt(), Count: 3},
	}
}
