package analysis

import (
	"tcpwhy/capture"
)

// Options choose what is analysed and how much of it is reported.
type Options struct {
	Workers        int      // goroutines that follow connections; 0: one per processor. The report does not depend on it.
	Only, Skip     []string // rules to run, rules not to run; empty: all, none
	MinSeverity    Severity // findings below it are left out
	MaxOccurrences int      // listed per finding; 0: all
	MaxListed      int      // connections and exchanges listed; 0: all
}

// Run analyses the whole source. The error is that of reading; the report holds what was read before it.
func Run(src capture.Source, opts Options) (*Report, error) {
	return nil, nil
}
