package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"tcpwhy/capture"
)

// simulatedCaptures is how many captures of the simulator the properties of captures are tried on.
const simulatedCaptures = 16

// simulatedCapture is one of them, always the same of a number: hosts and a path as drawn, every
// second one with losses, every third with Nagle's algorithm on both sides, every fourth not HTTP.
func simulatedCapture(t tester, n int) trace {
	t.Helper()
	s := rapid.Custom(func(t *rapid.T) simulation {
		s := drawSimulation(t)
		if n%2 == 1 {
			s.fate = drawLosses(t)
		}
		return s
	}).Example(n)
	s.nagle = [2]bool{n%3 == 0, n%3 == 0}
	s.opaque = n%4 == 3
	return parseTrace(t, writeCapture(t, s.run()))
}

// simulated calls check with every capture of the simulator.
func simulated(t *testing.T, check func(t *testing.T, tr trace, seed uint64)) {
	for n := range simulatedCaptures {
		t.Run(fmt.Sprintf("simulated-%d", n), func(t *testing.T) { check(t, simulatedCapture(t, n), uint64(n)) })
	}
}

// TestSimulatedHold: what holds for the report of every capture of testdata holds for those of the
// simulator (property 1).
func TestSimulatedHold(t *testing.T) {
	t.Parallel()
	simulated(t, func(t *testing.T, tr trace, _ uint64) {
		file := filepath.Join(t.TempDir(), "capture.pcap")
		if err := os.WriteFile(file, tr.pcap(t, true), 0o644); err != nil {
			t.Fatal(err)
		}
		checkReport(t, analyseConfig(t, capture.Config{Inputs: []string{file}}), []string{file})
	})
}
