package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tcpwhy/internal/ptytest"
)

// What takes the alternate screen, and what gives it back.
const (
	screenOn  = "\x1b[?1049h"
	screenOff = "\x1b[?1049l"
)

// screenOf starts the program on a terminal, analysing what comes through a pipe, and waits for its
// picture.
func screenOf(t *testing.T, args ...string) (term *ptytest.Terminal, to *os.File) {
	t.Helper()
	from, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { to.Close() })
	octets, err := os.ReadFile(filepath.Join("testdata", "pcaps", "nagle-delayed-ack-request-rtt10", "capture.pcap"))
	if err == nil {
		_, err = to.Write(octets)
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := ownProgram(t, append([]string{"--live", "-"}, args...)...)
	cmd.Stdin = from
	term = ptytest.Start(t, cmd, 80, 24)
	from.Close()
	return term, to
}

// restored checks that the terminal is as it was: the alternate screen left as often as taken, the
// cursor shown, settings as before.
func restored(t *testing.T, term *ptytest.Terminal, text string) {
	t.Helper()
	on, off := strings.Count(text, screenOn), strings.Count(text, screenOff)
	if on == 0 || on != off || strings.LastIndex(text, "\x1b[?25h") < strings.LastIndex(text, "\x1b[?25l") {
		t.Errorf("alternate screen on %d times, off %d times: %q", on, off, text)
	}
	if now := term.Settings(); now != term.Before {
		t.Errorf("settings %+v, before %+v", now, term.Before)
	}
}

// TestScreenEnds ends the program in every way while its screen stands. The terminal is as it was
// before, and the report stands on it where one is due.
func TestScreenEnds(t *testing.T) {
	ends := map[string]struct {
		do     func(*ptytest.Terminal, *os.File)
		report bool
	}{
		"q":            {func(term *ptytest.Terminal, _ *os.File) { term.Type("q") }, true},
		"Ctrl-C":       {func(term *ptytest.Terminal, _ *os.File) { term.Type("\x03") }, true},
		"end of input": {func(_ *ptytest.Terminal, to *os.File) { to.Close() }, true},
		"SIGTERM":      {func(term *ptytest.Terminal, _ *os.File) { term.Cmd.Process.Signal(syscall.SIGTERM) }, true},
		"SIGHUP":       {func(term *ptytest.Terminal, _ *os.File) { term.Cmd.Process.Signal(syscall.SIGHUP) }, false},
		"Ctrl-\\":      {func(term *ptytest.Terminal, _ *os.File) { term.Type("\x1c") }, false},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			term, to := screenOf(t)
			term.Await(0, "10.9.0.2:8080")
			if now := term.Settings(); now.Lflag&(unix.ECHO|unix.ICANON) != 0 || now.Lflag&unix.ISIG == 0 {
				t.Errorf("settings %+v while the screen stands", now)
			}
			end.do(term, to)
			text, state := term.Wait()
			restored(t, term, text)
			behind := text[strings.LastIndex(text, screenOff):]
			if state.Success() != end.report || strings.Contains(behind, "CHECKED AND QUIET") != end.report {
				t.Errorf("%v: %q", state, behind)
			}
		})
	}
}

// TestScreenKeys looks at the screen as a person does.
func TestScreenKeys(t *testing.T) {
	t.Parallel()
	term, _ := screenOf(t, "--interval", "3s")
	at := term.Await(0, "nagle-delayed-ack") // what was lost to is known by now
	term.Type("h")
	at = term.Await(at, "KEYS")
	term.Type("h\r")
	at = term.Await(at, "LATEST")
	at = term.Await(at, "frame")
	term.Resize(200, 50)
	at = term.Await(at, "\x1b[2J") // as soon as it is larger, everything anew
	term.Type("\x1b")
	at = term.Await(at, "SERVICE")
	at = term.Await(at, screenOff) // the report so far is no part of the picture
	at = term.Await(at, "CHECKED AND QUIET")
	at = term.Await(at, screenOn)
	term.Type("\x1b[B")
	term.Await(at, "\x1b[7m") // selected
	term.Type("q")
	text, state := term.Wait()
	restored(t, term, text)
	if !state.Success() || strings.Contains(text, "\x1b]") {
		t.Errorf("%v: %q", state, text)
	}
}

// TestScreenStops stops the program, as Ctrl-Z does, and has it go on.
func TestScreenStops(t *testing.T) {
	t.Parallel()
	term, _ := screenOf(t)
	at := term.Await(0, "10.9.0.2:8080")
	term.Type("\x1a")
	at = term.Await(at, screenOff)
	for began := time.Now(); stateOf(t, term.Cmd.Process.Pid) != "T"; time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			t.Fatal("it does not stop")
		}
	}
	if now := term.Settings(); now != term.Before {
		t.Errorf("while it is stopped: settings %+v, before %+v", now, term.Before)
	}
	term.Cmd.Process.Signal(syscall.SIGCONT)
	at = term.Await(at, screenOn)
	term.Await(at, "10.9.0.2:8080")
	term.Type("q")
	text, state := term.Wait()
	restored(t, term, text)
	if !state.Success() {
		t.Error(state)
	}
}

// stateOf is the state of a process, as proc(5) has it.
func stateOf(t *testing.T, pid int) string {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))[0]
}

// TestNoScreen: where nobody looks at a terminal alone, there are lines.
func TestNoScreen(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"--lines", "--quiet", "--debug-panics", "--format=ndjson"} {
		term, to := screenOf(t, flag)
		to.Close()
		text, state := term.Wait()
		if now := term.Settings(); strings.Contains(text, "\x1b[?") || now != term.Before || !state.Success() {
			t.Errorf("%s: %v: %q", flag, state, text)
		}
	}
	var pipe bytes.Buffer // a pager might be behind it
	octets, err := os.ReadFile(filepath.Join("testdata", "pcaps", "nagle-delayed-ack-request-rtt10", "capture.pcap"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := ownProgram(t, "--live", "-")
	cmd.Stdin, cmd.Stdout = bytes.NewReader(octets), &pipe
	text, state := ptytest.Start(t, cmd, 80, 24).Wait()
	if strings.Contains(text, "\x1b[?") || !state.Success() || !strings.Contains(pipe.String(), "CHECKED AND QUIET") {
		t.Errorf("%v: %q", state, text)
	}
}
