package output

import (
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/net/html"

	"tcpwhy/analysis/compare"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/output/internal/sample"
	"tcpwhy/output/page"
)

// hostileName tries to get out of wherever it stands.
const hostileName = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>|`@all\x1b[31m\u202e\n# x"

// compared is a comparison in which whatever can come from the network, or is a file's name, is
// hostile or secret.
func compared() *compare.Comparison {
	side := func(name string, took int) compare.Side {
		r := sample.Report()
		r.Endpoints = []report.Endpoint{
			{Method: hostileName, Template: "/" + hostileName, Host: hostileName, Exchanges: 9},
			{
				Method:    "GET",
				Template:  "/x?" + sample.Secret,
				Host:      "u:" + sample.Secret + "@api.example",
				Exchanges: 9,
			},
		}
		for i := range r.Endpoints {
			for range 9 {
				r.Endpoints[i].Duration.Add(time.Duration(took) * time.Millisecond)
			}
		}
		r.Findings[0].Title, r.Findings[0].Host = hostileName, hostileName
		r.Capture.Inputs[0].Name, r.Capture.Inputs[0].Error = hostileName, hostileName
		r.Capture.Inputs[0].Complete = false
		return compare.Side{Name: name, Report: r}
	}
	return compare.Of(side(hostileName, 80), side(hostileName+"2", 20), compare.Options{})
}

// TestComparisons: in every format nothing secret shows, nothing acts, and nothing gets out of where
// it stands; one comparison is always written in the same way, also an empty one.
func TestComparisons(t *testing.T) {
	empty := compare.Of(compare.Side{Report: &report.Report{Capture: &capture.Stats{}}},
		compare.Side{Report: &report.Report{Capture: &capture.Stats{}}}, compare.Options{})
	for _, f := range ComparisonFormats() {
		if found, known := FindComparison(f.Name); !known || found.For == "" {
			t.Errorf("%q is not found, or incomplete", f.Name)
		}
		for _, c := range []*compare.Comparison{compared(), empty} {
			var first, again strings.Builder
			opts := Options{Version: "1.2.3", Page: page.Options{ASCII: true}}
			if err := f.Write(&first, c, opts); err != nil {
				t.Fatalf("%s: %v", f.Name, err)
			}
			if err := f.Write(&again, c, opts); err != nil || again.String() != first.String() {
				t.Errorf("%s: one comparison is written in two ways: %v", f.Name, err)
			}
			checkShown(t, f.Name, first.String())
		}
	}
	if _, known := FindComparison("csv"); known {
		t.Error("there is a comparison in CSV")
	}
}

// checkShown looks for what must not be in any format.
func checkShown(t *testing.T, format, got string) {
	t.Helper()
	if strings.Contains(got, sample.Secret) {
		t.Errorf("%s shows a planted value", format)
	}
	hidden := func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }
	if i := strings.IndexFunc(got, hidden); i >= 0 {
		t.Errorf("%s holds an unprintable character: %q", format, got[i:min(i+8, len(got))])
	}
	switch format {
	case "markdown":
		for line := range strings.Lines(got) {
			if strings.HasPrefix(line, "#") || strings.Contains(outsideCode(line), "<script") {
				t.Errorf("markdown: %q", line)
			}
		}
	case "html":
		doc, err := html.Parse(strings.NewReader(got))
		if err != nil {
			t.Fatal(err)
		}
		for n := range doc.Descendants() {
			if n.Data == "script" || n.Data == "img" || n.Data == "link" {
				t.Errorf("the page has an element %s", n.Data)
			}
			for _, a := range n.Attr {
				if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "src" {
					t.Errorf("the page has %s=%q", a.Key, a.Val)
				}
			}
		}
	}
}

// codeSpan is one with a fence of two, or of one.
var codeSpan = regexp.MustCompile("``.*?``|`[^`]*`")

// outsideCode is a line of Markdown without its code spans.
func outsideCode(line string) string { return codeSpan.ReplaceAllString(line, "") }
