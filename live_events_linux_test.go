package main

import (
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestLiveTellsInSilence breaks off a response, and then nothing follows: that it was not repeated either is certain three
// seconds later, and is told then.
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
		if took := time.Since(last); took > 4*time.Second {
			t.Errorf("it came %v after the last frame", took)
		}
	case <-time.After(8 * time.Second):
		t.Error("nothing was told")
	}
	if status := live.end(syscall.SIGTERM); status != exitOK {
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
	if status := live.end(nil); status != exitOK {
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
