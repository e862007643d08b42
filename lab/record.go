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

// recordingDir is where one variant, fault or fixed, of a scenario is recorded.
func recordingDir(name, variant string) string { return filepath.Join(outDir, name, variant) }

// runLimit ends a scenario that hangs.
const runLimit = 60 * time.Second

func recordScenarios(ctx context.Context, chosen []Scenario) error {
	if err := removeLeftovers(); err != nil {
		return err
	}
	var errs []error
	for _, s := range chosen {
		errs = append(errs, recordBoth(ctx, s))
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...)
}

// recordBoth records the fault, and its cured twin if there is one.
func recordBoth(ctx context.Context, s Scenario) error {
	fault, err := record(ctx, s, false, recordingDir(s.Name, "fault"))
	if err != nil {
		return fmt.Errorf("%s: %w", s.Name, err)
	}
	line := fmt.Sprintf("%-40s %3d requests %9.1f ms", s.Name, len(fault.Requests), fault.Total)
	if s.Fix != nil {
		fixed, err := record(ctx, s.cured(), true, recordingDir(s.Name, "fixed"))
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

// A recording is disturbed, and made again, if the link or a waking program was late by more than
// maxLate: the machine was busy, and the times would be its own. After so many attempts, or so
// long, the least disturbed one is kept.
const (
	maxLate  = 1500 * time.Microsecond
	attempts = 5
	patience = 20 * time.Second // for all attempts: what lasts long hardly depends on a millisecond
)

// record runs the scenario and writes its captures and log into dir.
func record(ctx context.Context, s Scenario, fixed bool, dir string) (runLog, error) {
	var best runLog
	began := time.Now()
	for n := range attempts {
		r, c, err := recordOnce(ctx, s, fixed)
		if err != nil {
			return r, err
		}
		if n == 0 || r.LateMS < best.LateMS {
			best = r
			if err := save(s, dir, c, r); err != nil {
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

func recordOnce(ctx context.Context, s Scenario, fixed bool) (runLog, captures, error) {
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
	log, sees, err := play(ctx, s, w)
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

// play starts the server, drives the client and stops the server.
func play(ctx context.Context, s Scenario, w *world) (*requestLog, *observer, error) {
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
func save(s Scenario, dir string, c captures, r runLog) error {
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
