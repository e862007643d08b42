//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"tcpwhy/lab/internal/peer"
	"tcpwhy/lab/internal/world"
)

// ping measures the round-trip time of small TCP exchanges over links of several delays.
func ping(ctx context.Context, _ []string) error {
	for _, rtt := range []time.Duration{0, 10 * time.Millisecond, 50 * time.Millisecond} {
		if err := pingOnce(ctx, rtt); err != nil {
			return err
		}
	}
	return nil
}

func pingOnce(ctx context.Context, rtt time.Duration) error {
	w, err := world.New(world.Symmetric(rtt), nil, 96)
	if err != nil {
		return err
	}
	defer w.Close()
	samples, err := echoTimes(ctx, w, 200)
	if err != nil {
		return err
	}
	q := func(share float64) time.Duration {
		return samples[int(share*float64(len(samples)-1))].Round(time.Microsecond)
	}
	fmt.Printf("asked %-5v got min %v median %v p99 %v max %v\n", rtt, q(0), q(.5), q(.99), q(1))
	return nil
}

// echoTimes measures n round trips of one octet, sorted.
func echoTimes(ctx context.Context, w *world.World, n int) ([]time.Duration, error) {
	l, err := peer.Listen(w.Server, w.Address(false, 7), peer.Sockopts{NoDelay: true})
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
	c, err := peer.Dial(ctx, w.Client, w.Address(false, 7), peer.Sockopts{NoDelay: true})
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
		peer.Pause(ctx, 3*time.Millisecond)
	}
	slices.Sort(samples)
	return samples, ctx.Err()
}
