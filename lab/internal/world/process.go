//go:build linux

package world

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// A Process is a program running inside a namespace.
type Process struct {
	Output bytes.Buffer  // what it printed; valid when Done
	Done   chan struct{} // closed when it has ended

	cmd *exec.Cmd
}

// Start runs a program in the namespace, in its own process group.
func Start(n *Namespace, name string, args ...string) (*Process, error) {
	p := &Process{cmd: exec.Command(name, args...), Done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.Output, &p.Output
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := n.Do(p.cmd.Start); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		p.cmd.Wait()
		close(p.Done)
	}()
	return p, nil
}

// Stop ends the whole group: kindly, then not.
func (p *Process) Stop() {
	group := -p.cmd.Process.Pid
	syscall.Kill(group, syscall.SIGTERM)
	select {
	case <-p.Done:
	case <-time.After(2 * time.Second):
	}
	syscall.Kill(group, syscall.SIGKILL)
	<-p.Done
}

// Listening reports whether somebody listens on a port. It looks into the namespace's table of
// sockets, where state 0A is LISTEN: a connection would be part of the recording.
func Listening(n *Namespace, port int) bool {
	want := fmt.Sprintf(":%04X ", port)
	found := false
	n.Do(func() error {
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
