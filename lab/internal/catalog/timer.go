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
	return slices.Concat(
		at(hastyTimer, 10),
	)
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
