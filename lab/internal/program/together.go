//go:build linux

package program

import (
	"context"
	"errors"
	"strings"
	"sync"

	"tcpwhy/lab/internal/peer"
)

// Together is several clients at the same time.
type Together []peer.Client

// About names each.
func (t Together) About() string {
	words := make([]string, 0, len(t))
	for _, c := range t {
		words = append(words, c.About())
	}
	return strings.Join(words, "; and ")
}

// Drive runs all of them. Programs that run share no log: each gets its own.
func (t Together) Drive(ctx context.Context, e *peer.Env) error {
	logs := make([]*peer.RequestLog, len(t))
	errs := make([]error, len(t))
	var wait sync.WaitGroup
	for i, c := range t {
		logs[i] = &peer.RequestLog{Start: e.Log.Start}
		own := &peer.Env{World: e.World, Dir: e.Dir, V6: e.V6, Target: e.Target, Log: logs[i]}
		wait.Go(func() { errs[i] = c.Drive(ctx, own) })
	}
	wait.Wait()
	for i := range logs {
		for _, r := range logs[i].Requests {
			r.Number = len(e.Log.Requests) + 1
			e.Log.Requests = append(e.Log.Requests, r)
		}
	}
	return errors.Join(errs...)
}
