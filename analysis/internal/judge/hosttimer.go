package judge

import (
	"net/netip"
	"time"

	"tcpwhy/analysis/internal/rule"
)

const keptDelacks = 64 // delays kept of each host

// hostTimers are the delayed-acknowledgment timers of hosts, learned over the capture. They differ
// by system and by setting; what matters is that a host's own delays agree.
type hostTimers struct {
	hosts rule.PairTable[[]time.Duration]
}

// Learn takes in what a connection that is over showed.
func (t *hostTimers) Learn(c *rule.Gone, now time.Duration) {
	hosts := [2]netip.Addr{c.Pair.Client, c.Pair.Server.Addr()}
	for d, host := range hosts {
		if len(c.Delacks[d]) == 0 {
			continue
		}
		if kept := t.hosts.Of(rule.Alone(host), now); kept != nil {
			*kept = append(*kept, c.Delacks[d]...)
			*kept = (*kept)[:min(len(*kept), keptDelacks)]
		}
	}
}

// Of are the delays of a host.
func (t *hostTimers) Of(host netip.Addr) []time.Duration {
	if kept := t.hosts.Has(rule.Alone(host)); kept != nil {
		return *kept
	}
	return nil
}
