package output

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/tcptext"
)

// tracedSample is the sample with a trace of its first exchange.
func tracedSample() *report.Report {
	r := sample()
	r.Trace = &report.Trace{Exchange: &r.Exchanges[0], Conn: &r.Conns[0], MoreSegments: 1,
		Tiles: []report.Tile{
			{Label: report.TCPHandshake, From: 0, To: 10 * ms, Waits: 1},
			{Label: report.NagleDelack, From: 10 * ms, To: 50 * ms, Waits: 1, Before: mark(10, 3), Cause: mark(50, 4), End: mark(50, 5)},
			{Label: report.Serialize, From: 50 * ms, To: 52 * ms, Waits: 3, Before: mark(50, 5), End: mark(52, 7)},
		},
		Segments: []report.TracedSegment{
			{Record: record(0, 1, reassembly.FromClient, capture.SYN, -1, 0, 0)},
			{Record: record(10, 2, reassembly.FromServer, capture.SYN|capture.ACK, -1, 0, 0)},
			{Record: record(10.001, 3, reassembly.FromClient, capture.ACK|capture.PSH, 0, 180, 0)},
			{Record: record(50, 4, reassembly.FromServer, capture.ACK, 0, 0, 180)},
			{Record: record(50.0004, 5, reassembly.FromClient, capture.ACK|capture.PSH, 180, 64, 0), Cause: mark(50, 4)},
		}}
	last := &r.Trace.Segments[4]
	last.Kind, last.Trait, last.SACK = reassembly.TimeoutRetransmission, reassembly.Unseen|reassembly.Full|reassembly.Overrun, 700
	return r
}

func record(at float64, frame uint64, dir reassembly.Dir, flags capture.TCPFlags, seq int64, n uint32, ack int64) reassembly.Record {
	return reassembly.Record{Time: time.Duration(at * 1e6), Frame: capture.NewFrameID(0, frame), Dir: dir, Flags: flags, Seq: seq,
		Len: n, Ack: ack, Window: 502}
}

func traceText(t *testing.T, r *report.Report, opts TextOptions) string {
	t.Helper()
	var b bytes.Buffer
	if err := Trace(&b, r, opts); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTrace(t *testing.T) {
	text := traceText(t, tracedSample(), TextOptions{})
	for _, want := range []string{
		"Exchange ", "10.20.0.2:40000 -> 10.20.0.1:8080",
		"     10.000      50.000      40.000  Nagle hold, waiting for a late ACK: after",
		"released by frame 4", "the path's rate, 3 waits", "\n# 40.0 ms: Nagle hold, waiting for a late ACK\n",
		"\n+0.000000 > S 0:0(0) win 502 <mss 1460>  # frame 1\n", "\n+0.010000 < S. 0:0(0) ack 1 win 502  # frame 2\n",
		"\n+0.000001 > P. 1:181(180) ack 1 win 502  # frame 3\n",
		"# frame 5, timeout-retransmission, full, first-copy-unseen,", "sack up to 701", "and 1 more segment, not shown",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the trace lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, secret) || strings.Contains(text, "\x1b") {
		t.Errorf("the trace shows a secret or an escape:\n%s", text)
	}
}

// TestTraceFits: no line is wider than the page, and ASCII is ASCII.
func TestTraceFits(t *testing.T) {
	for _, width := range []int{64, 80, 132} {
		for _, line := range strings.Split(traceText(t, tracedSample(), TextOptions{Width: width, ASCII: true}), "\n") {
			if cells(line) > width {
				t.Errorf("width %d: %q", width, line)
			}
			if strings.IndexFunc(line, func(r rune) bool { return r > 0x7e }) >= 0 {
				t.Errorf("not ASCII: %q", line)
			}
		}
	}
}

// TestTraceIsTCPText: what tests read as TCP is what a trace writes.
func TestTraceIsTCPText(t *testing.T) {
	r := tracedSample()
	_, segments, _ := strings.Cut(traceText(t, r, TextOptions{}), "released it.\n")
	segments, _, _ = strings.Cut(segments, "and 1 more")
	got, err := tcptext.Parse(segments)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(r.Trace.Segments) {
		t.Fatalf("%d segments, want %d", len(got), len(r.Trace.Segments))
	}
	for i, s := range r.Trace.Segments {
		if g := got[i]; g.Time != s.Time.Round(time.Microsecond) || g.Flags != s.Flags || g.Len != s.Len || uint32(g.Window) != s.Window {
			t.Errorf("segment %d reads as %+v, was %+v", i, g, s)
		}
	}
}

func TestTraceJSON(t *testing.T) {
	r := tracedSample()
	v := decode(t, r)
	if err := schema(t).Validate(v); err != nil {
		t.Error(err)
	}
	trace, ok := v["trace"].(map[string]any)
	if !ok || len(trace["tiles"].([]any)) != 3 || len(trace["segments"].([]any)) != 5 {
		t.Errorf("trace is %v", v["trace"])
	}
	if _, ok := decode(t, sample())["trace"]; ok {
		t.Error("a report without a trace has one")
	}
	var b bytes.Buffer
	if err := NDJSON(&b, r, JSONOptions{}); err != nil || !strings.Contains(b.String(), `{"type":"trace","connection":0,`) {
		t.Errorf("ndjson, %v: %s", err, b.String())
	}
}
