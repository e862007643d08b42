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

// timerScenarios send again what was never lost, or learn late that it was.
func timerScenarios() []scenario.Scenario {
	return slices.Concat(at(hastyTimer, 10), at(synAckLate, 50), at(acksLostAtRandom, 10))
}

func hastyTimer(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "timer-below-delayed-ack",
		About: "the client's retransmission timer is shorter than the server's delayed ACK: " +
			"where an answer takes 35 ms, the request is sent twice",
		Expect: scenario.Expect{
			Rule:     "retransmission-timeout",
			Cause:    "spurious",
			Timeless: true,
			Pending:  true,
		},
		ClientRoute: world.Route{RTOMin: 10 * time.Millisecond},
		Server: own.Server{
			Sockopts: peer.Sockopts{NoDelay: true, LazyAck: true},
			Body:     300,
			Outlier:  own.Outlier{LongThink: 35 * time.Millisecond, LongEvery: 4},
		},
		Client: own.Client{Sockopts: prompt(), Count: 20},
		Fix:    func(s *scenario.Scenario) { s.ClientRoute.RTOMin = 0 },
	}
}

func synAckLate(time.Duration) scenario.Scenario {
	server, client := small(2)
	return scenario.Scenario{
		Name: "syn-ack-late",
		About: "the first SYN-ACK takes a second longer than all else: the client has just asked " +
			"again when it comes, and nothing was lost",
		Expect: scenario.Expect{Rule: "syn-retransmission", Cause: "late", Count: 1},
		Link: world.Link{
			Drops: []world.Drop{{Kind: "synack", First: 1, Late: 995 * time.Millisecond}},
		},
		Server: server, Client: client, Fix: noDrops,
	}
}

// acksLostAtRandom has the server repeat what had arrived, while nobody waits for it.
func acksLostAtRandom(time.Duration) scenario.Scenario {
	server, client := small(12)
	client.Interval = 400 * time.Millisecond
	return scenario.Scenario{
		Name: "lookalike-acks-lost-at-random",
		About: "half of the client's acknowledgments are lost: the server sends responses again " +
			"that had arrived, as D-SACK says, and nobody waits for them",
		Link:   world.Link{Drops: []world.Drop{{ToServer: true, Kind: "ack", Share: .5}}, Seed: 3},
		Server: server, Client: client,
	}
}
