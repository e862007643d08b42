//go:build !unix

package screen

import (
	"errors"
	"io"
)

// ErrNone says that there is no terminal for a screen here.
var ErrNone = errors.New("no terminal for a screen")

// Screen is a terminal with a picture; there is none on this system.
type Screen struct{ io.Writer }

// Open is always ErrNone.
func Open(io.Writer, Picture) (*Screen, error) { return nil, ErrNone }

// Leave does nothing.
func (*Screen) Leave() {}

// Close does nothing.
func (*Screen) Close() {}

// Redraw does nothing.
func (*Screen) Redraw() {}

// Aside does something.
func (*Screen) Aside(do func() error) error { return do() }
