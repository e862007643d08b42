package main

import (
	"io"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"testing"

	"tcpwhy/analysis"
	"tcpwhy/capture"
	"tcpwhy/output/json"
)

// What a short connection with one exchange may cost from its first packet to its place in the
// report, all rules on and everything listed: a tenth more than it did when the figure was set. Who
// needs more raises the figure and says why; who needs less lowers it. Where the processors are busy
// with others, more batches are under way at a time: some 3 % more octets.
const (
	mostAllocations = 93
	mostOctets      = 20_900
)

// TestBudget counts what a run allocates for each connection, which depends neither on the machine
// nor on its load. What a run needs anyway is in two runs of different length, and does not count.
func TestBudget(t *testing.T) {
	info, _ := debug.ReadBuildInfo()
	if info != nil &&
		slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		t.Skip("the race detector allocates, too")
	}
	few, many := allocated(t, 20_000), allocated(t, 60_000)
	conns := float64(many.connections - few.connections)
	allocations := float64(many.allocations-few.allocations) / conns
	octets := float64(many.octets-few.octets) / conns
	t.Logf("%.1f allocations and %.0f octets a connection", allocations, octets)
	if allocations > mostAllocations {
		t.Errorf(
			"%.1f allocations a connection, at most %d: see mostAllocations",
			allocations,
			mostAllocations,
		)
	}
	if octets > mostOctets {
		t.Errorf(
			"%.0f octets allocated a connection, at most %d: see mostOctets",
			octets,
			mostOctets,
		)
	}
}

// spent is what a run allocated.
type spent struct {
	allocations, octets uint64
	connections         int
}

// allocated is what a capture of many with so many frames takes, from the file to its report.
func allocated(t *testing.T, frames int) spent {
	t.Helper()
	file := filepath.Join(t.TempDir(), "many.pcap")
	if err := run("many", "1GB", frames, "pcap", 1, file); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	src, err := capture.Open(capture.Config{Inputs: []string{file}})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	r, err := analysis.Run(t.Context(), src, analysis.WithWorkers(1))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Write(io.Discard, r, json.Options{}); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	return spent{
		after.Mallocs - before.Mallocs,
		after.TotalAlloc - before.TotalAlloc,
		r.Connections,
	}
}
