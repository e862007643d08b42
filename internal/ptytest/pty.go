//go:build linux

package ptytest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Terminal is a pseudo-terminal on which a program runs, and what that wrote.
type Terminal struct {
	t      *testing.T
	master *os.File
	Slave  *os.File // the program's side
	Cmd    *exec.Cmd
	Before unix.Termios // its settings before the program began
	mu     sync.Mutex
	text   bytes.Buffer
	read   chan struct{}
}

// Start runs a program on a terminal of a size, which controls it: its standard error, and its
// standard output and input unless they are set. It is killed when the test ends.
func Start(t *testing.T, cmd *exec.Cmd, columns, rows int) *Terminal {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	fd := int(master.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	p := &Terminal{t: t, master: master, Slave: slave, Cmd: cmd, read: make(chan struct{})}
	p.Resize(columns, rows)
	p.Before = p.Settings()
	if cmd.Stdin == nil {
		cmd.Stdin = slave
	}
	if cmd.Stdout == nil {
		cmd.Stdout = slave
	}
	cmd.Stderr = slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 2}
	cmd.Env = append(os.Environ(), "TERM=xterm-256color", "LANG=C.UTF-8", "LC_ALL=C.UTF-8")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.read)
		b := make([]byte, 1<<16)
		for {
			n, err := master.Read(b)
			p.mu.Lock()
			p.text.Write(b[:n])
			p.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		slave.Close()
		master.Close()
	})
	return p
}

// Resize changes the size of the terminal.
func (p *Terminal) Resize(columns, rows int) {
	p.t.Helper()
	size := unix.Winsize{Row: uint16(rows), Col: uint16(columns)}
	if err := unix.IoctlSetWinsize(int(p.master.Fd()), unix.TIOCSWINSZ, &size); err != nil {
		p.t.Fatal(err)
	}
}

// Type sends what a person types.
func (p *Terminal) Type(keys string) {
	p.t.Helper()
	if _, err := p.master.WriteString(keys); err != nil {
		p.t.Fatal(err)
	}
}

// Text is what was written so far.
func (p *Terminal) Text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// Await waits for something to be written behind what was there before, and gives what is behind
// that.
func (p *Terminal) Await(behind int, want string) (end int) {
	p.t.Helper()
	for began := time.Now(); time.Since(began) < 20*time.Second; time.Sleep(10 * time.Millisecond) {
		text := p.Text()
		if i := strings.Index(text[behind:], want); i >= 0 {
			return behind + i + len(want)
		}
	}
	p.t.Fatalf("no %q in %q", want, p.Text()[behind:])
	return 0
}

// Settings are those of the terminal now.
func (p *Terminal) Settings() unix.Termios {
	p.t.Helper()
	s, err := unix.IoctlGetTermios(int(p.Slave.Fd()), unix.TCGETS)
	if err != nil {
		p.t.Fatal(err)
	}
	return *s
}

// Wait waits for the program's end, and gives all that it wrote.
func (p *Terminal) Wait() (text string, state *os.ProcessState) {
	p.t.Helper()
	timer := time.AfterFunc(20*time.Second, func() { p.Cmd.Process.Kill() })
	defer timer.Stop()
	// How it ended is in its state.
	_ = p.Cmd.Wait()
	time.Sleep(50 * time.Millisecond) // what it wrote last is read
	return p.Text(), p.Cmd.ProcessState
}
