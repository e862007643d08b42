package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tcpwhy/internal/cli"
)

// ownProgram is this test's binary as the program (TestMain).
func ownProgram(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(own, args...)
	cmd.Args[0] = "tcpwhy"
	return cmd
}

// TestLiveStream writes a capture to the program's standard input: what is certain is told while it
// goes on, a report so far comes, and the last one is that of the file. Where it ends in the middle
// of a frame, that is told.
func TestLiveStream(t *testing.T) {
	t.Parallel()
	name := filepath.Join("testdata", "pcaps", "nagle-delayed-ack-request-rtt10", "capture.pcap")
	octets, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := ownProgram(t, "--live", "-", "-F", "ndjson", "--interval", "1s")
	cmd.Stderr = &stderr
	to, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out := &watched{found: make(chan string, 100)}
	cmd.Stdout = out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	for rest := octets; len(rest) > 0; { // as slowly as a capture grows
		n := min(1000, len(rest))
		to.Write(rest[:n])
		rest = rest[n:]
	}
	for _, want := range []string{`{"type":"occurrence"`, `{"type":"summary","live":true`} {
		for deadline := time.After(20 * time.Second); ; {
			select {
			case got := <-out.found:
				if !strings.Contains(got, want) {
					continue
				}
			case <-deadline:
				t.Fatalf("no %s while the stream is open: %s", want, stderr.String())
			}
			break
		}
	}
	to.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	var whole, errs bytes.Buffer
	if status := cli.Run([]string{"-F", "ndjson", name}, nil, &whole, &errs); status != cli.ExitOK {
		t.Fatal(errs.String())
	}
	stories := func(text string) (lines []string) {
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, `{"type":"finding"`) || strings.HasPrefix(line, `{"type":"exchange"`) {
				lines = append(lines, line)
			}
		}
		return lines
	}
	got, want := stories(out.text.String()), stories(whole.String())
	if len(want) == 0 || strings.Join(got, "") != strings.Join(want, "") {
		t.Errorf("%d findings and exchanges, of the file %d", len(got), len(want))
	}
	cut := ownProgram(t, "--live", "-", "-q", "-o", os.DevNull)
	cut.Stdin = bytes.NewReader(octets[:len(octets)-5])
	if text, err := cut.CombinedOutput(); err != nil || !strings.Contains(string(text), "cut within frame") {
		t.Errorf("a stream that is cut: %v: %s", err, text)
	}
}

// watched is a writer that hands on what is written, too.
type watched struct {
	text  bytes.Buffer
	found chan string
}

func (w *watched) Write(p []byte) (int, error) {
	select {
	case w.found <- string(p):
	default:
	}
	return w.text.Write(p)
}

// TestLiveStreamOfTcpdump captures with tcpdump and analyses meanwhile: reports equal those of the
// program's own capture beside it.
func TestLiveStreamOfTcpdump(t *testing.T) {
	l := newLiveLab(t)
	if _, err := exec.LookPath("tcpdump"); err != nil {
		t.Skip("needs tcpdump")
	}
	l.serve(l.b, "10.77.0.2:8080", 30000)
	own := l.listen(l.a, "-i", "v0", "-F", "json", "-q")
	piped := l.start(l.a, "sh", "-c",
		`tcpdump -i v0 -U --nano -Z root -w - tcp 2> "$0" | "$1" --live - -F json -q`,
		l.file("tcpdump.txt"), l.file("tcpwhy"))
	for range 3 {
		c := l.dial(l.a, "10.77.0.2:8080")
		l.ask(c, 4, 30000)
		c.Close()
	}
	time.Sleep(1500 * time.Millisecond) // tcpdump hands over what it has after a second
	if status := own.end(os.Interrupt); status != cli.ExitOK {
		t.Fatalf("status %d: %s", status, own.stderr)
	}
	l.ip("-n", l.a, "link", "del", "v0") // which ends tcpdump
	if status := piped.end(nil); status != cli.ExitOK {
		t.Fatalf("status %d: %s", status, piped.stderr)
	}
	a, b := decode(t, own.stdout.Bytes()), decode(t, piped.stdout.Bytes())
	if n := count(b, "summary", "exchanges"); n != 12 {
		t.Errorf("%d exchanges, want 12", n)
	}
	for _, part := range []string{"exchanges", "connections"} {
		sameReport(t, part, timeless(a[part]), timeless(b[part]))
	}
}
