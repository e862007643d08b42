//go:build linux

package catalog

import (
	"fmt"
	"time"

	"tcpwhy/lab/internal/scenario"
	"tcpwhy/lab/internal/world"
)

// at makes one scenario for every round-trip time, named after it.
func at(make func(rtt time.Duration) scenario.Scenario, rtts ...int) []scenario.Scenario {
	var all []scenario.Scenario
	for _, ms := range rtts {
		rtt := time.Duration(ms) * time.Millisecond
		s := make(rtt)
		s.Link.Delay = world.Symmetric(rtt).Delay
		s.Name = fmt.Sprintf("%s-rtt%d", s.Name, ms)
		all = append(all, s)
	}
	return all
}
