package markdown

import (
	"bytes"
	"strings"
	"testing"

	"tcpwhy/analysis"
	"tcpwhy/analysis/report"
	"tcpwhy/internal/golden"
	"tcpwhy/output/internal/sample"
)

// TestCatalog keeps docs/detectors.md equal to the rules.
func TestCatalog(t *testing.T) {
	var b bytes.Buffer
	if err := Rules(&b, analysis.Rules()); err != nil {
		t.Fatal(err)
	}
	golden.File(t, "../../docs/detectors.md", b.Bytes())
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
