package main

import (
	"fmt"
	"os"
	"testing"
	"time"

	"tcpwhy/internal/cli"
)

// TestLiveInterfaces captures from several interfaces at once, from one that comes meanwhile too,
// and not from another; the file describes each, and its report is the same.
func TestLiveInterfaces(t *testing.T) {
	l := newLiveLab(t)
	more := func(n int) {
		a, b := fmt.Sprintf("w%d", n), fmt.Sprintf("x%d", n)
		l.ip("-n", l.a, "link", "add", a, "type", "veth", "peer", "name", b, "netns", l.b)
		l.ip("-n", l.a, "addr", "add", fmt.Sprintf("10.78.%d.1/24", n), "dev", a)
		l.ip("-n", l.b, "addr", "add", fmt.Sprintf("10.78.%d.2/24", n), "dev", b)
		l.ip("-n", l.a, "link", "set", a, "up")
		l.ip("-n", l.b, "link", "set", b, "up")
	}
	more(1)
	l.serve(l.b, "0.0.0.0:8080", 1000)
	l.serve(l.a, "127.0.0.1:8080", 1000)
	saved := l.file("saved.pcapng")
	live := l.listen(l.a, "-i", "w*", "-i", "v0", "-F", "json", "-q", "-w", saved)
	v0 := l.listen(l.a, "-i", "w1", "-F", "json", "-q")
	l.ask(l.dial(l.a, "10.77.0.2:8080"), 1, 1000)
	l.ask(l.dial(l.a, "10.78.1.2:8080"), 2, 1000)
	l.ask(l.dial(l.a, "127.0.0.1:8080"), 4, 1000)
	more(2)
	time.Sleep(1500 * time.Millisecond)
	l.ask(l.dial(l.a, "10.78.2.2:8080"), 8, 1000)
	for r, want := range map[*running]int{live: 11, v0: 2} {
		if status := r.end(os.Interrupt); status != cli.ExitOK {
			t.Fatalf("status %d: %s", status, r.stderr)
		}
		if n := count(decode(t, r.stdout.Bytes()), "summary", "exchanges"); n != want {
			t.Errorf("%v: %d exchanges, want %d", r.cmd.Args, n, want)
		}
	}
	file := decode(t, analyseFile(t, saved))
	sameReport(t, "the saved file", decode(t, live.stdout.Bytes()), file)
}

// TestLiveWaits waits for an interface that is made later.
func TestLiveWaits(t *testing.T) {
	l := newLiveLab(t)
	l.ip("-n", l.a, "link", "del", "v0")
	l.serve(l.b, "0.0.0.0:8080", 100)
	time.AfterFunc(time.Second, l.connect)
	live := l.listen(l.a, "-i", "v0", "--wait", "-F", "json", "-q")
	l.ask(l.dial(l.a, "10.77.0.2:8080"), 2, 100)
	if status := live.end(os.Interrupt); status != cli.ExitOK {
		t.Fatalf("status %d: %s", status, live.stderr)
	}
	if n := count(decode(t, live.stdout.Bytes()), "summary", "exchanges"); n != 2 {
		t.Errorf("%d exchanges, want 2", n)
	}
}
