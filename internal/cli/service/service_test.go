//go:build unix

package service

import (
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// started is a manager that was opened with an environment, and what it has been told since.
func started(t *testing.T, env ...string) (*Manager, func() []string) {
	t.Helper()
	at := &net.UnixAddr{Name: filepath.Join(t.TempDir(), "notify"), Net: "unixgram"}
	socket, err := net.ListenUnixgram("unixgram", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	env = append(env, "NOTIFY_SOCKET="+at.Name)
	m := Open(func(name string) string {
		for _, e := range env {
			if value, is := strings.CutPrefix(e, name+"="); is {
				return value
			}
		}
		return ""
	})
	if m == nil {
		t.Fatal("nobody is told")
	}
	t.Cleanup(m.Close)
	return m, func() (told []string) {
		for {
			room := make([]byte, 1000)
			socket.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
			n, err := socket.Read(room)
			if err != nil {
				return told
			}
			told = append(told, string(room[:n]))
		}
	}
}

func seen() string { return "7 frames" }

// TestTold: what is told in a life, and that the watchdog is fed by ticks alone.
func TestTold(t *testing.T) {
	m, told := started(t, "WATCHDOG_USEC=30000000")
	check := func(when string, want ...string) {
		t.Helper()
		if got := told(); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
	}
	at := time.Now()
	m.Ready()
	check("begun", "READY=1")
	m.Tick(at, seen)
	check("first tick", "WATCHDOG=1", "STATUS=7 frames")
	m.Tick(at.Add(9*time.Second), seen)
	check("soon after")
	m.Tick(at.Add(10*time.Second), seen)
	check("after a third of its time", "WATCHDOG=1", "STATUS=7 frames")
	time.Sleep(50 * time.Millisecond)
	check("nobody ticks")
	m.Stopping()
	check("over", "STOPPING=1\nSTATUS=the report is being written", "WATCHDOG=1")
}

func TestNoWatchdog(t *testing.T) {
	for _, env := range [][]string{
		{}, {"WATCHDOG_USEC=0"}, {"WATCHDOG_USEC=often"},
		{"WATCHDOG_USEC=30000000", "WATCHDOG_PID=1"},
	} {
		m, told := started(t, env...)
		m.Tick(time.Now(), seen)
		if got := told(); !slices.Equal(got, []string{"STATUS=7 frames"}) {
			t.Errorf("%v: %q", env, got)
		}
	}
}

// TestNobody: without a manager nothing is told, and nothing fails.
func TestNobody(t *testing.T) {
	for _, name := range []string{"", "/nowhere/notify"} {
		m := Open(func(string) string { return name })
		if m != nil {
			t.Errorf("%q is told", name)
		}
		m.Ready()
		m.Tick(time.Now(), seen)
		m.Stopping()
		m.Close()
	}
}

// TestManagerHangs: a manager that reads nothing does not hold up the capture.
func TestManagerHangs(t *testing.T) {
	m, _ := started(t, "WATCHDOG_USEC=3")
	begun := time.Now()
	for i := range 400 { // more than a socket holds
		m.Tick(begun.Add(time.Duration(i)*time.Second), seen)
	}
	if took := time.Since(begun); took > 400*3*patience {
		t.Errorf("it took %v", took)
	}
}
