//go:build linux

// Package peer is what the two ends of a conversation have in common: where they run, what is
// written down of what they see, and the sockets of those that are the lab's own.
package peer

import (
	"context"
	"net"
	"path/filepath"

	"tcpwhy/lab/internal/world"
)

// A Server answers on port 8080 of the server's namespace until stopped.
type Server interface {
	// Start returns when connections are accepted.
	Start(ctx context.Context, e *Env) (stop func(), err error)
	// About names the program and what is special about it.
	About() string
}

// A Client does the workload of a scenario.
type Client interface {
	// Drive returns when the last request has ended; a request that fails is part of the log, not
	// an error.
	Drive(ctx context.Context, e *Env) error
	About() string
}

// Env is where a scenario runs.
type Env struct {
	*world.World
	Dir    string // temporary, for files of programs
	V6     bool
	Target string      // where clients send to, if not to the server
	Log    *RequestLog // what the client's application sees
	Sees   Observer    // what the server's side says
}

// KeyLog is the file to which clients add the secrets of their TLS connections.
func (e *Env) KeyLog() string { return filepath.Join(e.Dir, "keys.txt") }

// Goal is where clients send to.
func (e *Env) Goal() string {
	if e.Target != "" {
		return e.Target
	}
	return e.ServerAddress()
}

// ServerAddress is where the server listens.
func (e *Env) ServerAddress() string { return e.Address(e.V6, world.ServerPort) }

// Host is the server's address without the port.
func (e *Env) Host() string {
	host, _, _ := net.SplitHostPort(e.ServerAddress())
	return host
}
