//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

const (
	// longest is how long a program may take on one capture.
	longest = 20 * time.Minute
	// slow is from how much processor time on a program runs in few rounds.
	slow = 3 * time.Second
)

// cost is what a program took for a capture.
type cost struct {
	cpu, wall time.Duration // processor time, user and system; the best of all rounds
	// octets resident at most, as the kernel tells: not below what this program itself takes
	rss    int64
	rounds int
}

// add takes in another round.
func (c *cost) add(d cost) {
	if c.rounds == 0 {
		*c = d
	} else {
		c.cpu, c.wall, c.rss = min(c.cpu, d.cpu), min(c.wall, d.wall), max(c.rss, d.rss)
	}
	c.rounds++
}

// once runs a program on a capture. What it prints goes nowhere.
func (p *program) once(file string, stdin *os.File) (cost, error) {
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	defer cancel()
	args := make([]string, len(p.command))
	for i, a := range p.command {
		args[i] = strings.ReplaceAll(a, "FILE", file)
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), p.env...)
	if stdin != nil {
		cmd.Stdin = stdin
	}
	began := time.Now()
	err := cmd.Run()
	wall := time.Since(began)
	if err != nil {
		return cost{}, fmt.Errorf("%s: %w", strings.Join(args, " "), err)
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return cost{
		cpu:  cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(),
		wall: wall,
		rss:  usage.Maxrss << 10,
	}, nil
}

// measured are the costs of all programs for all captures.
type measured map[string]map[string]*cost // by program, capture

// take runs all programs on all captures in turns, so that what disturbs the machine for a while
// disturbs all.
func take(all []program, captures []sample, o *options) (measured, error) {
	m := measured{}
	for _, p := range all {
		m[p.name] = map[string]*cost{}
		for _, s := range captures {
			m[p.name][s.name] = &cost{}
		}
	}
	for round := range o.rounds {
		for _, s := range captures {
			for _, p := range all {
				c := m[p.name][s.name]
				if c.cpu > slow && c.rounds >= o.slowRounds {
					continue
				}
				took, err := p.once(s.file, nil)
				if err != nil {
					return nil, err
				}
				c.add(took)
			}
		}
		fmt.Fprintf(os.Stderr, "compare: round %d of %d\n", round+1, o.rounds)
	}
	return m, nil
}
