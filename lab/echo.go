//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"
)

// echoTimes measures n round trips of one octet, sorted.
func echoTimes(ctx context.Context, w *world, n int) ([]time.Duration, error) {
	l, err := listen(w.server, w.address(false, 7), Sockopts{NoDelay: true})
	if err != nil {
		return nil, err
	}
	defer l.Close()
	go func() {
		c, err := l.AcceptTCP()
		if err != nil {
			return
		}
		defer c.Close()
		c.SetNoDelay(true)
		io.Copy(c, c)
	}()
	c, err := dial(ctx, w.client, w.address(false, 7), Sockopts{NoDelay: true})
	if err != nil {
		return nil, fmt.Errorf("reach the echo server: %w", err)
	}
	defer c.Close()
	var one [1]byte
	samples := make([]time.Duration, 0, n)
	for range n {
		began := time.Now()
		if _, err := c.Write(one[:]); err != nil {
			return nil, err
		}
		if _, err := io.ReadFull(c, one[:]); err != nil {
			return nil, err
		}
		samples = append(samples, time.Since(began))
		pause(ctx, 3*time.Millisecond)
	}
	slices.Sort(samples)
	return samples, ctx.Err()
}
