//go:build unix

package screen

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

const (
	// redrawEvery is how often the picture is drawn without anything else happening.
	redrawEvery = time.Second
	// keysFor is how long to wait for a key before looking whether the screen was left, in tenths
	// of a second.
	keysFor  = 1
	keysTime = keysFor * time.Second / 10
	// heldMost is how much may be held back of what others write, in octets.
	heldMost = 64 << 10
)

// Screen is a terminal with a picture. What is written to it while the picture stands is held back
// until it is left.
type Screen struct {
	out     *os.File // drawn on
	keys    *os.File // typed on
	picture Picture
	picking sync.Mutex // held while a method of the picture is called
	mu      sync.Mutex // held to write on the terminal, and for what follows
	before  *unix.Termios
	shown   bool
	closed  bool
	wiped   bool // the terminal is to be wiped first
	width   int
	height  int
	held    bytes.Buffer
	active  atomic.Bool // keys are read
	nudge   chan struct{}
	done    chan struct{}
	working sync.WaitGroup
}

// ErrNone says that there is no terminal for a screen here.
var ErrNone = errors.New("no terminal for a screen")

// Open shows a picture on a terminal, until Close. Keys are read from the terminal that controls
// this process, so that standard input may be something else.
func Open(out io.Writer, p Picture) (*Screen, error) {
	file, is := out.(*os.File)
	if !is || !term.IsTerminal(int(file.Fd())) || os.Getenv("TERM") == "dumb" {
		return nil, ErrNone
	}
	keys, err := os.OpenFile("/dev/tty", os.O_RDONLY, 0)
	if err != nil {
		return nil, ErrNone
	}
	s := &Screen{out: file, keys: keys, picture: p, nudge: make(chan struct{}, 1),
		done: make(chan struct{})}
	if !s.inForeground() {
		return nil, errors.Join(ErrNone, keys.Close())
	}
	if err := s.show(); err != nil {
		return nil, errors.Join(ErrNone, err, keys.Close())
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, unix.SIGWINCH, unix.SIGTSTP, unix.SIGCONT, unix.SIGHUP, unix.SIGQUIT)
	s.working.Go(func() { s.guarded(func() { s.work(signals) }); signal.Stop(signals) })
	// Nobody waits for this one: if the terminal was given back just before it reads, it waits for
	// a whole line.
	go s.guarded(s.readKeys)
	s.Redraw()
	return s, nil
}

// inForeground reports whether the terminal is this process's, so that it may change it.
func (s *Screen) inForeground() bool {
	group, err := unix.IoctlGetInt(int(s.keys.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// show takes the terminal: keys come at once and unseen, but those that are signals stay signals.
func (s *Screen) show() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	now, err := unix.IoctlGetTermios(int(s.keys.Fd()), getTermios)
	if err != nil {
		return err
	}
	if !s.shown {
		saved := *now
		s.before = &saved
	}
	now.Lflag &^= unix.ICANON | unix.ECHO
	now.Cc[unix.VMIN], now.Cc[unix.VTIME] = 0, keysFor
	if err := unix.IoctlSetTermios(int(s.keys.Fd()), setTermios, now); err != nil {
		return err
	}
	_, err = io.WriteString(s.out, enter)
	s.shown, s.wiped = true, true
	s.active.Store(true)
	return err
}

// hide gives the terminal back as it was, with what was held back.
func (s *Screen) hide() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.active.Store(false)
	if !s.shown {
		return
	}
	s.shown = false
	// There is nobody to tell of an error: the terminal is gone.
	_, _ = io.WriteString(s.out, leave)
	_ = unix.IoctlSetTermios(int(s.keys.Fd()), setTermios, s.before)
	_, _ = s.out.Write(s.held.Bytes())
	s.held.Reset()
}

// Leave gives the terminal back for good. It may be called from any goroutine, more than once.
func (s *Screen) Leave() {
	s.hide()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		close(s.done)
	}
}

// Close is Leave, and waits for what the screen still draws. It is not for methods of the picture.
func (s *Screen) Close() {
	s.Leave()
	s.working.Wait()
}

// Aside does something that writes on the terminal: what it writes stays, and the picture returns.
func (s *Screen) Aside(do func() error) error {
	was := s.active.Load()
	s.hide()
	err := do()
	if was && s.inForeground() {
		return errors.Join(err, s.show())
	}
	return err
}

// Write implements io.Writer: it writes on the terminal, now or when the picture is gone.
func (s *Screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.shown {
		return s.out.Write(p)
	}
	s.held.Write(p[:min(len(p), heldMost-s.held.Len())])
	return len(p), nil
}

// Redraw has the picture drawn soon.
func (s *Screen) Redraw() {
	select {
	case s.nudge <- struct{}{}:
	default:
	}
}

// guarded does something that may panic, after which there is no screen any more.
func (s *Screen) guarded(do func()) {
	defer func() {
		if why := recover(); why != nil {
			s.Leave()
			s.picture.Failed(why)
		}
	}()
	do()
}

// work draws, and heeds signals.
func (s *Screen) work(signals <-chan os.Signal) {
	ticker := time.NewTicker(redrawEvery)
	defer ticker.Stop()
	for {
		select {
		case <-s.done:
			return
		case <-s.nudge:
		case <-ticker.C:
		case got := <-signals:
			s.heed(got)
		}
		s.draw()
	}
}

// heed does what a signal is for.
func (s *Screen) heed(got os.Signal) {
	switch got {
	case unix.SIGTSTP:
		s.hide()
		// It stops here, and goes on here when it is to continue.
		_ = unix.Kill(unix.Getpid(), unix.SIGSTOP)
	case unix.SIGCONT:
		if s.inForeground() {
			_ = s.show() // else there is no terminal any more
		}
	case unix.SIGHUP, unix.SIGQUIT: // they end the program as ever
		s.Leave()
		signal.Reset(got)
		_ = unix.Kill(unix.Getpid(), got.(unix.Signal))
	}
}

// draw draws the picture.
func (s *Screen) draw() {
	width, height, err := term.GetSize(int(s.out.Fd()))
	if err != nil || width <= 0 || height <= 0 {
		width, height = 80, 24
	}
	s.picking.Lock()
	defer s.picking.Unlock()
	lines := s.picture.Draw(width, height)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.shown {
		return
	}
	s.wiped = s.wiped || width != s.width || height != s.height
	s.width, s.height = width, height
	// If the terminal is gone, the signal that says so comes.
	_, _ = io.WriteString(s.out, painted(lines, height, s.wiped))
	s.wiped = false
}

// readKeys hands the picture the keys that are typed.
func (s *Screen) readKeys() {
	var typed [64]byte
	for {
		select {
		case <-s.done:
			return
		default:
		}
		began := time.Now()
		n := 0
		if s.active.Load() {
			n, _ = unix.Read(int(s.keys.Fd()), typed[:])
		}
		if n <= 0 { // nothing was typed, or it is not to be read now, or the terminal is gone
			time.Sleep(keysTime - time.Since(began))
			continue
		}
		for _, key := range keysOf(typed[:n]) {
			if s.press(key) {
				s.picture.Quit()
			}
		}
		s.Redraw()
	}
}

// press hands the picture one key.
func (s *Screen) press(key string) (quit bool) {
	s.picking.Lock()
	defer s.picking.Unlock()
	return s.picture.Key(key)
}
