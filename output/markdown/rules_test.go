package markdown

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"tcpwhy/analysis"
	"tcpwhy/analysis/report"
	"tcpwhy/output/internal/sample"
)

var update = flag.Bool("update", false, "write docs/detectors.md")

// TestCatalog keeps docs/detectors.md equal to the rules.
func TestCatalog(t *testing.T) {
	const path = "../../docs/detectors.md"
	var b bytes.Buffer
	if err := Rules(&b, analysis.Rules()); err != nil {
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
		t.Errorf("%s is stale: run go test ./output/markdown -update", path)
	}
}

func TestCatalogEscapes(t *testing.T) {
	var b bytes.Buffer
	if err := Rules(&b, []report.Rule{*sample.Rule()}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"By &lt;this> and `that_one`.", "- `request`: The client does it.", `set TCP\_NODELAY`,
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the catalog lacks %q:\n%s", want, b.String())
		}
	}
}
