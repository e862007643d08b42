package text

import (
	"strings"
	"testing"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/output/page"
	"tcpwhy/reassembly/exchange"
)

// firstLines are those of a report with that tally, wide enough for one sentence each.
func firstLines(t *testing.T, r *report.Report) string {
	t.Helper()
	r.Capture = &capture.Stats{Frames: 1}
	r.Capture.Count[capture.OutcomeSegment] = 1
	r.Connections, r.Checked = 1, []string{"nagle"}
	var b strings.Builder
	if err := Write(&b, r, Options{Page: page.Options{Width: 400}}); err != nil {
		t.Fatal(err)
	}
	_, s, _ := strings.Cut(b.String(), "\n\n")
	s, _, _ = strings.Cut(s, "\n\n")
	return s
}

// failed is n exchanges that ended so, each after one of the waits.
func failed(o exchange.Outcome, n, repeated int, waits ...time.Duration) report.Failures {
	f := report.Failures{Outcome: o, Repeated: repeated}
	for i := range n {
		f.Add(waits[i%len(waits)])
	}
	return f
}

// TestSoFar: while a capture goes on, what is not judged yet is no silence.
func TestSoFar(t *testing.T) {
	got := firstLines(t, &report.Report{GoesOn: true, Pending: 3})
	if want := "No exchange is judged yet: the capture goes on."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	got = firstLines(t, &report.Report{GoesOn: true, ExchangeCount: 1, Pending: 3})
	if want := "Nothing found so far: "; !strings.HasPrefix(got, want) {
		t.Errorf("got %q, want %q first", got, want)
	}
}

func TestFailuresComeFirst(t *testing.T) {
	for _, tt := range []struct {
		name string
		of   report.Tally
		n    int
		want string
	}{
		{"all timed out", report.Tally{Failures: []report.Failures{
			failed(exchange.Aborted, 12, 0, 5*time.Second)}}, 16,
			"Failed: 12 of 16 exchanges: given up by the client after 5.00 s."},
		{"two ways, some asked again", report.Tally{Failures: []report.Failures{
			failed(exchange.ResetByPeer, 1, 1, time.Millisecond),
			failed(exchange.NoResponse, 3, 2, time.Second, 2*time.Second)}}, 40,
			"Failed: 4 of 40 exchanges (10 %): 3 without a response after 1.00 s to 2.00 s, " +
				"2 of them asked again; 1 reset in the middle, and asked again."},
		{"scans are nobody's failure", report.Tally{Scanned: 99, Failures: []report.Failures{
			failed(exchange.Refused, 99, 0, 0)}}, 100, ""},
		{"errors", report.Tally{Statuses: []report.StatusCount{
			{Status: 200, Count: 8}, {Status: 404, Count: 8}, {Status: 503, Count: 24}}}, 40,
			"Errors: 32 of 40 responses (24 × 503, 8 × 404)."},
		{"a few not found", report.Tally{Statuses: []report.StatusCount{
			{Status: 200, Count: 99}, {Status: 404, Count: 1}}}, 100, ""},
		{"no end", report.Tally{Unfinished: failed(exchange.Incomplete, 2, 0, 30*time.Second)}, 3,
			"No end in the capture: 2 exchanges, the longest 30.0 s old."},
	} {
		got := firstLines(t, &report.Report{ExchangeCount: tt.n, Tally: tt.of})
		first, rest, _ := strings.Cut(got, "\n")
		if tt.want == "" && !strings.HasPrefix(first, "Nothing found: ") {
			t.Errorf("%s: %q comes first", tt.name, first)
		}
		if tt.want != "" && first != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, first, tt.want)
		}
		if tt.want != "" && tt.name != "no end" && !strings.HasPrefix(rest, "No cause found: ") {
			t.Errorf("%s: %q follows", tt.name, rest)
		}
	}
}

func TestWhoseTime(t *testing.T) {
	var d report.Durations
	for range 10 {
		d.Add(840 * time.Millisecond)
	}
	r := report.Report{ExchangeCount: 16, ExchangeTime: 8700 * time.Millisecond,
		Times: []report.LabelTime{
			{Label: report.Think, Time: 8400 * time.Millisecond},
			{Label: report.RoundTrip, Time: 300 * time.Millisecond}},
		Tally: report.Tally{Endpoints: []report.Endpoint{{Method: "GET", Template: "/report/{n}",
			Exchanges: 10, Thought: 8400 * time.Millisecond, Duration: d, Think: d}}}}
	const want = "The server took 8.40 s of 8.70 s (97 %): GET /report/{n}, 10 times, median 840 ms."
	if got := firstLines(t, &r); !strings.HasSuffix(got, want) {
		t.Errorf("%q", got)
	}
}

// TestOverTime: a line is drawn where something changed, and none where all is even.
func TestOverTime(t *testing.T) {
	for _, tt := range []struct {
		name   string
		failed func(step int) int
		want   bool
	}{
		{"an outage", func(i int) int { return map[bool]int{true: 4}[i >= 50 && i < 60] }, true},
		{"always", func(int) int { return 1 }, false},
		{"never", func(int) int { return 0 }, false},
	} {
		var over report.Steps
		over.Each = time.Second
		for i := range 100 {
			over.Steps = append(over.Steps, report.Step{Exchanges: 4, Failed: tt.failed(i)})
		}
		r := report.Report{ExchangeCount: 400, Tally: report.Tally{Over: over}}
		firstLines(t, &r)
		var b strings.Builder
		if err := Write(&b, &r, Options{Page: page.Options{ASCII: true}}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(b.String(), "OVER TIME"); got != tt.want {
			t.Errorf("%s: %v\n%s", tt.name, got, b.String())
		}
		if strings.Contains(b.String(), "?") {
			t.Errorf("%s: not all can be drawn in ASCII\n%s", tt.name, b.String())
		}
	}
}
