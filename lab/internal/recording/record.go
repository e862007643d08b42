//go:build linux

// Package recording plays scenarios, writes down what was captured and seen, and reads it back.
package recording

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"tcpwhy/lab/internal/packet"
	"tcpwhy/lab/internal/peer"
	"tcpwhy/lab/internal/scenario"
	"tcpwhy/lab/internal/world"
)

// outDir is where recordings are written, below the module's root.
const outDir = "lab/out"

// Dir is where one variant, fault or fixed, of a scenario is recorded.
func Dir(name, variant string) string { return filepath.Join(outDir, name, variant) }

// Made reports whether a scenario has been recorded.
func Made(name string) bool {
	_, err := os.Stat(filepath.Join(Dir(name, "fault"), "app.json"))
	return err == nil
}

// runLimit ends a scenario that hangs.
const runLimit = 60 * time.Second

// Record records scenarios one after the other, and goes on after one that fails.
func Record(ctx context.Context, chosen []scenario.Scenario) error {
	if err := world.RemoveLeftovers(); err != nil {
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
func recordBoth(ctx context.Context, s scenario.Scenario) error {
	fault, err := recordVariant(ctx, s, false, Dir(s.Name, "fault"))
	if err != nil {
		return fmt.Errorf("%s: %w", s.Name, err)
	}
	line := fmt.Sprintf("%-40s %3d requests %9.1f ms", s.Name, len(fault.Requests), fault.Total)
	if s.Fix != nil {
		fixed, err := recordVariant(ctx, s.Cured(), true, Dir(s.Name, "fixed"))
		if err != nil {
			return fmt.Errorf("%s, fixed: %w", s.Name, err)
		}
		line += fmt.Sprintf("   fixed %9.1f ms   saved %9.1f ms",
			fixed.Total, fault.Total-fixed.Total)
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

// recordVariant runs the scenario and writes its captures and log into dir.
func recordVariant(ctx context.Context, s scenario.Scenario, fixed bool, dir string) (Log, error) {
	var best Log
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

func recordOnce(ctx context.Context, s scenario.Scenario, fixed bool) (Log, world.Captures, error) {
	ctx, cancel := context.WithTimeout(ctx, runLimit)
	defer cancel()
	w, err := world.New(s.Link, s.Sysctls, s.Snap())
	if err != nil {
		return Log{}, world.Captures{}, err
	}
	defer w.Close()
	if err := w.SetRoutes(s.ServerRoute, s.ClientRoute); err != nil {
		return Log{}, world.Captures{}, err
	}
	canary := world.StartCanary()
	log, sees, keys, err := play(ctx, s, w)
	late := canary.Close()
	if err != nil {
		return Log{}, world.Captures{}, err
	}
	c, err := w.Finish(ctx)
	if err != nil {
		return Log{}, c, err
	}
	return Log{
		Scenario: s.Name,
		Fixed:    fixed,
		Kernel:   world.Kernel(),
		Total:    log.Total(),
		Requests: log.Requests,
		Served:   sees.Served,
		Kernels:  sees.Kernel,
		Keys:     keys,
		LateMS:   float64(max(late, c.Late).Microseconds()) / 1000,
		Programs: []string{"server: " + s.Server.About(), "client: " + s.Client.About()},
	}, c, nil
}

// play starts the server, drives the client and stops the server. The key log is that of programs
// that were told of it by their environment, too.
func play(
	ctx context.Context, s scenario.Scenario, w *world.World,
) (*peer.RequestLog, *peer.Observer, []byte, error) {
	dir, err := os.MkdirTemp("", "tcpwhy-lab-")
	if err != nil {
		return nil, nil, nil, err
	}
	defer os.RemoveAll(dir)
	e := &peer.Env{World: w, Dir: dir, V6: s.IPv6, Log: peer.NewRequestLog()}
	e.Sees.Start = e.Log.Start
	if err := os.Setenv("SSLKEYLOGFILE", e.KeyLog()); err != nil {
		return nil, nil, nil, err
	}
	stop, err := s.Server.Start(ctx, e)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("start the server: %w", err)
	}
	err = s.Client.Drive(ctx, e)
	// The client's last words arrive before the server is stopped, so that its end is not part of
	// the story.
	peer.Pause(ctx, w.RoundTrip()+100*time.Millisecond)
	stop()
	keys, keysErr := os.ReadFile(e.KeyLog())
	if keysErr != nil && !os.IsNotExist(keysErr) {
		err = errors.Join(err, keysErr)
	}
	return e.Log, &e.Sees, keys, err
}

// save writes the three captures and the log.
func save(s scenario.Scenario, dir string, c world.Captures, r Log) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	write := func(name string, frames []packet.Frame) error {
		return packet.WritePcap(filepath.Join(dir, name), packet.LinkEthernet, s.Snap(), frames)
	}
	return errors.Join(write("client.pcap", c.Client), write("server.pcap", c.Server),
		write("middle.pcap", c.Middle), r.write(dir))
}
