//go:build linux

// Package scenario says what a scenario is: a set-up, its cure, and what must be said of it.
package scenario

import (
	"tcpwhy/lab/internal/peer"
	"tcpwhy/lab/internal/world"
)

// A Scenario is one fault between a client and a server, and the one change that cures it.
type Scenario struct {
	Name        string // unique; recorded below lab/out/Name
	About       string // one sentence
	Expect      Expect
	Link        world.Link
	IPv6        bool
	Sysctls     map[string]string // in both namespaces
	ServerRoute world.Route       // from the server to the client
	ClientRoute world.Route       // from the client to the server
	Server      peer.Server
	Client      peer.Client
	Fix         func(*Scenario) // changes what cures the fault; nil if nothing is to be cured
	Snaplen     int             // octets of each frame kept; 0 is all
}

// Cured is the scenario with its fault cured.
func (s Scenario) Cured() Scenario {
	c := s
	c.Fix(&c)
	return c
}

// Snap is the octets of each frame that are kept.
func (s Scenario) Snap() int {
	if s.Snaplen == 0 {
		return 1 << 18
	}
	return s.Snaplen
}
