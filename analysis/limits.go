package analysis

import (
	"cmp"
	"math"

	"tcpwhy/analysis/internal/judge"
	"tcpwhy/reassembly"
)

// Limits bound what a report lists, and what an analysis keeps in memory. Zero stands for the
// default, NoLimit for none. What does not fit is counted, and where it can change what is found,
// the report has a caveat.
type Limits struct {
	// Listed is how many findings, connections and exchanges the report lists: what findings name,
	// some of each service, what lost most, then what took longest. Totals count all. Default 1,000.
	Listed int
	// Occurrences is how many occurrences are listed of each of the first hundred findings: those
	// that cost most. Default 10.
	Occurrences int

	// Open is how many connections are followed at a time. Default 8,192; they cost up to 12 KB
	// each while an exchange is open.
	Open int
	// HalfOpen is how many connections are kept of which only SYNs of one side were seen, as a
	// flood of SYNs makes them. Default 8,192.
	HalfOpen int
	// Finished is how many connections are remembered by their addresses and ports once they are
	// over. Default 131,072.
	Finished int

	// HeldOctets is how many octets of one connection wait for others that are missing before them.
	// Default 1 MiB.
	HeldOctets int
	// HeldByWorker is the same of all connections of a worker. Default 64 MiB.
	HeldByWorker int
	// Segments is how many segments of a connection are remembered while an exchange is open.
	// Default 16,384, at least 64.
	Segments int
}

// NoLimit is a limit that is never reached.
const NoLimit = math.MaxInt

// The defaults of what a report lists.
const (
	defaultListed      = 1000
	defaultOccurrences = 10
)

// table are the limits of the connection table.
func (l *Limits) table() reassembly.TableLimits {
	t := judge.TableLimits()
	t.Open = cmp.Or(max(l.Open, 0), t.Open)
	t.Embryos = cmp.Or(max(l.HalfOpen, 0), t.Embryos)
	t.Finished = cmp.Or(max(l.Finished, 0), t.Finished)
	return t
}

// tracker are the limits of a worker's tracker, which knows its defaults.
func (l *Limits) tracker() reassembly.TrackerLimits {
	return reassembly.TrackerLimits{
		ConnBuffer: l.HeldOctets, Buffer: l.HeldByWorker, Records: l.Segments,
	}
}
