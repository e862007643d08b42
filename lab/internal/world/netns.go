//go:build linux

package world

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// namespacePrefix starts the name of every namespace of the lab; the process number follows, so
// that the leftovers of a killed run can be told from those of one that is still at work.
const namespacePrefix = "tcpwhy-lab-"

// A Namespace is a network namespace with a name, made by ip-netns(8).
type Namespace struct {
	name string
	file *os.File // what setns(2) takes
}

func newNamespace(role string) (*Namespace, error) {
	n := &Namespace{name: ownNamespace(role)}
	if err := ip("netns", "add", n.name); err != nil {
		return nil, err
	}
	f, err := os.Open(filepath.Join("/run/netns", n.name))
	if err != nil {
		ip("netns", "del", n.name)
		return nil, err
	}
	n.file = f
	return n, nil
}

// ownNamespace is the name that this process gives to a namespace.
func ownNamespace(role string) string {
	return fmt.Sprintf("%s%d-%s", namespacePrefix, os.Getpid(), role)
}

// remove is safe to call twice.
func (n *Namespace) remove() error {
	if n == nil || n.file == nil {
		return nil
	}
	n.file.Close()
	n.file = nil
	return ip("netns", "del", n.name)
}

// Do runs f on a thread inside the namespace. What f opens stays there; goroutines that f starts
// are outside.
func (n *Namespace) Do(f func() error) error {
	done := make(chan error, 1)
	go func() {
		// Never unlocked: the thread ends with the goroutine, so no other goroutine inherits the
		// namespace.
		runtime.LockOSThread()
		if err := unix.Setns(int(n.file.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- fmt.Errorf("enter namespace %s: %w", n.name, err)
			return
		}
		done <- f()
	}()
	return <-done
}

// sysctl sets a value below /proc/sys for this namespace, dots for slashes.
func (n *Namespace) sysctl(name, value string) error {
	return n.Do(func() error {
		path := "/proc/sys/" + strings.ReplaceAll(name, ".", "/")
		return os.WriteFile(path, []byte(value), 0)
	})
}

func ip(args ...string) error {
	out, err := exec.Command("ip", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip %s: %w: %s",
			strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// RemoveLeftovers removes the namespaces, with the processes in them, of earlier runs that no
// longer live.
func RemoveLeftovers() error {
	found, err := filepath.Glob("/run/netns/" + namespacePrefix + "*")
	if err != nil {
		return err
	}
	var errs []error
	for _, path := range found {
		name := filepath.Base(path)
		pid, _, _ := strings.Cut(strings.TrimPrefix(name, namespacePrefix), "-")
		number, err := strconv.Atoi(pid)
		if err != nil || unix.Kill(number, 0) == nil {
			continue
		}
		errs = append(errs, killInside(name), ip("netns", "del", name))
	}
	return errors.Join(errs...)
}

// killInside ends the processes of a namespace of the lab whose own process is gone.
func killInside(name string) error {
	out, err := exec.Command("ip", "netns", "pids", name).Output()
	for _, word := range strings.Fields(string(out)) {
		if pid, err := strconv.Atoi(word); err == nil {
			unix.Kill(pid, unix.SIGKILL)
		}
	}
	return err
}
