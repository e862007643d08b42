//go:build linux

package catalog

import (
	"slices"
	"time"

	"tcpwhy/lab/internal/own"
	"tcpwhy/lab/internal/scenario"
)

// thinkScenarios wait for the server's program.
func thinkScenarios() []scenario.Scenario {
	return slices.Concat(at(outlier, 0, 10, 50), at(thinkOf(1100), 10))
}

func outlier(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "server-think-outlier",
		About:  "the server thinks 5 ms, and 350 ms over the first of every ten requests",
		Expect: scenario.Expect{Rule: "server-think"},
		Server: own.Server{
			Sockopts: prompt(),
			Body:     300,
			Think:    5 * time.Millisecond,
			Outlier:  own.Outlier{LongThink: 350 * time.Millisecond, LongEvery: 10},
		},
		Client: own.Client{Sockopts: prompt(), Count: 20, Request: own.Request{SameTarget: true}},
		Fix:    onServer(func(o *own.Server) { o.LongThink = 0 }),
	}
}
