package output

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"
	"unicode"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/internal/golden"
	"tcpwhy/output/internal/sample"
	"tcpwhy/output/json"
	"tcpwhy/output/page"
)

// written is a report in a format.
func written(t *testing.T, f Format, r *report.Report, opts Options) string {
	t.Helper()
	var b strings.Builder
	if err := f.Write(&b, r, opts); err != nil {
		t.Fatalf("%s: %v", f.Name, err)
	}
	return b.String()
}

// TestFormats: each format says what it is for, and is found by its name.
func TestFormats(t *testing.T) {
	for _, f := range Formats() {
		found, known := Find(f.Name)
		if !known || found.Name != f.Name || f.For == "" || f.Write == nil {
			t.Errorf("%q is not found, or incomplete", f.Name)
		}
	}
	if _, known := Find("coffee"); known {
		t.Error("there is a format coffee")
	}
}

// TestDocs: the table in the documentation is that of the formats; -update writes it.
func TestDocs(t *testing.T) {
	const path, begin, end = "../docs/outputs.md", "| format | for | described in |\n|---|---|---|\n", "\n\n"
	doc, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, found := strings.Cut(string(doc), begin)
	_, tail, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatalf("%s has no table of formats", path)
	}
	var rows []string
	for _, f := range Formats() {
		about := f.About
		if about == "" {
			about = f.For + " | "
		}
		rows = append(rows, "| `"+f.Name+"` | "+about+" |")
	}
	golden.File(t, path, []byte(head+begin+strings.Join(rows, "\n")+end+tail))
}

// TestNothingSecret plants secrets and escape sequences in a report and looks for them in every
// format. What nobody asked to see is nowhere, and a password nowhere in any case.
func TestNothingSecret(t *testing.T) {
	for _, f := range Formats() {
		for _, show := range []bool{false, true} {
			got := written(t, f, sample.Report(), Options{ShowQuery: show})
			if strings.Contains(got, sample.Secret) && !show {
				t.Errorf("%s shows a planted value", f.Name)
			}
			if strings.Contains(got, "u:"+sample.Secret) {
				t.Errorf("%s shows a password", f.Name)
			}
			hidden := func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }
			if i := strings.IndexFunc(got, hidden); i >= 0 {
				t.Errorf("%s holds an unprintable character: %q", f.Name, got[i:min(i+8, len(got))])
			}
		}
	}
}

// TestEveryReport writes in every format what is rare: nothing, a trace, and a report that was read
// back. Twice is the same.
func TestEveryReport(t *testing.T) {
	var b bytes.Buffer
	if err := json.Write(&b, sample.Traced(), json.Options{}); err != nil {
		t.Fatal(err)
	}
	decoded, _, err := json.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	empty := &report.Report{Capture: &capture.Stats{}}
	for _, f := range Formats() {
		for _, r := range []*report.Report{empty, sample.Traced(), decoded} {
			first := written(t, f, r, Options{Page: page.Options{ASCII: true}})
			if again := written(t, f, r, Options{Page: page.Options{ASCII: true}}); again != first {
				t.Errorf("%s: one report is written in two ways:\n%s\n%s", f.Name, first, again)
			}
		}
	}
}

// TestLive: what is written while a capture goes on holds no secret either.
func TestLive(t *testing.T) {
	for _, f := range Formats() {
		if f.Live == nil {
			continue
		}
		var b bytes.Buffer
		r := sample.Report()
		live := f.Live(&b, "eth\x1b0", Options{})
		for _, err := range []error{
			live.Occurrence(&r.Findings[0]), live.Exchange(&r.Exchanges[0]), live.SoFar(r),
		} {
			if err != nil {
				t.Errorf("%s: %v", f.Name, err)
			}
		}
		got := b.String()
		if got == "" || strings.Contains(got, sample.Secret) || strings.Contains(got, "\x1b") {
			t.Errorf("%s: live it writes %q", f.Name, got)
		}
	}
}

// printed is how many connections, and findings, the report has that is printed; there are twice as
// many exchanges.
const printed = 1000

// longSample is a report with many of everything.
func longSample() *report.Report {
	r := sample.Report()
	findings, conns, exchanges := r.Findings, r.Conns, r.Exchanges
	for i := 1; i < printed; i++ {
		r.Findings = append(r.Findings, findings[0])
		r.Conns = append(r.Conns, conns[0])
		r.Exchanges = append(r.Exchanges, exchanges...)
	}
	return r
}

// BenchmarkPrint writes reports; ns/exchange is the cost for each exchange with its share of the
// rest.
func BenchmarkPrint(b *testing.B) {
	r := longSample()
	for _, f := range Formats() {
		b.Run(f.Name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := f.Write(io.Discard, r, Options{}); err != nil {
					b.Fatal(err)
				}
			}
			took := float64(b.Elapsed().Nanoseconds()) / float64(b.N)
			b.ReportMetric(took/float64(len(r.Exchanges)), "ns/exchange")
		})
	}
}
