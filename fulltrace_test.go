package main

import (
	"path/filepath"
	"testing"
	"time"

	"tcpwhy/analysis"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
)

// TestTracesAddUp traces the first exchanges and connections of every scenario: the tiles follow
// each other from beginning to end, and their labels add up to what the report says.
func TestTracesAddUp(t *testing.T) {
	t.Parallel()
	for _, dir := range sampleDirs(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			inputs := captures(t, dir)
			for n := range 2 {
				src, of := openInputs(t, inputs), (*report.TraceOf)(nil)
				_, err := analysis.Run(t.Context(), src, analysis.WithWorkers(1),
					analysis.OnExchange(
						func(_ report.Pair, x *report.ExchangeInfo) {
							if x.ID == n {
								of = &report.TraceOf{Connection: x.Connection, Exchange: x.Index}
							}
						}))
				src.Close()
				if err == nil && of != nil {
					checkTrace(t, inputs, *of)
				}
				checkTrace(t, inputs, report.TraceOf{Connection: n, Exchange: -1})
			}
		})
	}
}

func openInputs(t *testing.T, inputs []string) capture.Source {
	t.Helper()
	src, err := capture.Open(capture.Config{Inputs: inputs})
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// checkTrace checks one trace, if there is such a thing.
func checkTrace(t *testing.T, inputs []string, of report.TraceOf) {
	t.Helper()
	src := openInputs(t, inputs)
	defer src.Close()
	r, err := analysis.Run(t.Context(), src, analysis.WithWorkers(1), analysis.WithTrace(of),
		analysis.WithLimits(analysis.Limits{Occurrences: analysis.NoLimit}))
	if err != nil {
		t.Fatal(err)
	}
	if r.Trace == nil {
		if of.Exchange >= 0 {
			t.Errorf("no trace of %+v", of)
		}
		return
	}
	start, took, times := r.Trace.Conn.Start, r.Trace.Conn.Duration, r.Trace.Conn.Times
	if x := r.Trace.Exchange; x != nil {
		start, took, times = x.Start, x.Duration, x.Times
	}
	if r.Trace.MoreTiles > 0 {
		return
	}
	sums := map[report.Label]time.Duration{}
	at := start
	for _, k := range r.Trace.Tiles {
		if k.From != at {
			t.Errorf("%+v: a tile begins at %v, the one before ended at %v", of, k.From, at)
		}
		sums[k.Label] += k.To - k.From
		at = k.To
	}
	if at != start+took {
		t.Errorf("%+v: the tiles end at %v, want %v", of, at, start+took)
	}
	for _, lt := range times {
		if sums[lt.Label] != lt.Time {
			t.Errorf("%+v: %v of %s in tiles, %v in the report", of, sums[lt.Label], lt.Label, lt.Time)
		}
	}
	for _, s := range r.Trace.Segments {
		if s.Time < start || s.Time > start+took {
			t.Errorf("%+v: frame %d passed at %v, outside of it", of, s.Frame.Number(), s.Time)
		}
	}
}
