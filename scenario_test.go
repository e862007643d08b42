package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tcpwhy/analysis"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/internal/cli"
	"tcpwhy/internal/golden"
	"tcpwhy/internal/schema"
	"tcpwhy/output"
)

// scenarioDirs are the folders of all scenarios.
func scenarioDirs(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/pcaps/*/scenario.txt")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("there are no scenarios")
	}
	dirs := make([]string, len(files))
	for i, file := range files {
		dirs[i] = filepath.ToSlash(filepath.Dir(file))
	}
	return dirs
}

// sampleDirs are the folders of the scenarios that properties are tried on: all, and with -short
// every fourth.
func sampleDirs(t *testing.T) []string {
	t.Helper()
	var dirs []string
	for i, dir := range scenarioDirs(t) {
		if !testing.Short() || i%4 == 0 {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// TestScenarios analyses every scenario, compares the report with the truth and with the report of
// the last time, and checks what must hold for every capture.
func TestScenarios(t *testing.T) {
	if !golden.Update() {
		t.Parallel()
	}
	reports := schema.Resolved(t, schemaFile)
	for _, dir := range scenarioDirs(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			text, err := os.ReadFile(dir + "/scenario.txt")
			if err != nil {
				t.Fatal(err)
			}
			want, err := parseTruth(string(text))
			if err != nil {
				t.Fatalf("scenario.txt: %v", err)
			}
			checkPackets(t, dir)
			inputs := captures(t, dir)
			report := analyseFiles(t, inputs, 1)
			checkTruth(t, want, report)
			checkReport(t, report, inputs)
			asText, asJSON := renderBoth(t, report)
			for _, w := range want.texts {
				w.check(t, asText)
			}
			numbers := []int{1, 2, 4}
			if raced {
				numbers = numbers[2:]
			} else {
				checkRendered(t, asText, asJSON, reports)
			}
			checkQuiet(t, report, asText)
			for _, workers := range numbers {
				text, json := renderBoth(t, analyseFiles(t, inputs, workers))
				if text != asText || json != asJSON {
					t.Errorf("with %d workers the report is another", workers)
				}
			}
			compareGoldens(t, dir, asText, asJSON)
		})
	}
}

// captures are the capture files of a scenario, in the order of their names. Other files than those
// that CONTRIBUTING.md names have no place there.
func captures(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var inputs []string
	for _, entry := range entries {
		name := entry.Name()
		switch {
		case strings.HasPrefix(name, "capture") && strings.Contains(name, ".pcap"):
			inputs = append(inputs, dir+"/"+name)
		case !slices.Contains([]string{"scenario.txt", "packets.txt", "keys.txt", "kernel.txt", "report.txt", "report.json"}, name):
			t.Errorf("%s/%s: no such file belongs to a scenario", dir, name)
		}
	}
	if len(inputs) == 0 {
		t.Fatalf("%s holds no capture", dir)
	}
	return inputs
}

func analyseFiles(t *testing.T, inputs []string, workers int) *report.Report {
	t.Helper()
	src, err := capture.Open(capture.Config{Inputs: inputs})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	report, err := analysis.Run(t.Context(), src,
		append(beside(t, inputs[0]), analysis.WithWorkers(workers))...)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// beside is what lies in the folder of a capture, and is analysed with it.
func beside(t *testing.T, file string) []analysis.Option {
	t.Helper()
	options := []analysis.Option{analysis.WithKeys(keysBeside(t, file))}
	if kernel := kernelBeside(t, file); kernel != nil {
		options = append(options, analysis.WithSockets(kernel))
	}
	return options
}

// keysBeside is the key log in the folder of a capture; nil if there is none.
func keysBeside(t *testing.T, file string) *analysis.KeyLog {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(filepath.Dir(file), "keys.txt"))
	if err != nil {
		return nil
	}
	log := &analysis.KeyLog{}
	w := log.Writer()
	w.Write(text)
	w.End()
	return log
}

// renderBoth is the report as the program writes it with default options.
func renderBoth(t *testing.T, r *report.Report) (asText, asJSON string) {
	t.Helper()
	return render(t, "text", r), render(t, "json", r)
}

// render is the report as the program writes it in a format, with default options.
func render(t *testing.T, format string, r *report.Report) string {
	t.Helper()
	f, known := output.Find(format)
	if !known {
		t.Fatalf("there is no format %s", format)
	}
	var b strings.Builder
	if err := f.Write(&b, r, output.Options{Version: cli.Version}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func checkTruth(t *testing.T, want *truth, r *report.Report) {
	t.Helper()
	if want.exchanges >= 0 && r.ExchangeCount != want.exchanges {
		t.Errorf("exchanges = %d, want %d", r.ExchangeCount, want.exchanges)
	}
	if want.connections >= 0 && r.Connections != want.connections {
		t.Errorf("connections = %d, want %d", r.Connections, want.connections)
	}
	if n := r.Proxied.Exchanges; want.proxied >= 0 && n != want.proxied {
		t.Errorf("proxies made %d of the exchanges, want %d", n, want.proxied)
	}
	for i := range want.legs {
		want.legs[i].check(t, r)
	}
	for i := range want.findings {
		want.findings[i].check(t, r)
	}
	for _, rc := range want.absent {
		for i := range r.Findings {
			if f := &r.Findings[i]; rc.matches(f) {
				t.Errorf(
					"reported %s/%s (%d times, %v), which is not there",
					f.Rule,
					f.Cause,
					f.Count,
					f.Cost.Expected,
				)
			}
		}
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		wanted := slices.ContainsFunc(
			want.findings,
			func(w wantFinding) bool { return w.matches(f) },
		)
		if want.noOther && !wanted && f.Severity > report.Info {
			t.Errorf(
				"reported %s/%s (%v, %d times, %v), which is not there",
				f.Rule,
				f.Cause,
				f.Severity,
				f.Count,
				f.Cost.Expected,
			)
		}
	}
	for _, code := range want.caveats {
		if !slices.ContainsFunc(r.Caveats, func(c report.Caveat) bool { return c.Code == code }) {
			t.Errorf("no caveat %s", code)
		}
	}
	for _, l := range want.labels {
		if got := labelSum(r, l.label); !l.time.holds(got) {
			t.Errorf("label %s = %v, want %v to %v", l.label, got, l.time.low, l.time.high)
		}
	}
}

// labelSum is the time that a label got over all exchanges.
func labelSum(r *report.Report, l report.Label) time.Duration {
	var sum time.Duration
	for i := range r.Exchanges {
		for _, part := range r.Exchanges[i].Times {
			if part.Label == l {
				sum += part.Time
			}
		}
	}
	return sum
}

// check looks for the finding. Several clients may each have one: counts and costs are those of
// all.
func (w *wantFinding) check(t *testing.T, r *report.Report) {
	t.Helper()
	count := 0
	var cost, clock time.Duration
	shown := map[uint64]bool{}
	for i := range r.Findings {
		f := &r.Findings[i]
		if !w.matches(f) {
			continue
		}
		w.checkGrades(t, f)
		count += f.Count
		cost += f.Cost.Expected
		clock += f.Cost.Expected - f.Shared
		for _, o := range f.Occurrences {
			for _, e := range o.Evidence {
				shown[e.Frame.Number()] = true
			}
		}
	}
	if count == 0 {
		t.Errorf("not reported: %v", w.ruleCause)
		return
	}
	if w.count != nil && (count < w.count.low || count > w.count.high) {
		t.Errorf("%v: count = %d, want %d to %d", w.ruleCause, count, w.count.low, w.count.high)
	}
	if w.cost != nil && !w.cost.holds(cost) {
		t.Errorf("%v: cost = %v, want %v to %v", w.ruleCause, cost, w.cost.low, w.cost.high)
	}
	if w.clock != nil && !w.clock.holds(clock) {
		t.Errorf("%v: by the clock %v, want %v to %v", w.ruleCause, clock, w.clock.low, w.clock.high)
	}
	for _, n := range w.frames {
		if !shown[n] {
			t.Errorf("%v: frame %d is not among the evidence", w.ruleCause, n)
		}
	}
}

func (w *wantFinding) checkGrades(t *testing.T, f *report.Finding) {
	t.Helper()
	if w.side != "" && f.Side.String() != w.side {
		t.Errorf("%v: side = %v, want %s", w.ruleCause, f.Side, w.side)
	}
	if w.confidence != nil && f.Confidence < *w.confidence {
		t.Errorf("%v: confidence = %v, want %v at least", w.ruleCause, f.Confidence, *w.confidence)
	}
	if w.severity != "" && f.Severity.String() != w.severity {
		t.Errorf("%v: severity = %v, want %s", w.ruleCause, f.Severity, w.severity)
	}
	if w.minSeverity != nil && f.Severity < *w.minSeverity {
		t.Errorf("%v: severity = %v, want %v at least", w.ruleCause, f.Severity, *w.minSeverity)
	}
}

// frameTable reads all segments of a capture: when each frame was, and between whom.
func frameTable(t *testing.T, inputs []string) map[capture.FrameID]capture.Segment {
	t.Helper()
	src, err := capture.Open(capture.Config{Inputs: inputs})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	table := map[capture.FrameID]capture.Segment{}
	var seg capture.Segment
	for {
		if err := src.Next(&seg); errors.Is(err, io.EOF) {
			return table
		} else if err != nil {
			t.Fatal(err)
		}
		kept := seg
		kept.Payload = nil
		table[seg.Frame] = kept
	}
}
