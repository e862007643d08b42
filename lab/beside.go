//go:build linux

package main

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Beside is a client that works while another, whose requests nobody waits for, keeps the path
// busy.
type Beside struct {
	Caller
	Other Caller        // its requests are not in the log
	Ahead time.Duration // the other begins so much earlier
}

// About describes both for scenario.txt.
func (b Beside) About() string {
	text := b.Caller.About() + "; beside another client"
	if b.Ahead > 0 {
		text += fmt.Sprintf(" that begins %v earlier", b.Ahead)
	}
	return text + ": " + b.Other.About()
}

// Drive returns when both have ended.
func (b Beside) Drive(ctx context.Context, e *Env) error {
	var wait sync.WaitGroup
	wait.Go(func() {
		b.Other.Drive(
			ctx,
			&Env{world: e.world, dir: e.dir, v6: e.v6, log: newRequestLog(), target: e.target},
		)
	})
	defer wait.Wait()
	pause(ctx, b.Ahead)
	return b.Caller.Drive(ctx, e)
}
