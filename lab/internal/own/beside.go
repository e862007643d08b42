//go:build linux

package own

import (
	"context"
	"fmt"
	"sync"
	"time"

	"tcpwhy/lab/internal/peer"
)

// Beside is a client that works while another, whose requests nobody waits for, keeps the path
// busy.
type Beside struct {
	Client
	Other Client        // its requests are not in the log
	Ahead time.Duration // the other begins so much earlier
}

// About describes both for scenario.txt.
func (b Beside) About() string {
	text := b.Client.About() + "; beside another client"
	if b.Ahead > 0 {
		text += fmt.Sprintf(" that begins %v earlier", b.Ahead)
	}
	return text + ": " + b.Other.About()
}

// Drive returns when both have ended.
func (b Beside) Drive(ctx context.Context, e *peer.Env) error {
	var wait sync.WaitGroup
	unheard := &peer.Env{
		World:  e.World,
		Dir:    e.Dir,
		V6:     e.V6,
		Target: e.Target,
		Log:    peer.NewRequestLog(),
	}
	wait.Go(func() { b.Other.Drive(ctx, unheard) })
	defer wait.Wait()
	peer.Pause(ctx, b.Ahead)
	return b.Client.Drive(ctx, e)
}
