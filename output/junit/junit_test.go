package junit

import (
	"encoding/xml"
	"strings"
	"testing"

	"tcpwhy/analysis/report"
	"tcpwhy/output/internal/sample"
)

// results are those of a report, read back.
func results(t *testing.T, r *report.Report, failOn report.Severity) (suites, string) {
	t.Helper()
	var b strings.Builder
	if err := Write(&b, r, Options{Version: "1", FailOn: failOn}); err != nil {
		t.Fatal(err)
	}
	var s suites
	if err := xml.Unmarshal([]byte(b.String()), &s); err != nil {
		t.Fatalf("%v\n%s", err, b.String())
	}
	return s, b.String()
}

// TestFailures: what is at least as grave as asked for fails, and says why.
func TestFailures(t *testing.T) {
	for _, tt := range []struct {
		failOn report.Severity
		want   int
	}{{report.Low, 1}, {report.High, 1}, {report.Critical, 0}} {
		s, _ := results(t, sample.Report(), tt.failOn)
		if s.Failures != tt.want || s.Suite.Failures != tt.want || s.Tests != len(s.Suite.Cases) {
			t.Errorf("%s: %d of %d tests fail, want %d", tt.failOn, s.Failures, s.Tests, tt.want)
		}
		said := ""
		for _, c := range s.Suite.Cases {
			for _, f := range c.Failures {
				said += f.Text
			}
			if c.Out != nil {
				said += c.Out.Text
			}
		}
		for _, want := range []string{"frame 15", "TCP_NODELAY", "frame.number in {14,15,16}", "Weakened"} {
			if !strings.Contains(said, want) {
				t.Errorf("%s: the text lacks %s:\n%s", tt.failOn, want, said)
			}
		}
	}
}

// TestBlind: a rule that could not look is skipped.
func TestBlind(t *testing.T) {
	r := sample.Report()
	r.Blind = []string{"missed-reuse"}
	if s, _ := results(t, r, report.High); s.Skipped != 1 || s.Suite.Skipped != 1 {
		t.Errorf("%d tests are skipped, want 1", s.Skipped)
	}
}

// TestHostile: no text gets out of its element.
func TestHostile(t *testing.T) {
	const hostile = `]]></failure></testcase><testcase name="x"/>&lt;"'` + "\x00\u202e"
	r := sample.Report()
	tests, _ := results(t, r, report.High)
	r.Stories[0].Message, r.Stories[0].Title = hostile, hostile
	r.Findings[0].Host, r.Capture.Inputs[0].Name = hostile, hostile
	r.Findings[0].Occurrences[0].Evidence[0].Text = hostile
	r.Exchanges[1].Method, r.Exchanges[1].Target = hostile, hostile
	got, text := results(t, r, report.High)
	if len(got.Suite.Cases) != len(tests.Suite.Cases) || len(got.Suite.Cases[0].Failures) != 1 {
		t.Errorf("hostile text makes elements:\n%s", text)
	}
}
