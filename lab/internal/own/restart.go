//go:build linux

package own

import (
	"context"
	"fmt"
	"os"
	"time"

	"tcpwhy/lab/internal/peer"
)

// Restarting is a server that is ended and started again.
type Restarting struct {
	Server
	After time.Duration // it ends
	Down  time.Duration // it is gone
}

// About says so.
func (r Restarting) About() string {
	return fmt.Sprintf("%s; ended after %v, and started again %v later",
		r.Server.About(), r.After, r.Down)
}

// Start runs it, and ends and starts it again meanwhile.
func (r Restarting) Start(ctx context.Context, e *peer.Env) (func(), error) {
	stop, err := r.Server.Start(ctx, e)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		peer.Pause(ctx, r.After)
		stop()
		peer.Pause(ctx, r.Down)
		if ctx.Err() != nil {
			stop = func() {}
			return
		}
		if stop, err = r.Server.Start(ctx, e); err != nil {
			fmt.Fprintln(os.Stderr, "lab: start again:", err)
			stop = func() {}
		}
		<-ctx.Done()
	}()
	return func() { cancel(); <-done; stop() }, nil
}
