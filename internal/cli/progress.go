package cli

import (
	"fmt"
	"io"
	"time"

	"tcpwhy/capture"
)

// Progress is shown once reading takes longer than a person waits without wondering, and then a few
// times a second.
const (
	progressAfter = 2 * time.Second
	progressEvery = 250 * time.Millisecond
	progressStep  = 1 << 13 // segments between two looks at the clock
)

// progress is a source that says on a terminal how much it has handed out.
type progress struct {
	capture.Source
	w       io.Writer
	started time.Time
	shown   time.Time
	calls   int
}

func newProgress(src capture.Source, w io.Writer) *progress {
	return &progress{Source: src, w: w, started: time.Now()}
}

// Next hands out the next segment.
func (p *progress) Next(seg *capture.Segment) error {
	if p.calls++; p.calls%progressStep == 0 {
		p.show(time.Now())
	}
	return p.Source.Next(seg)
}

// show writes the line over the one before.
func (p *progress) show(now time.Time) {
	if now.Sub(p.started) < progressAfter || now.Sub(p.shown) < progressEvery {
		return
	}
	p.shown = now
	s := p.Source.Stats()
	fmt.Fprintf(p.w, "\r\x1b[Ktcpwhy: %d frames, %d MB read%s", s.Frames, s.Bytes>>20, p.part())
}

// part is which part of the files has been read; "" if that is not known.
func (p *progress) part() string {
	src, ok := p.Source.(interface{ Progress() (read, of int64) })
	if !ok {
		return ""
	}
	read, of := src.Progress()
	if of <= 0 {
		return ""
	}
	return fmt.Sprintf(", %d %%", min(100, 100*read/of))
}

// clear removes the line.
func (p *progress) clear() {
	if !p.shown.IsZero() {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
