package markdown

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"tcpwhy/analysis/report"
	"tcpwhy/output/internal/sample"
)

// marked is a report in Markdown.
func marked(t *testing.T, r *report.Report) string {
	t.Helper()
	var b strings.Builder
	if err := Report(&b, r, Options{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestReport: the verdict comes first; the story, its proof and its fix follow.
func TestReport(t *testing.T) {
	got := marked(t, sample.Report())
	for _, want := range []string{
		"615 ms of 834 ms", "| 1 | high | Nagle hold ended by a delayed ACK | 13 | 615 ms |",
		"<details open>", "| frame 15 |", "`tcp.stream eq 0 && frame.number in {14,15,16}`",
		"- **Fix, client:**", "| server | ██ |", "- 1 connection began before the capture did.",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("it lacks %q:\n%s", want, got)
		}
	}
}

// outside is a line without its code spans.
func outside(line string) string {
	var b strings.Builder
	for line != "" {
		at := strings.IndexByte(line, '`')
		if at < 0 {
			return b.String() + line
		}
		n := len(line[at:]) - len(strings.TrimLeft(line[at:], "`"))
		fence := strings.Repeat("`", n)
		b.WriteString(line[:at])
		line = line[at+n:]
		if end := strings.Index(line, fence); end >= 0 {
			line = line[end+n:]
		}
	}
	return b.String()
}

// inCode is code within an element of HTML.
var inCode = regexp.MustCompile("<code>.*?</code>")

// TestHostile: nothing that the network says is markup.
func TestHostile(t *testing.T) {
	for _, hostile := range []string{
		"@everybody", "[x](http://x.example)", "<script>alert(1)</script>", "``` ` ``", "| a | b |", `a \| b`,
		"# x", "*x* _y_", "http://x.example", "www.x.example", "![i](j)", "&copy;", ":tada:", "$x$",
		"</summary></details>", "0123abc4567",
	} {
		r := sample.Report()
		r.Stories[0].Message, r.Stories[0].Title = hostile, hostile
		r.Findings[0].Host, r.Capture.Inputs[0].Name = hostile, hostile
		r.Findings[0].Occurrences[0].Evidence[0].Text = hostile
		r.Exchanges[1].Method, r.Exchanges[1].Target = hostile, hostile
		r.Caveats[0].Message = hostile
		for _, line := range strings.Split(marked(t, r), "\n") {
			line = outside(line)
			for _, own := range []string{
				"<details open>", "<details>", "</details>", "<summary>", "</summary>", `\|`, "**",
			} {
				line = strings.ReplaceAll(line, own, "")
			}
			line = strings.NewReplacer("<1 %", "", "<0.001", "", "&lt;", "", "&gt;", "", "&amp;", "").
				Replace(
					inCode.ReplaceAllString(line, ""))
			if strings.ContainsAny(line, "@[<*_$") || strings.Contains(line, "://") ||
				strings.Contains(line, "www.") || strings.Contains(line, ":tada:") {
				t.Errorf("%q is markup: %s", hostile, line)
			}
		}
	}
}

// TestLimit: a comment has room for it, however much was found.
func TestLimit(t *testing.T) {
	r := sample.Report()
	f := r.Findings[0]
	f.Message = strings.Repeat("word `x` ", 2000)
	for i := range 100 {
		f.Rule = fmt.Sprintf("rule-%d", i)
		r.Findings = append(r.Findings, f)
		r.Caveats = append(r.Caveats, report.Caveat{Message: f.Message})
	}
	if got := marked(t, sample.Tell(r)); len(got) > mostOctets ||
		!strings.Contains(got, "too long") {
		t.Errorf("%d octets", len(got))
	}
}
