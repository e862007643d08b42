//go:build linux

package own

import (
	"context"

	"tcpwhy/lab/internal/peer"
)

// Nobody listens on nothing: connecting is refused.
type Nobody struct{}

// About says so.
func (Nobody) About() string { return "none: nothing listens on the port" }

// Start does nothing.
func (Nobody) Start(context.Context, *peer.Env) (func(), error) { return func() {}, nil }
