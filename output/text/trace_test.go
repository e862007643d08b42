package text

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/output/internal/sample"
	"tcpwhy/output/page"
	"tcpwhy/reassembly/tcptext"
)

func traceText(t *testing.T, r *report.Report, opts Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, r, opts); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTrace(t *testing.T) {
	text := traceText(t, sample.Traced(), Options{})
	for _, want := range []string{
		"Exchange ", "10.20.0.2:40000 -> 10.20.0.1:8080",
		"     10.000      50.000      40.000  Nagle hold, waiting for a late ACK: after",
		"released by frame 4", "the path's rate, 3 waits",
		"\n# 40.0 ms: Nagle hold, waiting for a late ACK\n",
		"\n+0.000000 > S 0:0(0) win 502 <mss 1460>  # frame 1\n",
		"\n+0.010000 < S. 0:0(0) ack 1 win 502  # frame 2\n",
		"\n+0.000001 > P. 1:181(180) ack 1 win 502  # frame 3\n",
		"# frame 5, timeout-retransmission, full, first-copy-unseen,", "sack up to 701",
		"and 1 more segment, not shown",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the trace lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, sample.Secret) || strings.Contains(text, "\x1b") {
		t.Errorf("the trace shows a secret or an escape:\n%s", text)
	}
}

// TestTraceFits: no line is wider than the page, and ASCII is ASCII.
func TestTraceFits(t *testing.T) {
	for _, width := range []int{64, 80, 132} {
		opts := Options{Page: page.Options{Width: width, ASCII: true}}
		for _, line := range strings.Split(traceText(t, sample.Traced(), opts), "\n") {
			if page.Cells(line) > width {
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
	r := sample.Traced()
	_, segments, _ := strings.Cut(traceText(t, r, Options{}), "released it.\n")
	segments, _, _ = strings.Cut(segments, "and 1 more")
	got, err := tcptext.Parse(segments)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(r.Trace.Segments) {
		t.Fatalf("%d segments, want %d", len(got), len(r.Trace.Segments))
	}
	for i, s := range r.Trace.Segments {
		if g := got[i]; g.Time != s.Time.Round(time.Microsecond) || g.Flags != s.Flags ||
			g.Len != s.Len ||
			uint32(g.Window) != s.Window {
			t.Errorf("segment %d reads as %+v, was %+v", i, g, s)
		}
	}
}
