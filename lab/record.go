//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// outDir is where recordings are written, below the module's root.
const outDir = "lab/out"

// runLimit ends a scenario that hangs.
const runLimit = 60 * time.Second

func recordNamed(ctx context.Context, names []string) error {
	chosen, err := choose(names)
	if err != nil {
		return err
	}
	if err := removeLeftovers(); err != nil {
		return err
	}
	var errs []error
	for _, s := range chosen {
		errs = append(errs, s.recordBoth(ctx))
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...)
}

// recordBoth records the fault, and its cured twin if there is one.
func (s Scenario) recordBoth(ctx context.Context) error {
	fault, err := s.record(ctx, false, filepath.Join(outDir, s.Name, "fault"))
	if err != nil {
		return fmt.Errorf("%s: %w", s.Name, err)
	}
	line := fmt.Sprintf("%-40s %3d requests %9.1f ms", s.Name, len(fault.Requests), fault.Total)
	if s.Fix != nil {
		fixed, err := s.cured().record(ctx, true, filepath.Join(outDir, s.Name, "fixed"))
		if err != nil {
			return fmt.Errorf("%s, fixed: %w", s.Name, err)
		}
		line += fmt.Sprintf(
			"   fixed %9.1f ms   saved %9.1f ms",
			fixed.Total,
			fault.Total-fixed.Total,
		)
	}
	fmt.Println(line)
	return nil
}

// cured is the scenario with its fault cured.
func (s Scenario) cured() Scenario {
	c := s
	c.Fix(&c)
	return c
}

// A recording is disturbed, and made again, if the link or a waking program was late by more than
// maxLate: the machine was busy, and the times would be its own. After so many attempts, or so
// long, the least disturbed one is kept.
const (
	maxLate  = 1500 * time.Microsecond
	attempts = 5
	patience = 20 * time.Second // for all attempts: what lasts long hardly depends on a millisecond
)

// record runs the scenario and writes its captures and log into dir.
func (s Scenario) record(ctx context.Context, fixed bool, dir string) (runLog, error) {
	var best runLog
	began := time.Now()
	for n := range attempts {
		r, c, err := s.recordOnce(ctx, fixed)
		if err != nil {
			return r, err
		}
		if n == 0 || r.LateMS < best.LateMS {
			best = r
			if err := s.save(dir, c, r); err != nil {
				return r, err
			}
		}
		if r.LateMS <= float64(maxLate.Microseconds())/1000 {
			return r, nil
		}
		if time.Since(began) > patience {
			break
		}
	}
	fmt.Fprintf(os.Stderr, "lab: %s: the machine is busy, late by %.1f ms\n", s.Name, best.LateMS)
	return best, nil
}

func (s Scenario) recordOnce(ctx context.Context, fixed bool) (runLog, captures, error) {
	ctx, cancel := context.WithTimeout(ctx, runLimit)
	defer cancel()
	w, err := newWorld(s.Link, s.Sysctls, s.snap())
	if err != nil {
		return runLog{}, captures{}, err
	}
	defer w.close()
	if err := w.setInitCwnds(s.InitCwnd, s.InitCwndUp); err != nil {
		return runLog{}, captures{}, err
	}
	canary := startCanary()
	log, sees, err := s.play(ctx, w)
	late := canary.close()
	if err != nil {
		return runLog{}, captures{}, err
	}
	c, err := w.finish(ctx)
	if err != nil {
		return runLog{}, c, err
	}
	return runLog{
		Scenario: s.Name,
		Fixed:    fixed,
		Kernel:   kernel(),
		Total:    log.total(),
		Requests: log.requests,
		Served:   sees.served,
		Kernels:  sees.kernel,
		LateMS:   float64(max(late, c.late).Microseconds()) / 1000,
		Programs: []string{"server: " + s.Server.About(), "client: " + s.Client.About()},
	}, c, nil
}

// snap is the octets of each frame that are kept.
func (s Scenario) snap() int {
	if s.Snaplen == 0 {
		return 1 << 18
	}
	return s.Snaplen
}

// play starts the server, drives the client and stops the server.
func (s Scenario) play(ctx context.Context, w *world) (*requestLog, *observer, error) {
	dir, err := os.MkdirTemp("", "tcpwhy-lab-")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(dir)
	e := &Env{world: w, dir: dir, v6: s.IPv6, log: newRequestLog()}
	e.sees.start = e.log.start
	stop, err := s.Server.Start(ctx, e)
	if err != nil {
		return nil, nil, fmt.Errorf("start the server: %w", err)
	}
	err = s.Client.Drive(ctx, e)
	// The client's last words arrive before the server is stopped, so that its end is not part of
	// the story.
	pause(ctx, w.wire.link.Delay[0]+w.wire.link.Delay[1]+100*time.Millisecond)
	stop()
	return e.log, &e.sees, err
}

// save writes the three captures and the log.
func (s Scenario) save(dir string, c captures, r runLog) error {
	snap := s.snap()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return errors.Join(
		writePcap(filepath.Join(dir, "client.pcap"), linkEthernet, snap, c.client),
		writePcap(filepath.Join(dir, "server.pcap"), linkEthernet, snap, c.server),
		writePcap(filepath.Join(dir, "middle.pcap"), linkEthernet, snap, c.middle),
		r.write(dir))
}

// kernel is the system's name and release, without what a builder appended.
func kernel() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "unknown"
	}
	release, _, _ := strings.Cut(unix.ByteSliceToString(u.Release[:]), "-")
	return unix.ByteSliceToString(u.Sysname[:]) + " " + release
}
