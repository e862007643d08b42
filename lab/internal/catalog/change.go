//go:build linux

package catalog

import (
	"tcpwhy/lab/internal/own"
	"tcpwhy/lab/internal/peer"
	"tcpwhy/lab/internal/scenario"
	"tcpwhy/lab/internal/world"
)

// prompt is the options of an end that waits for nothing before it sends.
func prompt() peer.Sockopts { return peer.Sockopts{NoDelay: true} }

// small is an exchange of one segment each way, n times.
func small(n int) (own.Server, own.Client) {
	return own.Server{Sockopts: prompt(), Body: 800}, own.Client{Sockopts: prompt(), Count: n}
}

// onServer is a cure that changes the scenario's server, an own one.
func onServer(change func(*own.Server)) func(*scenario.Scenario) {
	return func(s *scenario.Scenario) {
		o := s.Server.(own.Server)
		change(&o)
		s.Server = o
	}
}

// onClient is a cure that changes the scenario's client, an own one.
func onClient(change func(*own.Client)) func(*scenario.Scenario) {
	return func(s *scenario.Scenario) {
		c := s.Client.(own.Client)
		change(&c)
		s.Client = c
	}
}

func clientNoDelay(s *scenario.Scenario) {
	onClient(func(c *own.Client) { c.NoDelay = true })(s)
}

func serverNoDelay(s *scenario.Scenario) {
	onServer(func(o *own.Server) { o.NoDelay = true })(s)
}

func noDrops(s *scenario.Scenario) { s.Link.Drops = nil }

func noBox(s *scenario.Scenario) { s.Link.Box = world.Box{} }
