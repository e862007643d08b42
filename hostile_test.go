package main

import (
	"flag"
	"io"
	"runtime"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"tcpwhy/analysis"
	"tcpwhy/analysis/report"
	"tcpwhy/bench/hostile/traffic"
	"tcpwhy/capture"
	"tcpwhy/internal/cli"
	"tcpwhy/output"
	"tcpwhy/output/json"
	"tcpwhy/output/text"
)

// The hostile inputs are as long as docs/robustness.md says with -hostile 1000000; go test makes
// them shorter.
var hostileSize = flag.Int("hostile", hostileShort, "segments of each hostile capture")

// The bounds of what a hostile capture may cost.
const (
	hostileMemory = 300 << 20             // octets of heap
	hostileShort  = 30_000                // segments, unless told otherwise
	hostileTime   = 60 * time.Microsecond // for each segment, several times what is measured
)

// madeSource makes the segments of a capture one by one, so that only what the program keeps is
// held.
type madeSource struct {
	n, next int
	make    func(i int, s *capture.Segment)
	stats   capture.Stats
	peak    uint64
}

func (m *madeSource) Next(s *capture.Segment) error {
	if m.next%8192 == 0 {
		m.sample()
	}
	if m.next >= m.n {
		return io.EOF
	}
	*s = capture.Segment{Window: 65535, TTL: 64, Flags: capture.ACK}
	s.Time = time.Duration(m.next) * 10 * time.Microsecond
	m.make(m.next, s)
	s.Len = max(s.Len, uint32(len(s.Payload)))
	m.next++
	s.Frame = capture.NewFrameID(0, uint64(m.next))
	m.stats.Frames++
	m.stats.Count[capture.OutcomeSegment]++
	m.stats.End = max(m.stats.End, s.Time)
	return nil
}

func (m *madeSource) Stats() *capture.Stats { return &m.stats }
func (m *madeSource) Close() error          { return nil }

// sample notes the most memory that was in use, garbage included.
func (m *madeSource) sample() {
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	m.peak = max(m.peak, mem.HeapInuse+mem.StackInuse)
}

// TestHostile analyses captures that are made to exhaust memory or time, and checks that they do
// not.
func TestHostile(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	for _, h := range traffic.All() {
		t.Run(h.Name, func(t *testing.T) {
			cli.LimitMemory()
			debug.FreeOSMemory()
			src := &madeSource{n: *hostileSize, make: h.Make}
			src.stats.Inputs = []capture.Input{{Name: "made", Complete: true}}
			src.stats.Interfaces = []capture.Interface{{Resolution: 1}}
			began := time.Now()
			r, err := analysis.Run(t.Context(), src, analysis.WithWorkers(1))
			if err != nil {
				t.Fatal(err)
			}
			src.sample()
			if err := json.Write(io.Discard, r, json.Options{}); err != nil {
				t.Error(err)
			}
			if err := text.Write(io.Discard, r, text.Options{}); err != nil {
				t.Error(err)
			}
			src.sample()
			took := time.Since(began)
			for _, f := range output.Formats() {
				if err := f.Write(io.Discard, r, output.Options{}); err != nil {
					t.Errorf("%s: %v", f.Name, err)
				}
			}
			t.Logf(
				"| %s | %d | %.2f s | %.2f µs | %d MB | %d connections, %d exchanges, %d findings, %v",
				h.Name,
				src.n,
				took.Seconds(),
				float64(
					took.Microseconds(),
				)/float64(
					src.n,
				),
				src.peak>>20,
				r.Connections,
				r.ExchangeCount,
				len(r.Findings),
				caveatCodes(r),
			)
			if src.peak > hostileMemory {
				t.Errorf("%d MB of memory", src.peak>>20)
			}
			// Only long captures show a time that grows faster than they do, and only when asked
			// for: a busy machine is no fault.
			if src.n > hostileShort && took > time.Duration(src.n)*hostileTime {
				t.Errorf("%v for %d segments", took, src.n)
			}
			if h.Caveat != "" && !slices.Contains(caveatCodes(r), h.Caveat) {
				t.Errorf("no caveat %s", h.Caveat)
			}
		})
	}
}

func caveatCodes(r *report.Report) []string {
	var codes []string
	for _, c := range r.Caveats {
		codes = append(codes, c.Code)
	}
	return codes
}
