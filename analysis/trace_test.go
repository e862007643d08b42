package analysis

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly/tcptext"
)

// traced is the report of one connection with a trace.
func traced(t *testing.T, k *talk, of report.TraceOf) *report.Report {
	t.Helper()
	segs, err := tcptext.Parse(join(k.lines))
	if err != nil {
		t.Fatal(err)
	}
	src := &memorySource{segs: segs}
	src.stats.Frames = uint64(len(segs))
	r, err := Run(t.Context(), src, WithWorkers(2), WithTrace(of),
		WithLimits(Limits{Occurrences: NoLimit}))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func join(lines []string) string {
	s := ""
	for _, l := range lines {
		s += l + "\n"
	}
	return s
}

// checkTiles checks that the tiles follow each other from start to end, and that each label's add
// up to what times say.
func checkTiles(t *testing.T, tiles []report.Tile, start, end time.Duration, times []report.LabelTime) {
	t.Helper()
	sums := map[report.Label]time.Duration{}
	at := start
	for _, k := range tiles {
		if k.From != at || k.To <= k.From {
			t.Errorf("a tile goes from %v to %v; the one before ended at %v", k.From, k.To, at)
		}
		at = k.To
		sums[k.Label] += k.To - k.From
	}
	if at != end {
		t.Errorf("the tiles end at %v, want %v", at, end)
	}
	for _, lt := range times {
		if sums[lt.Label] != lt.Time {
			t.Errorf("%s: tiles of %v, ledger of %v", lt.Label, sums[lt.Label], lt.Time)
		}
	}
}

// twoHeld is a connection with two requests in two pieces, the second held until a late ACK.
func twoHeld() *talk {
	k := newTalk(40000).open(0, 0.010)
	for i := range 2 {
		at := 0.1 + float64(i)
		head := "POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\n\r\n"
		k.ask(at, head)
		k.line("%.6f < . %d:%d(0) ack %d", at+0.050, k.s, k.s, k.c)
		k.ask(at+0.0501, "body").answer(at+0.0651, "HTTP/1.1 204 No Content\r\n\r\n").ack(at + 0.06511)
	}
	return k.bye(3, 0.010)
}

func TestTraceOfExchange(t *testing.T) {
	r := traced(t, twoHeld(), report.TraceOf{Connection: 0, Exchange: 1})
	if r.Trace == nil || r.Trace.Exchange == nil || r.Trace.Conn == nil {
		t.Fatalf("trace is %+v", r.Trace)
	}
	x := r.Trace.Exchange
	if x.ID != 1 || x.Index != 1 {
		t.Errorf("exchange %d, index %d, want 1", x.ID, x.Index)
	}
	checkTiles(t, r.Trace.Tiles, x.Start, x.Start+x.Duration, x.Times)
	if n := len(r.Trace.Segments); n != 4 {
		t.Errorf("%d segments, want request, ACK, body and response", n)
	}
	held := r.Trace.Segments[2]
	if held.Cause.Frame != r.Trace.Segments[1].Frame || held.Len != 4 {
		t.Errorf("the held piece, of %d octets, was released by frame %d", held.Len, held.Cause.Frame)
	}
	late := slices.IndexFunc(r.Trace.Tiles, func(k report.Tile) bool { return k.Label == report.NagleDelack })
	if late < 0 || r.Trace.Tiles[late].End.Frame != held.Frame {
		t.Errorf("no tile of a Nagle hold that the held piece ended: %+v", r.Trace.Tiles)
	}
}

func TestTraceOfConnection(t *testing.T) {
	r := traced(t, twoHeld(), report.TraceOf{Connection: 0, Exchange: -1})
	c := r.Trace.Conn
	checkTiles(t, r.Trace.Tiles, c.Start, c.Start+c.Duration, c.Times)
	if uint64(len(r.Trace.Segments)) != r.Capture.Frames {
		t.Errorf("%d segments, want all %d", len(r.Trace.Segments), r.Capture.Frames)
	}
}

// TestTracePipelined: the wait behind another response is a tile of its own.
func TestTracePipelined(t *testing.T) {
	ask, answer := "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n"
	k := newTalk(40000).open(0, 0.010).ask(0.1, ask).ask(0.101, ask).answer(0.2, answer).answer(0.25, answer).ack(0.2501).bye(1, 0.010)
	r := traced(t, k, report.TraceOf{Connection: 0, Exchange: 1})
	x := r.Trace.Exchange
	checkTiles(t, r.Trace.Tiles, x.Start, x.Start+x.Duration, x.Times)
}

// TestTraceOfNothing: what does not exist has no trace.
func TestTraceOfNothing(t *testing.T) {
	for _, of := range []report.TraceOf{{Connection: 5, Exchange: -1}, {Connection: 0, Exchange: 7}, {Connection: 5, Exchange: 0}} {
		if r := traced(t, twoHeld(), of); r.Trace != nil {
			t.Errorf("%+v: trace %+v", of, r.Trace)
		}
	}
}

// TestTraceIsBounded: a long transfer is cut, and says by how much.
func TestTraceIsBounded(t *testing.T) {
	k := newTalk(40000).open(0, 0.010).ask(0.1, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	k.answer(0.11, fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", 3000*100))
	for i := range 3000 {
		k.line("%.6f < . %d:%d(100) ack %d", 0.11+float64(i+1)*0.005, k.s, k.s+100, k.c)
		k.s += 100
	}
	r := traced(t, k.ack(16).bye(17, 0.010), report.TraceOf{Connection: 0, Exchange: -1})
	tr := r.Trace
	if len(tr.Segments) != ledger.MaxTraced || uint64(tr.MoreSegments+ledger.MaxTraced) != r.Capture.Frames {
		t.Errorf("%d segments and %d more", len(tr.Segments), tr.MoreSegments)
	}
	if len(tr.Tiles) > ledger.MaxTraced || tr.MoreTiles == 0 {
		t.Errorf("%d tiles and %d more", len(tr.Tiles), tr.MoreTiles)
	}
}

func TestExchangesAreNumbered(t *testing.T) {
	segs, err := tcptext.Parse(join(twoHeld().lines))
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[int]*report.TraceOf{0: {Connection: 0, Exchange: 0}, 1: {Connection: 0, Exchange: 1}, 2: nil} {
		src := &memorySource{segs: slices.Clone(segs), stats: capture.Stats{}}
		var of *report.TraceOf
		_, err := Run(t.Context(), src, OnExchange(func(_ report.Pair, x *report.ExchangeInfo) {
			if x.ID == id {
				of = &report.TraceOf{Connection: x.Connection, Exchange: x.Index}
			}
		}))
		if err != nil || (of == nil) != (want == nil) || of != nil && *of != *want {
			t.Errorf("exchange %d: %+v, %v, want %+v", id, of, err, want)
		}
	}
}
