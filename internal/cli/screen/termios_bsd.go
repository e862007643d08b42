//go:build unix && !linux

package screen

import "golang.org/x/sys/unix"

// How the settings of a terminal are read and written.
const (
	getTermios = unix.TIOCGETA
	setTermios = unix.TIOCSETA
)
