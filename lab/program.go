//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// A process is a program running inside a namespace.
type process struct {
	cmd    *exec.Cmd
	output bytes.Buffer
	done   chan struct{}
}

// start runs a program in the namespace, in its own process group.
func start(n *namespace, name string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(name, args...), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := n.do(p.cmd.Start); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// stop ends the whole group: kindly, then not.
func (p *process) stop() {
	group := -p.cmd.Process.Pid
	syscall.Kill(group, syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(2 * time.Second):
	}
	syscall.Kill(group, syscall.SIGKILL)
	<-p.done
}

// serve starts a server program and waits until its port is open, which is looked up without
// connecting: a connection would be part of the recording.
func serve(ctx context.Context, e *Env, name string, args ...string) (func(), error) {
	p, err := start(e.server, name, args...)
	if err != nil {
		return nil, err
	}
	for range 500 {
		if listening(e.server, serverPort) {
			return p.stop, nil
		}
		select {
		case <-p.done:
			return nil, fmt.Errorf("%s ended: %s", name, strings.TrimSpace(p.output.String()))
		case <-ctx.Done():
			p.stop()
			return nil, ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	p.stop()
	return nil, fmt.Errorf("%s does not listen: %s", name, strings.TrimSpace(p.output.String()))
}

// listening looks for a port in the namespace's table of sockets: state 0A is LISTEN.
func listening(n *namespace, port int) bool {
	want := fmt.Sprintf(":%04X ", port)
	found := false
	n.do(func() error {
		for _, table := range []string{"tcp", "tcp6"} {
			text, err := os.ReadFile("/proc/thread-self/net/" + table)
			if err != nil {
				return err
			}
			for _, line := range strings.Split(string(text), "\n") {
				if strings.Contains(line, want) && strings.Contains(line, " 0A ") {
					found = true
				}
			}
		}
		return nil
	})
	return found
}

// place writes a file for a program.
func place(e *Env, name, text string) (string, error) {
	path := filepath.Join(e.dir, name)
	return path, os.WriteFile(path, []byte(text), 0o644)
}

// host is the server's address without the port.
func (e *Env) host() string {
	host, _, _ := net.SplitHostPort(e.serverAddress())
	return host
}

// version is the first line that a program says of itself.
func version(name string, args ...string) string {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return name + " (version unknown)"
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return line
}
