package screen

import "golang.org/x/sys/unix"

// How the settings of a terminal are read and written.
const (
	getTermios = unix.TCGETS
	setTermios = unix.TCSETS
)
