package cli

import (
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"tcpwhy/internal/cli/screen"
	"tcpwhy/output/page"
	"tcpwhy/output/view"
)

// liveScreen is the view on a terminal. The methods that may be called without one do nothing then.
type liveScreen struct {
	*screen.Screen
	picture *picture
}

// openScreen shows a view on the terminal of standard error, if there is one that a person looks at
// and types on; else it is nil. stop ends the capture; color is the choice of --color.
func openScreen(
	first *view.Snapshot, stop func(), stdout, stderr io.Writer, color string,
) *liveScreen {
	if isPipe(stdout) {
		return nil
	}
	p := &picture{
		stop: stop, ascii: asciiOnly(stderr), colored: wantsColor(color, stderr), stderr: stderr,
	}
	p.latest.Store(first)
	s, err := screen.Open(stderr, p)
	if err != nil {
		return nil
	}
	return &liveScreen{s, p}
}

// isPipe reports whether another program reads what is written to w: it may want the terminal for
// itself, as a pager does.
func isPipe(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeNamedPipe != 0
}

// stands reports whether there is one that works.
func (s *liveScreen) stands() bool { return s != nil && !s.picture.failed.Load() }

// show shows what is known now. It never waits.
func (s *liveScreen) show(snap *view.Snapshot) {
	s.picture.latest.Store(snap)
	s.Redraw()
}

// leave gives the terminal back.
func (s *liveScreen) leave() {
	if s != nil {
		s.Leave()
	}
}

// close is leave, and waits for what is being drawn.
func (s *liveScreen) close() {
	if s != nil {
		s.Close()
	}
}

// picture is what a liveScreen shows.
type picture struct {
	latest         atomic.Pointer[view.Snapshot]
	state          view.State
	stop           func()
	ascii, colored bool
	stderr         io.Writer
	failed         atomic.Bool
}

// styles are how the styles of lines look. Where nothing is to be coloured, the line that a person
// has chosen stands out all the same.
var styles = map[view.Style]string{
	view.Head: "\x1b[1;7m", view.Selected: "\x1b[7m", view.Strong: string(page.Strong),
}

// Draw implements screen.Picture.
func (p *picture) Draw(columns, rows int) []screen.Line {
	size := view.Size{Columns: columns, Rows: rows, ASCII: p.ascii}
	var lines []screen.Line
	for _, l := range view.Lines(p.latest.Load(), &p.state, size) {
		line := screen.Line{Text: l.Text}
		if p.colored || l.Style == view.Selected {
			line.Style = styles[l.Style]
		}
		lines = append(lines, line)
	}
	return lines
}

// Key implements screen.Picture.
func (p *picture) Key(key string) (quit bool) { return p.state.Key(key, p.latest.Load()) }

// Quit implements screen.Picture.
func (p *picture) Quit() { p.stop() }

// Failed implements screen.Picture.
func (p *picture) Failed(any) {
	p.failed.Store(true)
	fmt.Fprintln(
		p.stderr,
		"tcpwhy: warning: this program has a defect: its screen is gone, and the "+
			"capture goes on; --debug-panics and --lines show more",
	)
}

// switched writes to one writer, and later to another.
type switched struct {
	mu sync.Mutex
	to io.Writer
}

// turn changes where it writes to.
func (s *switched) turn(to io.Writer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.to = to
}

// Write implements io.Writer.
func (s *switched) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.to.Write(p)
}
