package analysis

import (
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
)

// cancelling is a source that has its context cancelled after some segments.
type cancelling struct {
	endlessTalks
	cancel context.CancelFunc
	after  int
	ticks  bool // and then only ticks
}

func (s *cancelling) Next(seg *capture.Segment) error {
	if s.after--; s.after == 0 {
		s.cancel()
	}
	if s.ticks && s.after < 0 {
		return capture.ErrTick
	}
	return s.endlessTalks.Next(seg)
}

// goroutines waits a moment for what has ended to be gone, and counts the rest.
func goroutines(most int) int {
	for range 100 {
		if runtime.NumGoroutine() <= most {
			break
		}
		time.Sleep(time.Millisecond)
	}
	return runtime.NumGoroutine()
}

// TestCancelled: a cancelled analysis reads little more, gives the report so far, and leaves
// nothing that runs.
func TestCancelled(t *testing.T) {
	for _, ticks := range []bool{false, true} {
		for _, after := range []int{1, 3 * batchItems, epochItems + 1000} {
			before := runtime.NumGoroutine()
			ctx, cancel := context.WithCancel(t.Context())
			src := &cancelling{endlessTalks{talk: shortTalk(t), most: -1}, cancel, after, ticks}
			r, err := Run(ctx, src, WithWorkers(3))
			if !errors.Is(err, context.Canceled) || r == nil {
				t.Fatalf("after %d segments: %v, report %v", after, err, r != nil)
			}
			most := batchItems
			if ticks {
				most = 1
			}
			if read := -src.after; read > most {
				t.Errorf("%d segments were read after it was cancelled", read)
			}
			if after > batchItems && r.ExchangeCount == 0 {
				t.Errorf("after %d segments: the report has no exchanges", after)
			}
			if n := goroutines(before); n > before {
				t.Errorf("%d goroutines, %d before", n, before)
			}
		}
	}
}

// TestCancelledBefore: nothing is read.
func TestCancelledBefore(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(io.ErrClosedPipe)
	src := &cancelling{endlessTalks: endlessTalks{talk: shortTalk(t), most: -1}, after: -1}
	r, err := Run(ctx, src)
	if err != ctx.Err() || r == nil || r.Connections != 0 || src.after != -1 {
		t.Errorf("%v, %+v, %d segments were read", err, r, -1-src.after)
	}
}

// broken is a source that fails.
type broken struct{ memorySource }

func (*broken) Next(*capture.Segment) error { return io.ErrUnexpectedEOF }

// TestErrors: a source's error is Run's, and so are names that no rule has; both leave nothing that
// runs.
func TestErrors(t *testing.T) {
	before := runtime.NumGoroutine()
	if r, err := Run(t.Context(), &broken{}); err != io.ErrUnexpectedEOF || r == nil {
		t.Errorf("%v, report %v", err, r != nil)
	}
	for _, o := range []Option{
		WithRules([]string{"cork", "cark"}, nil),
		WithRules(nil, []string{"cark"}),
	} {
		r, err := Run(t.Context(), &broken{}, o)
		if r != nil || err == nil || !strings.Contains(err.Error(), `"cark"`) {
			t.Errorf("%v, report %v", err, r != nil)
		}
	}
	if n := goroutines(before); n > before {
		t.Errorf("%d goroutines, %d before", n, before)
	}
}

// TestLimits: zero is the default, NoLimit is none, and the later of two options counts.
func TestLimits(t *testing.T) {
	for _, tt := range []struct {
		limits Limits
		listed int
	}{
		{Limits{}, 1000}, {Limits{Listed: NoLimit}, 0}, {Limits{Listed: 7}, 7},
		{Limits{Listed: -1}, 1000},
	} {
		var o options
		WithLimits(Limits{Listed: 3})(&o)
		WithLimits(tt.limits)(&o)
		if got := o.judged().MaxListed; got != tt.listed {
			t.Errorf("%+v: %d are listed, want %d", tt.limits, got, tt.listed)
		}
	}
	few := Limits{Open: 5, HalfOpen: 6, Finished: 7, HeldOctets: 8, HeldByWorker: 9, Segments: 70}
	table, tracker := few.table(), few.tracker()
	if table.Open != 5 || table.Embryos != 6 || table.Finished != 7 {
		t.Errorf("%+v", table)
	}
	if tracker.ConnBuffer != 8 || tracker.Buffer != 9 || tracker.Records != 70 {
		t.Errorf("%+v", tracker)
	}
	if table := new(Limits).table(); table.Open != 8192 || table.Finished != 1<<17 {
		t.Errorf("%+v", table)
	}
}

// TestTold: who is told of findings and exchanges before the end is told of all that the report
// has.
func TestTold(t *testing.T) {
	var exchanges, servers int
	src := &endlessTalks{talk: shortTalk(t), most: 20000}
	r, err := Run(t.Context(), src, OnExchange(func(between report.Pair, x *report.ExchangeInfo) {
		exchanges++
		if between.Server.IsValid() && between.Client.IsValid() && x.ID == exchanges-1 {
			servers++
		}
	}))
	if err != nil || exchanges != r.ExchangeCount || servers != exchanges || exchanges == 0 {
		t.Errorf("%v: told of %d, %d with a pair and in order, want %d",
			err, exchanges, servers, r.ExchangeCount)
	}
}
