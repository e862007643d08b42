//go:build unix

package cli

import (
	"os"
	"syscall"
)

// reportSignals are those that ask for a report so far.
func reportSignals() []os.Signal { return []os.Signal{syscall.SIGUSR1} }
