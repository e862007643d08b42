//go:build linux

// Package program runs programs of others as servers, clients and proxies.
package program

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"tcpwhy/lab/internal/peer"
	"tcpwhy/lab/internal/world"
)

// nearProxy is where a proxy listens in the client's namespace.
const (
	nearProxy = "127.0.0.1:8081"
	nearPort  = 8081
)

// serve starts a server program and waits until its port is open.
func serve(ctx context.Context, e *peer.Env, name string, args ...string) (func(), error) {
	return startListening(ctx, e.Server, world.ServerPort, name, args...)
}

// startNear starts a proxy in the client's namespace, to which clients then send.
func startNear(ctx context.Context, e *peer.Env, name string, args ...string) (func(), error) {
	stop, err := startListening(ctx, e.Client, nearPort, name, args...)
	if err == nil {
		e.Target = nearProxy
	}
	return stop, err
}

// startListening starts a program and waits, for five seconds at most, until it listens.
func startListening(
	ctx context.Context, n *world.Namespace, port int, name string, args ...string,
) (stop func(), err error) {
	p, err := world.Start(n, name, args...)
	if err != nil {
		return nil, err
	}
	for range 500 {
		if world.Listening(n, port) {
			return p.Stop, nil
		}
		select {
		case <-p.Done:
			return nil, fmt.Errorf("%s ended: %s", name, strings.TrimSpace(p.Output.String()))
		case <-ctx.Done():
			p.Stop()
			return nil, ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	p.Stop()
	return nil, fmt.Errorf("%s does not listen: %s", name, strings.TrimSpace(p.Output.String()))
}

// place writes a file for a program.
func place(e *peer.Env, name, text string) (string, error) {
	path := filepath.Join(e.Dir, name)
	return path, os.WriteFile(path, []byte(text), 0o644)
}

// Version is the first line that a program says of itself.
func Version(name string, args ...string) string {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return name + " (version unknown)"
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return line
}

// run runs a program in the client's namespace to its end, and returns what it printed.
func run(ctx context.Context, e *peer.Env, name string, args ...string) (string, error) {
	p, err := world.Start(e.Client, name, args...)
	if err != nil {
		return "", err
	}
	select {
	case <-p.Done:
		return strings.TrimSpace(p.Output.String()), nil
	case <-ctx.Done():
		p.Stop()
		return "", ctx.Err()
	}
}

// runClient runs a client program that prints one request of the log as JSON on each line.
func runClient(ctx context.Context, e *peer.Env, name string, args ...string) error {
	output, err := run(ctx, e, name, args...)
	if err != nil {
		return err
	}
	for _, line := range strings.Split(output, "\n") {
		var r peer.Request
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			return fmt.Errorf("%s printed %q", name, line)
		}
		e.Log.Requests = append(e.Log.Requests, r)
	}
	return nil
}

// runTool runs a program that prints requests of the log as JSON among other lines.
func runTool(ctx context.Context, e *peer.Env, name string, args ...string) error {
	output, err := run(ctx, e, name, args...)
	if err != nil {
		return err
	}
	found := false
	for _, line := range strings.Split(output, "\n") {
		var r peer.Request
		if strings.HasPrefix(line, "{") && json.Unmarshal([]byte(line), &r) == nil {
			e.Log.Requests = append(e.Log.Requests, r)
			found = true
		}
	}
	if !found {
		return fmt.Errorf("%s printed %q", name, output)
	}
	return nil
}
