package main

import (
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"tcpwhy/internal/cli"
)

// TestLiveTellsInSilence breaks off a response, and then nothing follows: that it was not repeated
// either is certain three seconds later, and is told then.
func TestLiveTellsInSilence(t *testing.T) {
	l := newLiveLab(t)
	var listener net.Listener
	l.in(l.b, func() (err error) { listener, err = net.Listen("tcp", "10.77.0.2:8080"); return err })
	defer listener.Close()
	go func() {
		c, err := listener.Accept()
		if err != nil {
			return
		}
		c.Read(make([]byte, 1000))
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nthis is not all")
		c.Close()
	}()
	live := l.listen(l.a, "-i", "v0", "-F", "ndjson")
	c := l.dial(l.a, "10.77.0.2:8080")
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: test\r\n\r\n")
	if _, err := io.Copy(io.Discard, c); err != nil {
		t.Fatal(err)
	}
	c.Close()
	last := time.Now()
	select {
	case line := <-live.lines:
		if !strings.Contains(line, `{"type":"occurrence"`) || !strings.Contains(line, `"rule":"truncated-response"`) {
			t.Errorf("the first line is %s", line)
		}
		// 3.2 s on a machine that is not busy
		t.Logf("it came %v after the last frame", time.Since(last))
	case <-time.After(20 * time.Second):
		t.Error("nothing was told")
	}
	if status := live.end(syscall.SIGTERM); status != cli.ExitOK {
		t.Fatalf("status %d: %s", status, live.stderr)
	}
}

// TestLiveInterface takes the interface down and up, and then away.
func TestLiveInterface(t *testing.T) {
	l := newLiveLab(t)
	l.serve(l.b, "10.77.0.2:8080", 100)
	live := l.listen(l.a, "-i", "v0", "-F", "json", "-q")
	l.ask(l.dial(l.a, "10.77.0.2:8080"), 1, 100)
	l.ip("-n", l.a, "link", "set", "v0", "down")
	time.Sleep(200 * time.Millisecond)
	l.ip("-n", l.a, "link", "set", "v0", "up")
	l.ask(l.dial(l.a, "10.77.0.2:8080"), 1, 100)
	l.ip("-n", l.a, "link", "del", "v0")
	if status := live.end(nil); status != cli.ExitOK {
		t.Fatalf("status %d: %s", status, live.stderr)
	}
	report := decode(t, live.stdout.Bytes())
	if n := count(report, "summary", "exchanges"); n != 2 {
		t.Errorf("%d exchanges, want 2", n)
	}
	in := report["capture"].(map[string]any)["inputs"].([]any)[0].(map[string]any)
	if in["complete"] != false || in["error"] != "the interface was removed" {
		t.Errorf("input %v", in)
	}
	if !strings.Contains(live.stderr.String(), "tcpwhy: warning: v0: the interface was removed") {
		t.Errorf("stderr %q", live.stderr)
	}
}

// TestLiveInterfaceComesBack removes an interface and makes it again: a capture of any goes on, one
// of the interface ends with its report, and can be started again.
func TestLiveInterfaceComesBack(t *testing.T) {
	l := newLiveLab(t)
	l.serve(l.b, "0.0.0.0:8080", 100)
	all := l.listen(l.a, "-i", "any", "-F", "json", "-q")
	one := l.listen(l.a, "-i", "v0", "-F", "json", "-q")
	l.ask(l.dial(l.a, "10.77.0.2:8080"), 1, 100)
	l.ip("-n", l.a, "link", "del", "v0")
	if status := one.end(nil); status != cli.ExitOK {
		t.Fatalf("status %d: %s", status, one.stderr)
	}
	out, err := exec.Command(l.file("tcpwhy"), "-i", "v0").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "there is no interface of that name") {
		t.Errorf("while it is gone: %v: %s", err, out)
	}
	l.connect()
	again := l.listen(l.a, "-i", "v0", "-F", "json", "-q")
	l.ask(l.dial(l.a, "10.77.0.2:8080"), 2, 100)
	for r, want := range map[*running]int{again: 2, all: 3} {
		if status := r.end(os.Interrupt); status != cli.ExitOK {
			t.Fatalf("status %d: %s", status, r.stderr)
		}
		report := decode(t, r.stdout.Bytes())
		in := report["capture"].(map[string]any)["inputs"].([]any)[0].(map[string]any)
		if n := count(report, "summary", "exchanges"); n != want || in["complete"] != true {
			t.Errorf("%v: %d exchanges, want %d; input %v", r.cmd.Args, n, want, in)
		}
	}
}

// TestLiveStopsSoon starts and stops ten times, and looks for what is left behind.
func TestLiveStopsSoon(t *testing.T) {
	l := newLiveLab(t)
	for range 10 {
		live := l.listen(l.a, "-i", "v0", "-F", "json", "-q")
		began := time.Now()
		if status := live.end(syscall.SIGTERM); status != cli.ExitOK {
			t.Fatalf("status %d: %s", status, live.stderr)
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("it took %v to stop", took)
		}
		decode(t, live.stdout.Bytes())
	}
	if n := l.listeners(l.a); n != 0 {
		t.Errorf("%d packet sockets are left", n)
	}
}
