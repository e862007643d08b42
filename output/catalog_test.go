package output

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"tcpwhy/analysis"
	"tcpwhy/analysis/report"
)

var update = flag.Bool("update", false, "write docs/detectors.md")

// TestCatalog keeps docs/detectors.md equal to the rules.
func TestCatalog(t *testing.T) {
	const path = "../docs/detectors.md"
	var b bytes.Buffer
	if err := Catalog(&b, analysis.All()); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, b.Bytes()) {
		t.Errorf("%s is stale: run go test ./output -update", path)
	}
}

// TestEveryRuleIsDocumented looks for the four parts of a rule's documentation, in their order.
func TestEveryRuleIsDocumented(t *testing.T) {
	want := []string{"What happens", "How it is recognised", "How cost is counted", "When it is wrong"}
	for _, d := range analysis.All() {
		var titles []string
		for _, part := range docParts(d.Doc) {
			titles = append(titles, part.title)
		}
		if got := strings.Join(titles, ", "); got != strings.Join(want, ", ") {
			t.Errorf("the parts of %s are %s", d.Name, got)
		}
		if d.Title == "" || len(d.Causes) == 0 {
			t.Errorf("%s lacks a title or causes", d.Name)
		}
	}
}

func sampleRule() *analysis.Detector {
	return &analysis.Detector{
		Name: "nagle", Title: "a title",
		Doc: "What happens\nOne thing\nafter another.\n\nHow it is recognised\nBy <this> and `that_one`.\n\nAnd more of it, in a long sentence that goes on, and on, and on until the line is full.",
		Causes: []report.Cause{{Code: "request", Message: "The client does it.",
			Remedies: []report.Remedy{{Side: report.SideClient, Text: "set TCP_NODELAY"}}}},
		References: []string{"RFC 896"},
	}
}

func TestExplain(t *testing.T) {
	var b bytes.Buffer
	if err := Explain(&b, sampleRule(), TextOptions{}); err != nil {
		t.Fatal(err)
	}
	want := `nagle: a title

WHAT HAPPENS
  One thing after another.

HOW IT IS RECOGNISED
  By <this> and ` + "`that_one`" + `.

  And more of it, in a long sentence that goes on, and on, and on until the line
  is full.

CAUSES AND FIXES
  request
  The client does it.
  client:  set TCP_NODELAY

REFERENCES
  RFC 896
`
	if b.String() != want {
		t.Errorf("explanation:\n%s\nwant:\n%s", b.String(), want)
	}
}

func TestCatalogEscapes(t *testing.T) {
	var b bytes.Buffer
	if err := Catalog(&b, []*analysis.Detector{sampleRule()}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"By &lt;this> and `that_one`.", "- `request`: The client does it.", `set TCP\_NODELAY`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the catalog lacks %q:\n%s", want, b.String())
		}
	}
}
