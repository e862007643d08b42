package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"tcpwhy/internal/cli"
)

// TestLiveProcesses: of a connection within this machine both ends are named, in text too; of one
// between others it is said that nobody knows whose it is.
func TestLiveProcesses(t *testing.T) {
	l := newLiveLab(t)
	l.serve(l.a, "127.0.0.1:8080", 2000)
	args := []string{
		"--processes", "--user", "root", "-q", "--duration", "1500ms", "-i", "lo",
	}
	own := fmt.Sprintf("(process %d)", os.Getpid())
	for _, format := range []string{"text", "html", "json"} {
		live := l.listen(l.a, append(args, "-F", format)...)
		c := l.dial(l.a, "127.0.0.1:8080")
		time.Sleep(300 * time.Millisecond) // a capture shows its SYN up to a tenth of a second late
		l.ask(c, 3, 2000)
		if status := live.end(nil); status != cli.ExitOK {
			t.Fatalf("%s: status %d: %s", format, status, live.stderr)
		}
		out := strings.Join(strings.Fields(live.stdout.String()), " ")
		want := own
		if format == "json" {
			want = fmt.Sprintf(`"pid": %d`, os.Getpid())
		}
		if n := strings.Count(out, want); n < 2 {
			t.Errorf("%s: this process is named %d times, as client and as server it is twice: %s",
				format, n, live.stdout)
		}
		if live.stderr.Len() > 0 || strings.Contains(out, os.Args[0]) {
			t.Errorf("%s: %s", format, live.stderr)
		}
		c.Close()
	}
	// the frames of two others, as a mirror port or another namespace has them
	live := l.listen(l.a, append(args, "-F", "json", "-i", "v0")...)
	l.inject(tagged())
	if status := live.end(nil); status != cli.ExitOK {
		t.Fatalf("status %d: %s", status, live.stderr)
	}
	if !strings.Contains(live.stdout.String(), `"process-elsewhere"`) {
		t.Errorf("it is not said that the connection is nobody's here: %s", live.stdout)
	}
}
