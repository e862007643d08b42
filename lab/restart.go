//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

// Restarting is a server that is ended and started again.
type Restarting struct {
	Own
	After time.Duration // it ends
	Down  time.Duration // it is gone
}

// About says so.
func (r Restarting) About() string {
	return fmt.Sprintf(
		"%s; ended after %v, and started again %v later",
		r.Own.About(),
		r.After,
		r.Down,
	)
}

// Start runs it, and ends and starts it again meanwhile.
func (r Restarting) Start(ctx context.Context, e *Env) (func(), error) {
	stop, err := r.Own.Start(ctx, e)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		pause(ctx, r.After)
		stop()
		pause(ctx, r.Down)
		if ctx.Err() != nil {
			stop = func() {}
			return
		}
		if stop, err = r.Own.Start(ctx, e); err != nil {
			fmt.Fprintln(os.Stderr, "lab: start again:", err)
			stop = func() {}
		}
		<-ctx.Done()
	}()
	return func() { cancel(); <-done; stop() }, nil
}
